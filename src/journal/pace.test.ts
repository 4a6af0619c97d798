import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { Pace } from './pace.ts';

/** So many parts of work, on a clock that the test moves. */
function aPace(t: TestContext, { count = 5, tookMs = 10, backlogBytes = 0 } = {}) {
  t.mock.timers.enable({ apis: ['setTimeout', 'setImmediate'] });
  const pace = new Pace();
  let parts = 0;
  const part = (): void => {
    parts++;
    if (parts % count === 0) pace.rest();
    else pace.next(part, { tookMs, backlogBytes });
  };
  const after = (ms: number): number => {
    t.mock.timers.tick(ms);
    return parts;
  };
  return { pace, part, after };
}

test('a part is followed by a pause of nine times as long', (t) => {
  const { pace, part, after } = aPace(t);
  pace.begin(part, false);
  assert.equal(after(0), 1);
  assert.equal(after(89), 1);
  assert.equal(after(1), 2);
  pace.begin(part, false);
  assert.equal(after(89), 2, 'more to do is no reason to hurry');
});

test('what somebody waits for is done without a pause, until all is done', (t) => {
  const { pace, part, after } = aPace(t);
  pace.begin(part, false);
  assert.equal(after(0), 1);
  pace.begin(part, true);
  assert.equal(after(0), 5);
  pace.begin(part, false);
  assert.equal(after(0), 6);
  assert.equal(after(89), 6);
});

test('a long backlog is hurried through', (t) => {
  const { pace, part, after } = aPace(t, { backlogBytes: 200_000_000 });
  pace.begin(part, false);
  assert.equal(after(0), 5);
});
