// Making sure that a file, or the names in a directory, are there after a power cut.

import { closeSync, fsyncSync, openSync } from 'node:fs';

export function syncPath(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
