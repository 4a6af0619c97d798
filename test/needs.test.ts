// What a test needs and the machine lacks: left out with a sentence, and never where CI is set.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { needs } from './kit/needs.ts';
import { hasProc } from './kit/proc.ts';

/** Sets the variable CI for this test alone. */
function setCI(t: TestContext, value: string): void {
  const { CI: before } = process.env;
  t.after(() => {
    if (before === undefined) delete process.env['CI'];
    else process.env['CI'] = before;
  });
  process.env['CI'] = value;
}

test('a program or a /proc that is missing leaves a test out, with the reason', (t) => {
  setCI(t, '');
  const skip = t.mock.fn<(reason?: string) => void>();
  assert.equal(needs({ skip }, ['no-such-program']), false);
  assert.equal(hasProc({ skip }, '/no-such-proc'), false);
  assert.deepEqual(
    skip.mock.calls.map((call) => call.arguments),
    [['this machine lacks the program no-such-program'], ['this machine lacks Linux’s /proc']],
  );
});

test('where CI is set the same is a failure', (t) => {
  setCI(t, 'true');
  const why = /^Error: this machine lacks .*, and nothing may be left out where CI is set$/;
  assert.throws(() => needs(t, ['no-such-program']), why);
  assert.throws(() => hasProc(t, '/no-such-proc'), why);
});
