// Groups over a native connection.

import { method } from '../method.ts';
import { listOf, object, optional, text } from '../shape.ts';

/** `machine`: for the owner, which machine; without it whoever asks. */
const params = object({ group: text, machine: optional(text) });
const result = object({ group: text, machine: optional(text) });

export const groupJoin = method('group.join', { params, result });
export const groupLeave = method('group.leave', { params, result });
export const groupList = method('group.list', {
  params: object({ after: optional(text) }),
  /** Of a group that has more members than this answer has room for the others come in the next one. */
  result: object({ groups: listOf(object({ name: text, members: listOf(text) })), next: optional(text) }),
});
