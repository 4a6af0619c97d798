// What an operating system error says, whatever was thrown.

import { getSystemErrorMessage } from 'node:util';

/** Such as `ENOENT`; empty for what is not an error of the system. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** In the system's words, without Node's: `permission denied`. */
export function wordsFor(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'errno' in error && typeof error.errno === 'number' ? getSystemErrorMessage(error.errno) : error.message;
}
