import assert from 'node:assert/strict';
import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Worker } from 'node:worker_threads';
import { aDirectory } from '../../test/kit/directory.ts';
import { leaveOut } from '../../test/kit/needs.ts';
import { openSqliteJournal } from './sqlite.ts';

const LIMIT = { timeout: 60_000 };
const DESCRIPTORS = '/proc/self/fd';

/** What this process has open below a directory. */
function openBelow(directory: string): string[] {
  return readdirSync(DESCRIPTORS).flatMap((number) => {
    try {
      const path = readlinkSync(join(DESCRIPTORS, number));
      return path.startsWith(directory) ? [path] : [];
    } catch {
      return []; // the one that the list itself was read with
    }
  });
}

test('a journal that cannot be opened leaves no file open', LIMIT, async (t) => {
  if (!existsSync(DESCRIPTORS)) return leaveOut(t, 'this machine does not say what a process has open');
  const directory = aDirectory(t);
  let count = 0;
  // The second one is the reader.
  const endReader = (worker: Worker) => {
    count += 1;
    if (count === 2) void worker.terminate();
  };
  process.on('worker', endReader);
  t.after(() => process.off('worker', endReader));
  await assert.rejects(openSqliteJournal({ path: join(directory, 'journal') }), /its reader is gone: it ended$/);
  assert.deepEqual(openBelow(directory), []);
});
