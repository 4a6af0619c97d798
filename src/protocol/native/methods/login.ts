// Coming in over a native connection: as a guest, or with what shows whose account it is.

import { method } from '../method.ts';
import { object, oneOf, optional, someText, text } from '../shape.ts';

export const ROLES = ['owner', 'operator', 'member', 'guest'] as const;
export type NamedRole = (typeof ROLES)[number];

const loggedIn = object({ name: text, role: oneOf(ROLES) });

export const loginToken = method('login.token', { params: object({ token: someText }), result: loggedIn });

export const loginPassword = method('login.password', {
  params: object({ name: someText, password: text }),
  result: loggedIn,
});

export const loginGuest = method('login.guest', { params: object({ name: text }), result: loggedIn });

/** `label`: what the token is for that is made for this client. */
export const loginCode = method('login.code', {
  params: object({ code: someText, password: optional(text), label: optional(text) }),
  result: object({ name: text, role: oneOf(ROLES), token: text }),
});
