// Directories of a test's own, under the system's temporary directory, gone with the test.

import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Cleanup {
  after(undo: () => void | Promise<void>): void;
}

export function newDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'partyline-test-'));
}

/**
 * A server that is killed leaves a runner process for some milliseconds more, and that one a mkfifo(1) that may be
 * making pipes: what appears while the directory is being removed is removed again, for at most 6 s.
 */
export async function removeDirectory(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true, maxRetries: 15, retryDelay: 50 });
}

/** Ask for it after whatever has processes that use it: what comes last goes last. */
export function aDirectory(t: Cleanup): string {
  const path = newDirectory();
  t.after(() => removeDirectory(path));
  return path;
}
