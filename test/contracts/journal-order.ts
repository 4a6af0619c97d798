// What every journal promises about the order of what it is asked, and about its end.

import assert from 'node:assert/strict';
import { aMessage, append, EVE, type Holds, MUCH, record } from './journal.ts';

export function holdsItsOrder(holds: Holds): void {
  holds('nothing is answered before the call returns, and all in the order of the calls', async ({ journal }) => {
    const answered: number[] = [];
    const recorded: number[] = [];
    for (let at = 0; at < 300; at++) {
      if (at % 3 === 0) journal.append(aMessage(), () => answered.push(at));
      else if (at % 3 === 1) journal.settle(() => answered.push(at));
      else journal.record([], () => recorded.push(at));
    }
    assert.deepEqual([answered, recorded], [[], []]);
    await new Promise<void>((resolve) => journal.settle(resolve));
    await record(journal);
    const all = [...Array(300).keys()];
    assert.deepEqual(
      answered,
      all.filter((at) => at % 3 !== 2),
    );
    assert.deepEqual(
      recorded,
      all.filter((at) => at % 3 === 2),
    );
  });

  holds('settle alone is answered, and not before it returns', async ({ journal }) => {
    let isSettled = false;
    const settled = new Promise<void>((resolve) => {
      journal.settle(() => {
        isSettled = true;
        resolve();
      });
    });
    assert.equal(isSettled, false);
    await settled;
  });

  holds('ids are 1, 2, 3 in the order of the calls', async ({ journal }) => {
    const appended = await Promise.all([...Array(50).keys()].map((at) => append(journal, aMessage({ text: `${at}` }))));
    assert.deepEqual(
      appended,
      [...Array(50).keys()].map((at) => ({ result: 'new', id: at + 1 })),
    );
  });

  holds('what was asked before a close is answered before it, and afterwards nothing is kept', async ({ journal }) => {
    const answered: string[] = [];
    journal.append(aMessage(), ({ result }) => answered.push(result));
    const feed = journal.feed({ member: EVE, since: 0, after: 0, upTo: 1, ...MUCH }).then(() => answered.push('feed'));
    await journal.close();
    await feed;
    assert.deepEqual(answered.toSorted(), ['feed', 'new']);
    assert.deepEqual(await append(journal, aMessage()), { result: 'failed', reason: 'the journal is closed' });
    await assert.rejects(journal.history({ member: EVE, since: 0, ...MUCH }), /closed$/);
    await journal.close();
  });
}
