// A process that writes a journal as fast as it can and tells every id that it was answered, until it is killed. It writes so
// many and then waits for that: whoever is to kill it may be slow.

import { openSqliteJournal } from '../../src/journal/sqlite.ts';
import { aMessage, anAccount, record } from '../contracts/journal.ts';

/** Messages asked for and not answered. */
const AHEAD = 200;

const [path = '', most = 'Infinity'] = process.argv.slice(2);
let left = Number(most);
const { journal, everything } = await openSqliteJournal({ path });
if (everything.head === 0 && everything.accounts.length === 0) {
  await record(
    journal,
    { type: 'account-added', account: anAccount(1, 'Bob') },
    { type: 'account-added', account: anAccount(2, 'Eve') },
  );
}
function write(): void {
  if (left === 0) return;
  left -= 1;
  journal.append(aMessage({ text: `some words at ${process.hrtime.bigint()}` }), (appended) => {
    if (appended.result !== 'new') throw new Error(JSON.stringify(appended));
    process.send?.(appended.id);
    write();
  });
}
for (let at = 0; at < AHEAD; at++) write();
// Whoever is to kill it finds it here, or is gone.
process.on('message', () => {});
