// Chance that can be had again: a test prints its seed, and TEST_SEED in the environment gives it back.

import type { TestContext } from 'node:test';

export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0 to less than `below`. Mulberry32: 32 bits of state, good enough to make nonsense. */
  int(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000) * below);
  }

  pick<T>(from: readonly [T, ...T[]]): T {
    return from[this.int(from.length)] ?? from[0];
  }

  bytes(length: number): Buffer {
    return Buffer.from(Uint8Array.from({ length }, () => this.int(256)));
  }
}

/** The seed for this test, told in its output. */
export function seedOf(t: TestContext): number {
  const given = process.env['TEST_SEED'];
  const seed = given === undefined || !/^\d{1,9}$/.test(given) ? Math.floor(Math.random() * 1e9) : Number(given);
  t.diagnostic(`TEST_SEED=${seed} repeats it`);
  return seed;
}
