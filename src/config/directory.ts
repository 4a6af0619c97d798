// Making a directory and those above it, one by one. Node's own `recursive` never returns where a file system answers
// ENOENT although the parent exists (seen under /proc, the home of some users).

import { mkdirSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** Only the user's own without another mode, unless it is there already; returns what had to be made, outermost first. Throws what mkdir(2) says. */
export function makeDirectory(path: string, mode = 0o700): string[] {
  try {
    mkdirSync(path, { mode });
    return [path];
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EEXIST' && statSync(path).isDirectory()) return [];
    const parent = dirname(path);
    if (code !== 'ENOENT' || parent === path) throw error;
    const made = makeDirectory(parent, mode);
    mkdirSync(path, { mode });
    return [...made, path];
  }
}

/** Takes back what `makeDirectory` made: the last with all that is in it, those above it if nothing else has come into them. */
export function removeMade(made: readonly string[]): void {
  try {
    const [last, ...above] = made.toReversed();
    if (last !== undefined) rmSync(last, { recursive: true, force: true });
    for (const path of above) rmdirSync(path);
  } catch {
    // Somebody has put something there, or holds it open: it stays.
  }
}
