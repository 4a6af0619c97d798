// Making a directory and those above it, one by one. Node's own `recursive` never returns where a file system answers
// ENOENT although the parent exists (seen under /proc, the home of some users).

import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** Only the user's own, unless it is there already. Throws what mkdir(2) says. */
export function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EEXIST' && statSync(path).isDirectory()) return;
    const parent = dirname(path);
    if (code !== 'ENOENT' || parent === path) throw error;
    makeDirectory(parent);
    mkdirSync(path, { mode: 0o700 });
  }
}
