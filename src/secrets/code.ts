// Codes and tokens out of the machine's randomness, and the digest that is kept of them. A plain digest does for what
// nobody guesses: it is looked up, so that no comparison takes longer the more of it is right.

import { createHash, randomBytes } from 'node:crypto';
import { CODE_LENGTH, formatCode, TOKEN_PREFIX } from '../core/code.ts';

/** 256 random bits. */
const TOKEN_BYTES = 32;
/** 128 random bits. */
const DETACH_KEY_BYTES = 16;

export function newCode(): string {
  return formatCode(randomBytes(CODE_LENGTH));
}

export function newToken(): string {
  return `${TOKEN_PREFIX}${randomBytes(TOKEN_BYTES).toString('base64url')}`;
}

/** What a detached run is known by where it runs. */
export function newDetachKey(): string {
  return randomBytes(DETACH_KEY_BYTES).toString('hex');
}

/** SHA-256 in base64url. */
export function hashSecret(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
