// Ways for a command to leave something behind: out of its session, out of its parents' sight, out of its environment.

import { findHold } from '../../src/runner/hold.ts';
import { everyone } from '../../src/runner/members.ts';

/** As one word of a shell line. */
const word = (line: string): string => `'${line.replaceAll("'", `'\\''`)}'`;
const leaving = (line: string): string => `setsid sh -c ${word(line)}`;

/** Says "up", and takes neither HUP nor TERM. */
const STAYS = 'trap "" HUP TERM; echo up; exec sleep 1000 </dev/null >/dev/null 2>&1';
/** The same by somebody whose parent is gone by then. */
const ORPHAN = `(while read -r a b c parent d </proc/self/stat && [ "$parent" = $$ ]; do :; done; ${STAYS}) & exit`;

/** A daemon that has forked twice, and takes TERM. */
export const DAEMON = `${leaving(ORPHAN.replace('trap "" HUP TERM; ', ''))} & read line`;

export const ESCAPES: Readonly<Record<string, string>> = {
  'a child in a session of its own': `${leaving(STAYS)} & read line`,
  'setsid inside sh -c inside setsid': `${leaving(`sh -c ${word(leaving(STAYS))}`)} & read line`,
  'a daemon that has forked twice': `${leaving(ORPHAN)} & read line`,
  'a daemon of a daemon': `${leaving(`${leaving(ORPHAN)} & exit`)} & read line`,
};

/** Nothing in its environment says whose it is, and nobody who started it is there. */
export const UNMARKED = `env -i PATH="$PATH" ${leaving(ORPHAN)} & read line`;

/** The same, and it takes TERM. */
export const UNMARKED_DAEMON = UNMARKED.replace('trap "" HUP TERM; ', '');

/** Many at once, each in a session of its own, until there are 63 of them; then the first says "up". */
const FORKS =
  '[ "$1" -gt 0 ] && for i in 1 2; do setsid sh -c "$0" "$0" $(($1 - 1)) & done; exec sleep 1000 >/dev/null';
export const BOMB = `sh -c ${word(FORKS)} ${word(FORKS)} 5 & echo up; read line`;

/** One after the other, each gone as soon as it has started the next one, a thousand times. */
const HOPS = '[ "$1" -gt 0 ] && setsid sh -c "$0" "$0" $(($1 - 1)) & exit';
export const HOPPER = `env -i PATH="$PATH" sh -c ${word(HOPS)} ${word(HOPS)} 1000 & echo up; read line`;

/** Why what has no mark is not found here; false: it is. */
export const lacksCgroups = findHold().hold !== 'cgroup' && 'no cgroup v2 can be made here';
export const lacksMarks = findHold('mark').hold !== 'mark' && 'this machine has no /proc of Linux';

/** How many there are with the mark of that runner process in their environment; it is one of them. */
export function countMarked(mark: string): number {
  return everyone().filter(({ marks }) => marks.some((each) => each.startsWith(mark))).length;
}
