import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Place } from '../../core/run/policy.ts';
import { CONFIRM_MS, Confirmation } from './confirmation.ts';

const WISH = { targets: 'web*', command: 'uptime' };
const some = (count: number): Place[] =>
  Array.from({ length: count }, (_, index) => ({ name: `web${index + 1}`, runner: undefined }));

test('names that are written out are not listed, a pattern is, and many or all wait for their count', () => {
  const confirmation = new Confirmation(() => 0);
  const show = (count: number, reach: 'names' | 'pattern' | 'all') =>
    confirmation.show(WISH, { places: some(count), reach });
  assert.deepEqual(show(10, 'names'), { words: '', waits: false });
  assert.deepEqual(show(2, 'pattern'), { words: '2 machines, 2 of them offline: web[1-2]\n', waits: false });
  assert.equal(confirmation.drop(), undefined);
  for (const [count, reach] of [
    [11, 'names'],
    [11, 'pattern'],
  ] as const) {
    const words = '11 machines, 11 of them offline: web[1-11]\nType confirm 11 within 60 s to run it on all of them\n';
    assert.deepEqual(show(count, reach), { words, waits: true });
  }
  const one = '1 machine, 1 of them offline: web1\nType confirm 1 within 60 s to run it there\n';
  assert.deepEqual(show(1, 'all'), { words: one, waits: true });
  assert.equal(confirmation.drop(), '1 machine was not confirmed; nothing was started');
});

test('it is said yes to once, by the right count, and within its time', () => {
  let nowMs = 0;
  const confirmation = new Confirmation(() => nowMs);
  const show = () => confirmation.show(WISH, { places: some(11), reach: 'pattern' });
  assert.equal(confirmation.confirm(11), 'no command waits for it');
  show();
  nowMs += CONFIRM_MS;
  const confirmed = confirmation.confirm(11);
  assert.deepEqual(typeof confirmed === 'string' ? confirmed : confirmed.wish, WISH);
  assert.equal(confirmation.confirm(11), 'no command waits for it');
  show();
  assert.equal(confirmation.confirm(10), '11 machines are meant, not 10; nothing was started');
  assert.equal(confirmation.confirm(11), 'no command waits for it');
  show();
  nowMs += CONFIRM_MS + 1;
  assert.equal(confirmation.confirm(11), 'it was to be typed within 60 s; nothing was started');
});
