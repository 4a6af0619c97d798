// How much of what was refused goes on record: whoever tries doors is to be seen, and must not fill a disk with it. What is
// over an account's share is counted, and one record a minute says how much that was.

import type { MemberId } from '../journal.ts';
import { TokenBucket, type Rate } from '../rate.ts';
import { beginningOf } from './beginning.ts';
import type { RunRefused } from './record.ts';

/**
 * Bytes of refused attempts of one account: a command on a thousand machines that are all away is on record whole, four times;
 * somebody who goes on for a day comes to some 90 MB.
 */
export const REFUSED_BYTES: Rate = { perSecond: 1_024, burst: 4_194_304 };
/** What an entry takes beside its command and its names: hash, index, who and when. */
const ENTRY_BYTES = 1_024;
/** What was left out so long is said in one record. */
export const LEFT_OUT_MS = 60_000;
/** Of the last one that was left out, which that record shows, UTF-16 units of its command, and names. */
const SHOWN_COMMAND_LENGTH = 1_024;
const SHOWN_NAMES = 8;

interface Share {
  readonly bytes: TokenBucket;
  leftOut: { readonly sinceMs: number; count: number; last: RunRefused } | undefined;
}

export class Refusals {
  /** Of accounts that have not their whole share. */
  readonly #shares = new Map<MemberId, Share>();

  /** Whether it is to be put on record; otherwise it is counted. */
  take(entry: RunRefused): boolean {
    const share = this.#shareOf(entry);
    if (share.leftOut !== undefined) {
      share.leftOut.count += 1;
      share.leftOut.last = entry;
      return false;
    }
    if (share.bytes.take(entry.atMs, sizeOf(entry)) === 0) return true;
    share.leftOut = { sinceMs: entry.atMs, count: 1, last: entry };
    return false;
  }

  #shareOf({ by, atMs }: RunRefused): Share {
    const found = this.#shares.get(by);
    if (found !== undefined) return found;
    const share = { bytes: new TokenBucket(REFUSED_BYTES, atMs), leftOut: undefined };
    this.#shares.set(by, share);
    return share;
  }

  /** What is to be put on record for those that were left out; to be called now and then, and with `Infinity` at the end. */
  due(nowMs: number): RunRefused[] {
    const due: RunRefused[] = [];
    for (const [account, share] of this.#shares) {
      const { leftOut } = share;
      // A clock that was set back must not keep them for ever.
      if (leftOut !== undefined && Math.abs(nowMs - leftOut.sinceMs) >= LEFT_OUT_MS) {
        due.push(shortened(leftOut.last, leftOut.count - 1));
        share.leftOut = undefined;
      }
      const isWhole = share.bytes.waitMs(nowMs, REFUSED_BYTES.burst) === 0;
      if (share.leftOut === undefined && isWhole) this.#shares.delete(account);
    }
    return due;
  }
}

function sizeOf({ command, hosts, setting }: RunRefused): number {
  return ENTRY_BYTES + JSON.stringify([command, hosts, setting]).length;
}

function shortened(last: RunRefused, leftOut: number): RunRefused {
  const { command, hosts, setting } = last;
  const shown = { command: beginningOf(command, SHOWN_COMMAND_LENGTH), hosts: hosts.slice(0, SHOWN_NAMES) };
  return { ...last, ...shown, setting: { ...setting, env: setting.env.slice(0, SHOWN_NAMES) }, leftOut };
}
