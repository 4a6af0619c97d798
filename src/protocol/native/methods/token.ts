// Tokens: what a program shows instead of a password.

import { method, NOTHING } from '../method.ts';
import { integer, listOf, object, optional, someText, text, time, truth } from '../shape.ts';

const id = integer(1);

/** `token` is shown this once. */
export const tokenCreate = method('token.create', {
  params: object({ label: someText }),
  result: object({ id, token: text }),
});

export const tokenList = method('token.list', {
  params: NOTHING,
  // `password`: whether the account has one, so that whoever drops a token knows of another way in.
  result: object({ tokens: listOf(object({ id, label: text, since: time })), password: optional(truth) }),
});

export const tokenRemove = method('token.remove', { params: object({ id }), result: NOTHING });
