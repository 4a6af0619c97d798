// Passwords as scrypt hashes, made off the loop and only a few at a time: each takes 32 MiB and a thread of Node's pool
// for about 0.3 s, and whoever guesses passwords must not get the server's memory or its threads.

import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import type { Busy, Passwords } from '../core/credentials.ts';
import { judgePassword, type Password } from '../core/password.ts';
import { Turns } from './turns.ts';

export interface ScryptCost {
  /** Binary logarithm of N. */
  readonly ln: number;
  readonly r: number;
  readonly p: number;
}

/**
 * Of the settings that OWASP's Password Storage Cheat Sheet gives as equally strong the one that takes 32 MiB: 2^17 with
 * p=1 would take 128. Measured on a machine with two cores: 280 ms.
 */
const COST: ScryptCost = { ln: 15, r: 8, p: 3 };
const SALT_BYTES = 16;
const HASH_BYTES = 32;
/** Hashes at the same time: half of the threads that Node's pool has, since DNS and files need it too; 64 MiB. */
const MAX_AT_ONCE = 2;
/** Hashes that wait their turn: the last one about 5 s. */
const MAX_WAITING = 32;
/** Bytes that a stored hash may ask for; what asks for more was not made here. */
const MAX_MEMORY_BYTES = 256 * 1_024 * 1_024;
/** As the PHC string format has it: `$scrypt$ln=15,r=8,p=3$SALT$HASH`, both in base64 without padding. */
const STORED = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{22})\$([A-Za-z0-9+/]{43})$/;

export interface ScryptOptions {
  readonly cost?: ScryptCost;
  readonly maxAtOnce?: number;
  readonly maxWaiting?: number;
}

export class ScryptPasswords implements Passwords {
  readonly #cost: ScryptCost;
  readonly #turns: Turns;
  /** Held against where nothing is stored: the same work, and never right. */
  readonly #nobodys: Stored;

  constructor({ cost = COST, maxAtOnce = MAX_AT_ONCE, maxWaiting = MAX_WAITING }: ScryptOptions = {}) {
    this.#cost = cost;
    this.#turns = new Turns({ maxAtOnce, maxWaiting });
    this.#nobodys = { cost, salt: randomBytes(SALT_BYTES), hash: randomBytes(HASH_BYTES) };
  }

  async hash(password: Password): Promise<{ stored: string } | Busy> {
    const salt = randomBytes(SALT_BYTES);
    const hash = await this.#turns.take(() => derive(password, salt, this.#cost));
    if (hash === 'busy') return { refused: 'busy' };
    return { stored: format({ cost: this.#cost, salt, hash }) };
  }

  async verify(text: string, stored: string | undefined): Promise<'right' | 'wrong' | 'busy'> {
    const judged = judgePassword(text);
    // Nobody's password, whatever the name: that it is answered sooner tells nothing about the name.
    if ('refused' in judged) return 'wrong';
    const known = stored === undefined ? undefined : parse(stored);
    const { cost, salt, hash } = known ?? this.#nobodys;
    const given = await this.#turns.take(() => derive(judged.password, salt, cost));
    if (given === 'busy') return 'busy';
    const isEqual = timingSafeEqual(given, hash);
    return isEqual && known !== undefined ? 'right' : 'wrong';
  }

  needsRehash(stored: string): boolean {
    const { ln, r, p } = parse(stored)?.cost ?? {};
    return ln !== this.#cost.ln || r !== this.#cost.r || p !== this.#cost.p;
  }
}

interface Stored {
  readonly cost: ScryptCost;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

function memoryOf({ ln, r, p }: ScryptCost): number {
  // RFC 7914 section 2: the table, the blocks, and one to work in.
  return 128 * r * (2 ** ln + p + 2);
}

function format({ cost: { ln, r, p }, salt, hash }: Stored): string {
  const base64 = (bytes: Buffer) => bytes.toString('base64').replaceAll('=', '');
  return `$scrypt$ln=${ln},r=${r},p=${p}$${base64(salt)}$${base64(hash)}`;
}

function parse(stored: string): Stored | undefined {
  const [, ln, r, p, salt = '', hash = ''] = STORED.exec(stored) ?? [];
  const cost = { ln: Number(ln), r: Number(r), p: Number(p) };
  const isUsable = cost.ln >= 1 && cost.r >= 1 && cost.p >= 1 && memoryOf(cost) <= MAX_MEMORY_BYTES;
  return isUsable ? { cost, salt: Buffer.from(salt, 'base64'), hash: Buffer.from(hash, 'base64') } : undefined;
}

function derive(password: Password, salt: Buffer, cost: ScryptCost): Promise<Buffer> {
  const options = { N: 2 ** cost.ln, r: cost.r, p: cost.p, maxmem: 2 * MAX_MEMORY_BYTES };
  return new Promise((resolve, reject) => {
    scrypt(password, salt, HASH_BYTES, options, (error, hash) => (error === null ? resolve(hash) : reject(error)));
  });
}
