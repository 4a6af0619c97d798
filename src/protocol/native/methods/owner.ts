// The owner's proof over a native connection: both ends show that they know the token, which never travels.

import { method, NOTHING } from '../method.ts';
import { object, oneOf, text, type BadParams, type Shape } from '../shape.ts';
import { ROLES } from './login.ts';

/** What a nonce and a proof look like: both are 32 bytes in base64url. */
const THIRTY_TWO_BYTES = /^[A-Za-z0-9_-]{43}$/;

const bytes: Shape<string> = {
  what: '32 bytes in base64url',
  schema: { type: 'string', pattern: THIRTY_TWO_BYTES.source },
  read: (value) => (typeof value === 'string' && THIRTY_TWO_BYTES.test(value) ? value : undefined),
};
const nonce = object({ nonce: bytes });
const proof = object({ proof: bytes });
const challenged = object({ nonce: bytes, proof: bytes });
const proven = object({ name: text, role: oneOf(ROLES) });
const ticket = object({ name: text, ticket: text });

/** In a challenge, and in what answers it. */
export function parseNonce(given: unknown): { readonly nonce: string } | BadParams {
  return nonce.parse(given);
}

export function parseProof(given: unknown): { readonly proof: string } | BadParams {
  return proof.parse(given);
}

export const ownerChallenge = method('owner.challenge', { params: nonce, result: challenged });
export const ownerProve = method('owner.prove', { params: proof, result: proven });

/** What brings the owner in once more, by the line protocol, which has no proof: `login TICKET`. */
export const ownerTicket = method('owner.ticket', { params: NOTHING, result: ticket });
