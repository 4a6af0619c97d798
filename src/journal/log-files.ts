// What the files of a log say by themselves, where no frame stands behind the damage to tell of it: that one is missing, is
// somebody else's bytes, or ends too early. Each is made to its full size and written from its beginning on.

import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { beginsFrame, claimAt, headAt, HEAD_BYTES, MAX_FRAME_MESSAGES } from './frame.ts';
import { framesOf, readSegment } from './log-reader.ts';
import { SEGMENT_BYTES, segmentPath, segmentsOf } from './segment.ts';

/** Where the file format of SQLite says how its changes are written, and that it is by a -wal. */
const WRITE_VERSION_AT = 18;
const BY_WAL = 2;

/** What is certainly wrong, in words; of a log that goes on without a gap. */
export function harmTo(path: string): string | undefined {
  const segments = segmentsOf(path);
  const first = segmentPath(path, 0);
  if (segments.length > 0 && !segments.includes(0)) return `its log is damaged: ${first} is missing`;
  // What looks so may have been written just then.
  const harmed = segments.find((segment) => isForeign(path, segment) && isForeign(path, segment));
  return harmed === undefined
    ? undefined
    : `its log is damaged: ${segmentPath(path, harmed)} does not begin as a log does`;
}

/** Neither written yet, nor a frame, whole or not and whosever it is. */
function isForeign(path: string, segment: number): boolean {
  const head = readSegment(path, { segment, from: 0, to: HEAD_BYTES });
  return head.some((byte) => byte !== 0) && head.length === HEAD_BYTES && !beginsFrame(head);
}

/** What may be wrong, in a sentence; the last id that it tells of, which was given then. */
export interface Doubt {
  readonly words: string;
  readonly upTo: number;
}

interface Doubted {
  readonly seed: number;
  /** The last message that there is. */
  readonly head: number;
  readonly isLogMissing: boolean;
  /** What an earlier start doubted, and could not make another journal of. */
  readonly noted: string | undefined;
}

/** A machine that stopped at the wrong moment leaves the same. */
export function doubtsAbout(path: string, { noted, ...doubted }: Doubted): Doubt[] {
  const found = doubtsInFiles(path, doubted);
  if (noted === undefined) return found;
  return [{ words: noted, upTo: 0 }, ...found.filter(({ words }) => !noted.includes(words))];
}

function doubtsInFiles(path: string, { seed, head, isLogMissing }: Omit<Doubted, 'noted'>): Doubt[] {
  const missing = `There is no ${segmentPath(path, 0)}: messages that were in the log alone are lost`;
  const cut = segmentsOf(path).flatMap((segment) => {
    const look = () => cutOff(path, { segment, seed, head });
    const seen = look();
    return seen !== undefined && seen.words === look()?.words ? [seen] : [];
  });
  return isLogMissing ? [{ words: missing, upTo: 0 }, ...cut] : cut;
}

/** One that is not as long as it will get was made where room was short, and grew; or it was cut. */
function cutOff(path: string, { segment, seed, head }: Pick<Doubted, 'seed' | 'head'> & { segment: number }) {
  const file = segmentPath(path, segment);
  if (statSync(file).size >= SEGMENT_BYTES) return undefined;
  const bytes = readSegment(path, { segment });
  let [end, next] = [0, 0];
  for (const frame of framesOf(bytes, seed)) [end, next] = [frame.end, frame.first + frame.count];
  const claim = claimAt(bytes, end);
  if (claim === undefined || claim.end <= bytes.length) return undefined;
  const from = claim.first ?? next;
  const last = headAt(bytes, end)?.last ?? from;
  // Nothing has checked what the head says; a frame holds so many at most.
  const upTo = last < from + MAX_FRAME_MESSAGES && from <= head + 1 ? last : 0;
  if (from > 0 && last <= head) return undefined; // all of it is there
  const which = from > 0 ? `messages from ${from} on` : 'its messages';
  const words = `${file} ends within a message, at byte ${bytes.length}: unless that was being written just then, ${which} may be lost`;
  return { words, upTo };
}

/**
 * Whether a server has had the database, and its log is not there. To be asked before it is opened to be written: a new one,
 * or a copy that `partyline backup` made, becomes such a one then.
 */
export function lacksLog(path: string): boolean {
  if (segmentsOf(path).length > 0) return false;
  try {
    const file = openSync(path, 'r');
    try {
      const version = Buffer.alloc(1);
      return readSync(file, version, 0, 1, WRITE_VERSION_AT) === 1 && version[0] === BY_WAL;
    } finally {
      closeSync(file);
    }
  } catch {
    return false; // whoever opens the database says why it cannot be read, or makes it
  }
}
