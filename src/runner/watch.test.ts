import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Watch } from './watch.ts';

const LIMIT = { timeout: 20_000 };

test('whoever answers is asked again as long as something is due, and never silent', LIMIT, async (t) => {
  const { promise: askedThrice, resolve } = Promise.withResolvers<void>();
  let asked = 0;
  let silent = 0;
  const watch = new Watch({
    ask() {
      asked += 1;
      if (asked === 3) resolve();
      queueMicrotask(() => watch.hear());
    },
    onSilent: () => (silent += 1),
  });
  t.after(() => watch.close());
  watch.expect('one', 5);
  watch.expect('other', 5);
  watch.fulfil('other');
  assert.deepEqual([watch.expects('one'), watch.expects('other')], [true, false]);
  await askedThrice;
  assert.equal(silent, 0);
});

test('whoever does not answer is silent, once, and then nothing is expected any more', LIMIT, async () => {
  const { promise: isSilent, resolve } = Promise.withResolvers<void>();
  let asked = 0;
  const watch = new Watch({ ask: () => (asked += 1), onSilent: resolve });
  watch.expect('one', 5);
  await isSilent;
  assert.equal(asked, 1);
  assert.equal(watch.expects('one'), false);
  watch.expect('late', 5);
  assert.equal(watch.expects('late'), false);
});
