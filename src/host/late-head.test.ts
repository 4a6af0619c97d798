import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { LateHead } from './late-head.ts';

function aHead(t: TestContext, answers: (string | undefined)[] = []) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const kept: string[] = [];
  const tried: (string | undefined)[] = [];
  const keep = (hash: string) => {
    kept.push(hash);
    return answers.shift();
  };
  const head = new LateHead({ keep }, (reason) => tried.push(reason));
  return { kept, tried, head, timers: t.mock.timers };
}

test('the last of several heads is kept, once, within a second of the first', (t) => {
  const { kept, tried, head, timers } = aHead(t);
  head.keep('one');
  timers.tick(999);
  head.keep('two');
  assert.deepEqual(kept, []);
  timers.tick(1);
  assert.deepEqual([kept, tried], [['two'], [undefined]]);
  timers.tick(5_000);
  assert.deepEqual(kept, ['two']);
});

test('what waits is kept at the end, and what could not be kept is told', (t) => {
  const { kept, tried, head, timers } = aHead(t, ['the disk is full']);
  head.keep('one');
  timers.tick(1_000);
  head.keep('one');
  head.close();
  head.close();
  assert.deepEqual(
    [kept, tried],
    [
      ['one', 'one'],
      ['the disk is full', undefined],
    ],
  );
});
