// What the core asks of the world about credentials: passwords hashed and held against their hash, codes and tokens
// made and looked up by their digest. The composition root brings the implementations of src/secrets.

import type { Password } from './password.ts';

/** As many hashes as may wait are waiting: say so, change nothing, let them try again. */
export interface Busy {
  readonly refused: 'busy';
}

export interface Passwords {
  /** What to keep of a password: the hash with its salt and its costs. */
  hash(password: Password): Promise<{ readonly stored: string } | Busy>;
  /** Costs the same where nothing is stored (no such name, no password), and is `wrong` then. */
  verify(text: string, stored: string | undefined): Promise<'right' | 'wrong' | 'busy'>;
  /** Whether today's costs are others: after a `right`, hash again and keep that. */
  needsRehash(stored: string): boolean;
}

export interface Secrets {
  /** An invitation code, as it is shown: once. */
  newCode(): string;
  /** An account token, as it is shown: once. */
  newToken(): string;
  /** What is kept of a code (as `parseCode` gives it) or a token, and looked up by. */
  hash(text: string): string;
}
