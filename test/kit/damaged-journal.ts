// A log that holds what its database has not got, frame by frame, and harm to it.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { headOf, identityOf } from '../../src/journal/database.ts';
import { HEAD_BYTES, seedOf } from '../../src/journal/frame.ts';
import type { PackedMessage } from '../../src/journal/wire.ts';
import { oldFrame, sealedFrame } from './frames.ts';

/** Where a frame is. */
export interface Place {
  readonly file: string;
  readonly from: number;
  readonly to: number;
}

export interface Logged {
  readonly path: string;
  readonly frames: ReadonlyMap<string, Place>;
}

/** Bytes of a frame here at most. */
const MAX_FRAME_BYTES = 10_000;

/**
 * Writes the log of a closed journal anew: a frame of two messages to this member for each word of a segment, `WORD ID`, the
 * second one with a resend key, `key ID`. `isOld`: as an older program wrote them.
 */
export function writeLog(
  path: string,
  member: number,
  { segments, isOld = false }: { readonly segments: readonly (readonly string[])[]; readonly isOld?: boolean },
): Logged {
  const database = new DatabaseSync(path, { readOnly: true });
  const [seed, head] = [seedOf(identityOf(database)), headOf(database)];
  database.close();
  let first = head + 1;
  const frames = new Map<string, Place>();
  for (const [segment, words] of segments.entries()) {
    const file = `${path}-log-${segment}`;
    // As one that was made ahead: zeros where nothing was written.
    const bytes = Buffer.alloc(words.length * MAX_FRAME_BYTES);
    let at = 0;
    for (const word of words) {
      const say = (id: number) => [1_000, 1, 'Bob', 'singlecast', ['Eve'], `${word} ${id}`, [member]] as const;
      const messages: PackedMessage[] = [say(first), [...say(first + 1), [`key ${first + 1}`, 'digest']]];
      const frame = (isOld ? oldFrame : sealedFrame)(first, messages, seed);
      frame.copy(bytes, at);
      frames.set(word, { file: basename(file), from: at, to: at + frame.length });
      at += frame.length;
      first += 2;
    }
    writeFileSync(file, bytes);
  }
  return { path, frames };
}

/** Overwrites some bytes of a frame: near its end, or its head. */
export function damageFrame({ path, frames }: Logged, word: string, { isHead = false } = {}): Place {
  const place = frames.get(word);
  assert.ok(place !== undefined);
  const file = join(dirname(path), place.file);
  const bytes = readFileSync(file);
  if (isHead) bytes.fill(0xa5, place.from, place.from + HEAD_BYTES);
  else bytes.fill(0xa5, place.to - 6, place.to - 2);
  writeFileSync(file, bytes);
  return place;
}
