// Who may look at which run.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aHub, NOW } from '../../../test/kit/hub.ts';
import { MemoryJournal } from '../../journal/memory.ts';
import { parseName } from '../name.ts';
import type { Approved } from './approval.ts';
import type { Chained } from './record.ts';
import { seenBy } from './starter.ts';

const PAGE = { limit: 9, maxBytes: 99_999 };

/** Somebody else's run, which this one approved. */
function chainApproved(journal: MemoryJournal, approved: Approved): Promise<Chained> {
  const parsed = parseName('bob');
  assert.ok(!('refused' in parsed));
  const command = { kind: 'shell', line: 'cat secret' } as const;
  const setting = { cwd: undefined, env: [], hasTerminal: false };
  const starter = { by: 99, byName: parsed.name, address: '::1' };
  return new Promise((resolve) =>
    journal.chain(
      { type: 'started', run: 1, atMs: NOW, ...starter, host: 'web1', command, setting, approved },
      resolve,
    ),
  );
}

test('whoever gets the name that an approver had does not see what that one approved', async () => {
  const journal = new MemoryJournal();
  const first = await aHub({}, journal);
  const { id: member, name: by } = first.owner().member;
  await chainApproved(journal, { by, member, hash: 'a'.repeat(64) });
  const later = new MemoryJournal({ after: journal });
  const second = await aHub({ ownerName: 'boss' }, later);
  const other = second.comeAs(await second.account('owner', 'operator')).session;
  assert.equal(other.member.name, by);
  const seeing = seenBy(other, second.hub);
  assert.equal(await later.run({ id: 1, ...seeing }), undefined);
  assert.deepEqual((await later.runs({ ...seeing, ...PAGE })).runs, []);
});

test('whoever approved a run sees it', async () => {
  const journal = new MemoryJournal();
  const house = await aHub({}, journal);
  const eve = house.comeAs(await house.account('eve', 'operator')).session;
  const { id: member, name: by } = eve.member;
  await chainApproved(journal, { by, member, hash: 'a'.repeat(64) });
  assert.equal((await journal.run({ id: 1, ...seenBy(eve, house.hub) }))?.approved?.by, 'eve');
});
