import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aMessage, append, record } from '../../test/contracts/journal.ts';
import { journalContract } from '../../test/contracts/journal-contract.ts';
import { MemoryJournal } from './memory.ts';

function opened(journal: MemoryJournal) {
  return { journal, everything: journal.everything };
}

journalContract(async () => {
  const journal = new MemoryJournal();
  return {
    ...opened(journal),
    reopen: async () => {
      await journal.close();
      return opened(new MemoryJournal({ after: journal }));
    },
  };
});

test('a copy that takes its place is another journal', async () => {
  const journal = new MemoryJournal();
  await append(journal, aMessage());
  const { everything } = new MemoryJournal({ after: journal, isRestored: true });
  assert.equal(everything.head, 1);
  assert.notEqual(everything.journalId, journal.everything.journalId);
});

test('it fails when it is told to, says so, and recovers with the next write', async () => {
  const journal = new MemoryJournal();
  journal.failWith('the disk is full');
  assert.deepEqual(await append(journal, aMessage()), { result: 'failed', reason: 'the disk is full' });
  assert.deepEqual(await record(journal), { failed: 'the disk is full' });
  assert.deepEqual(journal.health, { state: 'failing', reason: 'the disk is full' });
  journal.recover();
  assert.equal(journal.health.state, 'failing');
  assert.deepEqual(await append(journal, aMessage()), { result: 'new', id: 1 });
  assert.deepEqual(journal.health, { state: 'ok' });
});
