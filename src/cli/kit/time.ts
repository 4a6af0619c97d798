// Times as people read them: this machine's, to the second, in one form everywhere. With `--json` they stay as the server
// gives them, RFC 3339 in UTC.

import { formatDate } from '../../protocol/date.ts';

/** `YYYY-MM-DD HH:MM:SS`; what is no time, since a server may say anything, stays as it is. A number is milliseconds. */
export function localTime(at: string | number): string {
  const atMs = typeof at === 'number' ? at : Date.parse(at);
  return Number.isNaN(atMs) ? String(at) : formatDate(atMs);
}
