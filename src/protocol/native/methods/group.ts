// Groups over a native connection.

import { method, NOTHING } from '../method.ts';
import { listOf, object, text } from '../shape.ts';

const named = object({ group: text });

export const groupJoin = method('group.join', { params: named, result: named });
export const groupLeave = method('group.leave', { params: named, result: named });
export const groupList = method('group.list', {
  params: NOTHING,
  result: object({ groups: listOf(object({ name: text, members: listOf(text) })) }),
});
