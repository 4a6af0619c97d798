// A journal that is made another one, and what prevents that or comes between.

import assert from 'node:assert/strict';
import fs, { truncateSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { mock, test, type TestContext } from 'node:test';
import { aMessage, append } from '../../test/contracts/journal.ts';
import { aDirectory } from '../../test/kit/directory.ts';
import { sealedFrame } from '../../test/kit/frames.ts';
import { copyAsKilled } from '../../test/kit/held-journal.ts';
import {
  aKilledJournal,
  ALL,
  becomesAnother,
  endsIn,
  goesOn,
  identityAt,
  opened,
  TEXT,
} from '../../test/kit/killed-journal.ts';
import { backupJournal } from './backup.ts';
import { seedOf } from './frame.ts';
import { openSqliteJournal } from './sqlite.ts';
import { lostFrom, verifyJournal } from './verify.ts';

const LIMIT = { timeout: 60_000 };

/** A killed journal with a second file, which ends within message 5, and a third one; the doubt about that. */
async function aKilledJournalOfSeveralFiles(t: TestContext): Promise<{ path: string; doubt: string }> {
  const { path } = await aKilledJournal(t);
  const seed = seedOf(identityAt(path));
  const said = (id: number) => sealedFrame(id, [[1_000, 1, 'Bob', 'singlecast', ['Eve'], TEXT, [2]]], seed);
  const [whole, cut] = [said(4), said(5).subarray(0, -10)];
  writeFileSync(`${path}-log-1`, Buffer.concat([whole, cut]));
  writeFileSync(`${path}-log-2`, '');
  const size = whole.length + cut.length;
  const doubt = `${path}-log-1 ends within a message, at byte ${size}: unless that was being written just then, messages from 5 on may be lost`;
  return { path, doubt };
}

interface Step {
  readonly step: 'chmodSync' | 'unlinkSync' | 'ftruncateSync' | 'fsyncSync';
  /** So many of them are passed over. */
  readonly after: number;
}

/** What is done to files of the log while such a journal is made another one. */
const STEPS = [
  { step: 'unlinkSync', after: 0 },
  { step: 'unlinkSync', after: 1 },
  { step: 'ftruncateSync', after: 0 },
  { step: 'fsyncSync', after: 0 },
] as const satisfies readonly Step[];

/** Does this once, when the step is tried of a file. */
async function at<T>({ step, after }: Step, action: () => void, during: () => Promise<T>): Promise<T> {
  const real: (...given: never[]) => void = fs[step];
  let left = after;
  const replaced = mock.method(fs, step, (...given: never[]) => {
    // Directories are synced as well.
    const isWanted = step !== 'fsyncSync' || fs.fstatSync(Number(given[0])).isFile();
    if (isWanted && left-- === 0) action();
    return real(...given);
  });
  syncBuiltinESMExports();
  try {
    const result = await during();
    assert.ok(left < 0, `${step} was not tried`);
    return result;
  } finally {
    replaced.mock.restore();
    syncBuiltinESMExports();
  }
}

for (const step of STEPS) {
  const where = `${step.step} ${step.after + 1}`;
  test(
    `a journal that cannot be made another one, for ${where} fails, is opened all the same, and is later`,
    LIMIT,
    async (t) => {
      const { path, doubt } = await aKilledJournalOfSeveralFiles(t);
      const before = identityAt(path);
      const fail = () => {
        throw Object.assign(new Error('EIO'), { code: 'EIO' });
      };
      await at(step, fail, async () => {
        const outcome =
          'The journal goes on with message 6, and ids that clients know count until a later start makes it another one, which this one could not: the disk fails';
        assert.deepEqual(await opened(path), { head: 5, doubts: [`${doubt}. ${outcome}`] });
      });
      assert.equal(identityAt(path), before);
      assert.deepEqual(await verifyJournal(path), [doubt]);
      await becomesAnother(path, { doubts: [doubt], texts: 4, next: 6 });
    },
  );

  test(
    `a journal that is being made another one when the server is killed at ${where} becomes it later`,
    LIMIT,
    async (t) => {
      const { path, doubt } = await aKilledJournalOfSeveralFiles(t);
      const killed = join(aDirectory(t), 'journal');
      await at(
        step,
        () => copyAsKilled(path, killed),
        async () => assert.deepEqual(await opened(path), { head: 5, doubts: [`${doubt}. ${goesOn(6)}`] }),
      );
      assert.deepEqual(await verifyJournal(killed), [doubt]);
      const copy = `${killed}.copy`;
      await backupJournal(killed, copy);
      await becomesAnother(copy, { doubts: [doubt], texts: 4, next: 6 });
      await becomesAnother(killed, { doubts: [doubt], texts: 4, next: 6 });
    },
  );
}

test(
  'what was said after a start that could not make it another journal is there in the other one',
  LIMIT,
  async (t) => {
    const { path, doubt } = await aKilledJournalOfSeveralFiles(t);
    const fail = () => {
      throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
    };
    await at(STEPS[0], fail, async () => {
      const { journal } = await openSqliteJournal({ path });
      assert.deepEqual(await append(journal, aMessage({ text: 'meanwhile' })), { result: 'new', id: 6 });
      await journal.close();
    });
    assert.deepEqual(await opened(path), { head: 6, doubts: [`${doubt}. ${goesOn(7)}`] });
    const { journal } = await openSqliteJournal({ path });
    const { messages } = await journal.history(ALL);
    await journal.close();
    assert.deepEqual(
      messages.map(({ id }) => id),
      [1, 2, 3, 4, 6],
    );
  },
);

test('where not even that can be written down, ids may be given again', LIMIT, async (t) => {
  const { path, log } = await aKilledJournal(t);
  const size = Number(endsIn(path)[2]) - 10;
  truncateSync(log, size);
  const fail = () => {
    throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
  };
  const { head, doubts } = await at({ step: 'chmodSync', after: 0 }, fail, () => opened(path));
  assert.match(
    doubts.join(),
    /Their ids may be given again, for it cannot be made another journal: .*: the disk is full$/,
  );
  assert.equal(head, 2);
  assert.deepEqual(lostFrom(path), []);
});
