import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { inDisplayOrder } from './direction.ts';
import { parseName } from './name.ts';
import { skeletonOf, skeletonsOf } from './skeleton.ts';

/** Set SEED to the number in a failing test's name to have the same run again. */
const seed = Number(process.env['SEED'] ?? process.hrtime.bigint() & 0x7fff_ffffn);

function areConfusable(one: string, other: string): boolean {
  const [a, b] = [one, other].map((text) => {
    const parsed = parseName(text);
    return 'refused' in parsed ? assert.fail(`${text}: ${parsed.refused}`) : parsed;
  });
  if (a === undefined || b === undefined || a.key === b.key) return false;
  const skeletons = skeletonsOf(b);
  return skeletonsOf(a).some((skeleton) => skeletons.includes(skeleton));
}

test('names that look alike are confusable, either way round', () => {
  const pairs: [string, string][] = [
    // The examples of UTS #39 section 4 that can be names: whole-script, mixed-script, single-script.
    ['scope', 'ѕсоре'],
    ['paypal', 'pаypаl'],
    ['søs', 'so\u0337s'],
    // ASCII among itself.
    ['paypal', 'paypa1'],
    ['web1', 'webl'],
    ['web1', 'webI'],
    ['web0', 'webO'],
    ['web0', 'webo'],
    ['modern', 'modem'],
    ['all', 'a11'],
    ['owner', '0wner'],
    // What only the shown spelling, or only capitals, give away.
    ['Ian', 'lan'],
    ['BOB', 'ВОВ'],
    ['bob', 'вов'],
    ['Server', 'Ѕеrvеr'],
    ['ｐａｙｐａｌ', 'pаypаl'],
    ['Ｉan', 'lan'],
    ['σας', 'σασ'],
    // Marks in another order of typing, and digits of other scripts.
    ['a\u0323\u0302b', '\u0430\u0302\u0323b'],
    ['web5', 'webƽ'],
    // Drawn from right to left: what stands first is read last.
    ['סן', 'lo'],
    ['اه', 'ol'],
  ];
  for (const [one, other] of pairs) {
    assert.ok(areConfusable(one, other), `${one} and ${other}`);
    assert.ok(areConfusable(other, one), `${other} and ${one}`);
  }
});

test('names that do not look alike are not confusable', () => {
  for (const [one, other] of [
    ['web1', 'web2'],
    ['bob', 'rob'],
    ['ian', 'lan'],
    ['straße', 'strasse'],
    ['Zoë', 'Zoe'],
    ['सीता', 'गीता'],
    ['Ольга', 'Олег'],
    ['סן', 'ol'],
    ['山田', '山口'],
  ] as const) {
    assert.ok(!areConfusable(one, other), `${one} and ${other}`);
  }
});

test('a name is never confusable with itself, however it is spelled', () => {
  for (const [one, other] of [
    ['lll', 'LLL'],
    ['Ian', 'iAN'],
    ['Zoe\u0308', 'ZOË'],
    ['Ｖamshi', 'vamshi'],
  ] as const) {
    assert.ok(!areConfusable(one, other), `${one} and ${other}`);
  }
});

test('a right-to-left name is compared as it is drawn', () => {
  for (const [text, drawn] of [
    ['abc', 'abc'],
    ['אבג', 'גבא'],
    ['אב12', '12בא'],
    ['א1.2ב', 'ב1.2א'],
    ['א1-2ב', 'ב1-2א'],
    ['א1_2ב', 'ב2_1א'],
    ['م1-2', '2-1م'],
    ['م1.2', '1.2م'],
    ['م٣٤', '٣٤م'],
    ['א\u05b0ב\u05b1', 'ב\u05b1א\u05b0'],
    ['א1..2ב', 'ב2..1א'],
  ] as const) {
    assert.equal(inDisplayOrder(text), drawn, text);
  }
});

test('a skeleton is of code points, in normalisation form D', () => {
  for (const [text, skeleton] of [
    ['O0Il1m', 'OOlllrn'],
    ['web-1_a.b', 'web-l_a.b'],
    ['ö', 'o\u0308'],
    ['ѕсоре', 'scope'],
  ] as const) {
    assert.equal(skeletonOf(text), skeleton, text);
  }
});

const names = fc.string({
  unit: fc.constantFrom(...Array.from('aImn01_-.éøßΣσςｶＩ한ⅣаеВאבוסןמידاه٣۳𐐀ƽ'), '\u0337', '\u05b0'),
  minLength: 1,
  maxLength: 12,
});

test(`a skeleton is its own skeleton, and every spelling of a name shares one (seed ${seed})`, () => {
  fc.assert(
    fc.property(names, (text) => {
      const parsed = parseName(text);
      if ('refused' in parsed) return;
      const skeletons = skeletonsOf(parsed);
      // Drawing reorders, so only what runs from left to right is a fixed point.
      if (inDisplayOrder(parsed.key) === parsed.key) {
        for (const skeleton of skeletons) assert.equal(skeletonOf(skeleton), skeleton);
      }
      const capitals = parseName(parsed.name.toUpperCase());
      if ('refused' in capitals || capitals.key !== parsed.key) return;
      assert.ok(skeletonsOf(capitals).some((skeleton) => skeletons.includes(skeleton)));
    }),
    { seed, numRuns: 3_000 },
  );
});
