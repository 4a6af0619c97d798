// What one answer has room for.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { MAX_LISTED_BYTES } from './limits.ts';
import { fitting, fittingLast, pageOf, type Keyed } from './page.ts';

const LARGE = MAX_LISTED_BYTES / 3;

test('as many are listed as fit, from the front or from the back, and one that is too large by itself', () => {
  const items = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(LARGE));
  const letters = (some: readonly string[]) => some.map(([letter]) => letter);
  assert.deepEqual(letters(fitting(items)), ['a', 'b']);
  assert.deepEqual(letters(fittingLast(items)), ['c', 'd']);
  assert.deepEqual(letters(fitting(['x'.repeat(3 * LARGE), 'b'])), ['x']);
  // JSON writes it in six bytes.
  assert.deepEqual(fitting(['\u0001'.repeat(LARGE / 4), 'b'.repeat(LARGE * 1.5), 'c']).length, 1);
  assert.deepEqual(fitting([]), []);
});

test('what fits is given in its own order, and at once', () => {
  const all = ['c', 'a', 'b'].map((key) => ({ key, item: key }));
  assert.deepEqual(pageOf(all, undefined), { items: ['c', 'a', 'b'] });
});

test('property: pages have all that stay, once each, whoever comes and goes between them', () => {
  const names = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,4}$/), { minLength: 20, maxLength: 40 });
  fc.assert(
    fc.property(names, fc.array(fc.nat(), { minLength: 1 }), (all, chances) => {
      const [stay, others] = [all.filter((_, at) => at % 2 === 0), all.filter((_, at) => at % 2 === 1)];
      const seen: string[] = [];
      let turn = 0;
      for (let after: string | undefined, isFirst = true; isFirst || after !== undefined; isFirst = false) {
        const here = [...stay, ...others.filter((_, at) => (chances[(turn + at) % chances.length] ?? 0) % 2 === 0)];
        const keyed: Keyed<{ name: string }>[] = here.map((name) => ({
          key: name,
          item: { name: name.repeat(20_000) },
        }));
        const page = pageOf(keyed, after);
        seen.push(...page.items.map(({ name }) => name));
        after = page.next;
        turn += 1;
      }
      const missed = stay.filter((name) => seen.filter((one) => one === name.repeat(20_000)).length !== 1);
      assert.deepEqual(missed, []);
    }),
    { numRuns: 30 },
  );
});
