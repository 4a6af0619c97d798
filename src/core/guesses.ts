// Guessing at secrets is slow. Wrong passwords are counted for the name and for the address that they come from; beyond
// a first few each has to wait, and is not looked at before. Nobody is locked out: time alone lets everybody try again,
// an address that an account has come in from is counted apart from strangers, and a code or token that is right counts
// always, since nobody guesses 140 bits.

import { TokenBucket, type Rate } from './rate.ts';
import type { GuessRefusal } from './refusal.ts';

/** Wrong ones from one address: a classroom behind one router mistypes, an attacker gets 4,320 a day. */
export const ADDRESS_RATE: Rate = { perSecond: 1 / 20, burst: 10 };
/** Wrong passwords for one name, wherever they come from: more than one address alone can use up. */
export const NAME_RATE: Rate = { perSecond: 1 / 10, burst: 20 };
/** Names, and addresses, of whom something is remembered: some megabytes. Whoever comes beyond them shares one measure. */
const MAX_REMEMBERED = 10_000;

/** Who says to be who: there need be nobody of that name. */
export interface Claim {
  /** Its key; everything that cannot be a name is one name, ''. */
  readonly name: string;
  /** An IPv4 address or an IPv6 /64; undefined: loopback, whose users share one, so that only names are counted there. */
  readonly from: string | undefined;
}

type Verdict = 'right' | 'wrong' | 'busy';

export class Guesses {
  readonly #max: number;
  readonly #addresses: Buckets;
  /** Of strangers to a name, and of each address that is none. */
  readonly #names: Buckets;
  /** Where accounts have come in from, the latest last. */
  readonly #familiar = new Set<string>();

  constructor({ maxRemembered = MAX_REMEMBERED }: { readonly maxRemembered?: number } = {}) {
    this.#max = maxRemembered;
    this.#addresses = new Buckets(ADDRESS_RATE, maxRemembered);
    this.#names = new Buckets(NAME_RATE, maxRemembered);
  }

  /**
   * Has a password looked at, unless too many were wrong. It counts as wrong until it has turned out otherwise: many at
   * the same time are no way around.
   */
  async check(claim: Claim, nowMs: number, verify: () => Promise<Verdict>): Promise<Verdict | GuessRefusal> {
    const key = placeOf(claim);
    const buckets = [this.#names.of(this.#familiar.has(key) ? key : claim.name, nowMs)];
    if (claim.from !== undefined) buckets.push(this.#addresses.of(claim.from, nowMs));
    const waitMs = Math.max(...buckets.map((bucket) => bucket.waitMs(nowMs)));
    if (waitMs > 0) return { refused: 'too-many-wrong', waitMs };
    for (const bucket of buckets) bucket.take(nowMs);
    const verdict = await verify();
    if (verdict !== 'wrong') for (const bucket of buckets) bucket.giveBack();
    if (verdict === 'right') this.cameIn(claim);
    return verdict;
  }

  /** A code or token was wrong. True: one of too many, and its connection need not go on. */
  wrongSecret(from: Claim['from'], nowMs: number): boolean {
    return from !== undefined && this.#addresses.of(from, nowMs).take(nowMs) > 0;
  }

  /** Somebody has shown to be who it said. */
  cameIn(claim: Claim): void {
    const key = placeOf(claim);
    this.#familiar.delete(key);
    this.#familiar.add(key);
    if (this.#familiar.size <= this.#max) return;
    for (const oldest of this.#familiar) return void this.#familiar.delete(oldest);
  }
}

/** No name has a blank in it. */
function placeOf({ name, from = 'loopback' }: Claim): string {
  return `${name} ${from}`;
}

/** A bucket for each key. One that has not been looked at for as long as it takes to fill is full, and forgotten. */
class Buckets {
  readonly #rate: Rate;
  readonly #max: number;
  readonly #fillMs: number;
  /** In the order in which they were looked at. */
  readonly #known = new Map<string, { readonly bucket: TokenBucket; readonly atMs: number }>();
  /** To forget one that is not full would be a way around it. */
  #others: TokenBucket | undefined;

  constructor(rate: Rate, max: number) {
    this.#rate = rate;
    this.#max = max;
    this.#fillMs = (rate.burst * 1_000) / rate.perSecond;
  }

  of(key: string, nowMs: number): TokenBucket {
    for (const [old, { atMs }] of this.#known) {
      if (nowMs - atMs < this.#fillMs) break;
      this.#known.delete(old);
    }
    const known = this.#known.get(key);
    if (known === undefined && this.#known.size >= this.#max) {
      return (this.#others ??= new TokenBucket(this.#rate, nowMs));
    }
    const bucket = known?.bucket ?? new TokenBucket(this.#rate, nowMs);
    this.#known.delete(key);
    this.#known.set(key, { bucket, atMs: nowMs });
    return bucket;
  }
}
