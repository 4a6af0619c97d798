// How much of what was refused goes on record: whoever tries doors is to be seen, and must not fill a disk with it. What is
// over an account's share is counted, and one record a minute says how much that was.

import type { MemberId } from '../journal.ts';
import type { Rate } from '../rate.ts';
import type { AskedCommand } from './policy.ts';
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
  bytes: number;
  atMs: number;
  leftOut: { readonly sinceMs: number; count: number; last: RunRefused } | undefined;
}

export class Refusals {
  /** Of accounts that have not their whole share. */
  readonly #shares = new Map<MemberId, Share>();

  /** Whether it is to be put on record; otherwise it is counted. */
  take(entry: RunRefused): boolean {
    const share = this.#shares.get(entry.by) ?? { bytes: REFUSED_BYTES.burst, atMs: entry.atMs, leftOut: undefined };
    this.#shares.set(entry.by, share);
    refill(share, entry.atMs);
    const bytes = sizeOf(entry);
    if (share.leftOut !== undefined) {
      share.leftOut.count += 1;
      share.leftOut.last = entry;
      return false;
    }
    if (bytes > share.bytes) {
      share.leftOut = { sinceMs: entry.atMs, count: 1, last: entry };
      return false;
    }
    share.bytes -= bytes;
    return true;
  }

  /** What is to be put on record for those that were left out; to be called now and then, and with `Infinity` at the end. */
  due(nowMs: number): RunRefused[] {
    const due: RunRefused[] = [];
    for (const [account, share] of this.#shares) {
      refill(share, nowMs);
      const { leftOut } = share;
      // A clock that was set back must not keep them for ever.
      if (leftOut !== undefined && Math.abs(nowMs - leftOut.sinceMs) >= LEFT_OUT_MS) {
        due.push(shortened(leftOut.last, leftOut.count - 1));
        share.leftOut = undefined;
      }
      if (share.leftOut === undefined && share.bytes >= REFUSED_BYTES.burst) this.#shares.delete(account);
    }
    return due;
  }
}

/** A clock set back gives nothing and takes nothing. */
function refill(share: Share, nowMs: number): void {
  const elapsedMs = Math.max(0, nowMs - share.atMs);
  share.atMs = nowMs;
  share.bytes = Math.min(REFUSED_BYTES.burst, share.bytes + (elapsedMs * REFUSED_BYTES.perSecond) / 1_000);
}

function sizeOf({ command, hosts, setting }: RunRefused): number {
  return ENTRY_BYTES + JSON.stringify([command, hosts, setting]).length;
}

function shortened(last: RunRefused, leftOut: number): RunRefused {
  const { command, hosts, setting } = last;
  const shown = { command: beginningOf(command), hosts: hosts.slice(0, SHOWN_NAMES) };
  return { ...last, ...shown, setting: { ...setting, env: setting.env.slice(0, SHOWN_NAMES) }, leftOut };
}

function beginningOf(command: AskedCommand): AskedCommand {
  if (command.kind === 'shell') return { ...command, line: command.line.slice(0, SHOWN_COMMAND_LENGTH) };
  const words = command.kind === 'argv' ? command.argv : command.args;
  const shown: string[] = [];
  let left = SHOWN_COMMAND_LENGTH;
  for (const word of words) {
    if (left <= 0) break;
    shown.push(word.slice(0, left));
    left -= word.length + 1;
  }
  return command.kind === 'argv' ? { ...command, argv: shown } : { ...command, args: shown };
}
