// Tokens: what a program shows instead of a password.

import { method, NOTHING } from '../method.ts';
import { integer, listOf, object, someText, text, time } from '../shape.ts';

const id = integer(1);

/** `token` is shown this once. */
export const tokenCreate = method('token.create', {
  params: object({ label: someText }),
  result: object({ id, token: text }),
});

export const tokenList = method('token.list', {
  params: NOTHING,
  result: object({ tokens: listOf(object({ id, label: text, since: time })) }),
});

export const tokenRemove = method('token.remove', { params: object({ id }), result: NOTHING });
