import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { MAX_HOST_NAME_CODE_POINTS, type NameRefusal, parseName } from './name.ts';

/** Set SEED to the number in a failing test's name to have the same run again. */
const seed = Number(process.env['SEED'] ?? process.hrtime.bigint() & 0x7fff_ffffn);

/** The key of an accepted name, or the refusal's code. */
function keyOf(text: string, maxCodePoints?: number): string {
  const parsed = parseName(text, maxCodePoints === undefined ? {} : { maxCodePoints });
  return 'refused' in parsed ? `refused: ${parsed.refused}` : parsed.key;
}

function refusalOf(text: string): NameRefusal {
  const parsed = parseName(text);
  assert.ok('refused' in parsed, `${JSON.stringify(text)} was accepted`);
  return parsed;
}

test('names of every script are accepted, with the key they are compared by', () => {
  const accepted: [string, string][] = [
    ['Vamshi', 'vamshi'],
    ['vamshi', 'vamshi'],
    ['web-1.example_com', 'web-1.example_com'],
    ['_', '_'],
    ['0', '0'],
    ['straße', 'straße'],
    ['STRASSE', 'strasse'],
    ['Zoë', 'zoë'],
    ['Zoe\u0308', 'zo\u00eb'],
    ['ΣΑΣ', 'σας'],
    ['σασ', 'σασ'],
    ['İstanbul', 'i̇stanbul'],
    ['ISTANBUL', 'istanbul'],
    ['ı', 'ı'],
    ['Ｖａｍｓｈｉ', 'vamshi'],
    ['ａ．ｂ＿１', 'a.b_1'],
    ['ｶﾞ', 'ガ'],
    ['Ольга', 'ольга'],
    ['वम्शी', 'वम्शी'],
    ['ஜானகி', 'ஜானகி'],
    ['山田〇', '山田〇'],
    ['한글', '한글'],
    ['\u1112\u1161\u11ab', '한'],
    ['Ꭰ', 'ꭰ'],
    ['𐐀', '𐐨'],
    ['१२३', '१२३'],
    ['שלום', 'שלום'],
    ['שָׁלוֹם', 'שָׁלוֹם'.normalize('NFC')],
    ['שלום-1', 'שלום-1'],
    ['محمد', 'محمد'],
    ['محمد٣', 'محمد٣'],
    ['فرهاد۳', 'فرهاد۳'],
    ['ab\u0301', 'ab\u0301'],
    ['\u212a', 'k'],
  ];
  for (const [text, key] of accepted) assert.equal(keyOf(text), key, JSON.stringify(text));
});

test('what is not a name is refused, with the code point that is to blame', () => {
  const refused: [string, NameRefusal][] = [
    ['', { refused: 'empty' }],
    ['-x', { refused: 'bad-start', codePoint: 0x2d }],
    ['.x', { refused: 'bad-start', codePoint: 0x2e }],
    ['－x', { refused: 'bad-start', codePoint: 0xff0d }],
    ['a b', { refused: 'bad-character', codePoint: 0x20 }],
    [' a', { refused: 'bad-character', codePoint: 0x20 }],
    ['a\u3000b', { refused: 'bad-character', codePoint: 0x3000 }],
    ['a:', { refused: 'bad-character', codePoint: 0x3a }],
    ['a！', { refused: 'bad-character', codePoint: 0xff01 }],
    ['#ops', { refused: 'bad-character', codePoint: 0x23 }],
    ['a/b', { refused: 'bad-character', codePoint: 0x2f }],
    ['🙄', { refused: 'bad-character', codePoint: 0x1f644 }],
    ['a\u200db', { refused: 'bad-character', codePoint: 0x200d }],
    ['क\u094d\u200cष', { refused: 'bad-character', codePoint: 0x200c }],
    ['a\u202eb', { refused: 'bad-character', codePoint: 0x202e }],
    ['a\ufe0f', { refused: 'bad-character', codePoint: 0xfe0f }],
    ['a\u034fb', { refused: 'bad-character', codePoint: 0x34f }],
    ['\u115f', { refused: 'bad-character', codePoint: 0x115f }],
    ['\u3164', { refused: 'bad-character', codePoint: 0x3164 }],
    ['\uffa0', { refused: 'bad-character', codePoint: 0xffa0 }],
    ['\u1112', { refused: 'bad-character', codePoint: 0x1112 }],
    ['\u00b7', { refused: 'bad-character', codePoint: 0xb7 }],
    ['ﬁn', { refused: 'bad-character', codePoint: 0xfb01 }],
    ['𝐚', { refused: 'bad-character', codePoint: 0x1d41a }],
    ['x²', { refused: 'bad-character', codePoint: 0xb2 }],
    ['Ⅳ', { refused: 'bad-character', codePoint: 0x2163 }],
    ['ſ', { refused: 'bad-character', codePoint: 0x17f }],
    ['\u01c5', { refused: 'bad-character', codePoint: 0x1c5 }],
    ['a\u20dd', { refused: 'bad-character', codePoint: 0x20dd }],
    ['\ufe8d', { refused: 'bad-character', codePoint: 0xfe8d }],
    ['\ud800', { refused: 'bad-character', codePoint: 0xd800 }],
    ['\u0378', { refused: 'bad-character', codePoint: 0x378 }],
    ['\ue000', { refused: 'bad-character', codePoint: 0xe000 }],
    ['م\u0640د', { refused: 'bad-character', codePoint: 0x640 }],
    ['\u07ca\u07fa', { refused: 'bad-character', codePoint: 0x7fa }],
    ['か\u3031', { refused: 'bad-character', codePoint: 0x3031 }],
    ['か\u303b', { refused: 'bad-character', codePoint: 0x303b }],
    ['한\u302e', { refused: 'bad-character', codePoint: 0x302e }],
    ['م٣۳', { refused: 'bad-character', codePoint: 0x6f3 }],
    ['aשלום', { refused: 'bad-direction' }],
    ['שלוםa', { refused: 'bad-direction' }],
    ['1שלום', { refused: 'bad-direction' }],
    ['שלום-', { refused: 'bad-direction' }],
    ['٣', { refused: 'bad-direction' }],
    ['م1٣', { refused: 'bad-direction' }],
    ['\u05b0ש', { refused: 'bad-direction' }],
  ];
  for (const [text, refusal] of refused) assert.deepEqual(refusalOf(text), refusal, JSON.stringify(text));
});

test('every control character is refused wherever it stands', () => {
  const controls = [0x7f, 0x2028, 0x2029];
  for (let code = 0; code < 0x20; code++) controls.push(code, code + 0x80);
  for (const codePoint of controls) {
    const character = String.fromCodePoint(codePoint);
    for (const text of [character, `${character}a`, `a${character}`, `é${character}`]) {
      assert.deepEqual(refusalOf(text), { refused: 'bad-character', codePoint });
    }
  }
});

test('the first spelling is shown, in normalisation form C, width and case untouched', () => {
  for (const [text, shown] of [
    ['Vamshi', 'Vamshi'],
    ['Zoe\u0308', 'Zo\u00eb'],
    ['Ｖａｍｓｈｉ', 'Ｖａｍｓｈｉ'],
  ] as const) {
    const parsed = parseName(text);
    assert.ok('name' in parsed && parsed.name === shown, text);
  }
});

test('a name has 1 to 32 code points after normalisation, a host up to 253', () => {
  assert.equal(keyOf('a'.repeat(32)), 'a'.repeat(32));
  assert.equal(keyOf('e\u0301'.repeat(32)), 'é'.repeat(32));
  assert.equal(keyOf('𐐀'.repeat(32)), '𐐨'.repeat(32));
  assert.deepEqual(refusalOf('a'.repeat(33)), { refused: 'too-long', codePoints: 33, maxCodePoints: 32 });
  assert.deepEqual(refusalOf('é'.repeat(33)), { refused: 'too-long', codePoints: 33, maxCodePoints: 32 });
  assert.equal(keyOf('a'.repeat(253), MAX_HOST_NAME_CODE_POINTS), 'a'.repeat(253));
  assert.equal(keyOf('a'.repeat(254), MAX_HOST_NAME_CODE_POINTS), 'refused: too-long');
});

// Names as people mix them: a few scripts, marks, both widths, digits of several sets, and what is forbidden.
const pieces = fc.constantFrom(
  ...Array.from('aZ0_-.éßİıΣσςｶﾞＡ．한가ᄒⅣאבשּׁ٣۳मيمد़Ꭰ𐐀'),
  '\u0308',
  '\u0345',
  '\u05b0',
  '\u200d',
  '\u1161',
);
const texts = fc.oneof(
  fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join('')),
  fc.string({ unit: 'binary', maxLength: 12 }),
);

test(`a key is its own key, and a shown name keeps its key (seed ${seed})`, () => {
  fc.assert(
    fc.property(texts, (text) => {
      const parsed = parseName(text, { maxCodePoints: 64 });
      if ('refused' in parsed) return;
      assert.equal(keyOf(parsed.key, 64), parsed.key);
      assert.deepEqual(parseName(parsed.name, { maxCodePoints: 64 }), parsed);
    }),
    { seed, numRuns: 5000 },
  );
});

test(`canonically equivalent spellings are judged alike (seed ${seed})`, () => {
  fc.assert(
    fc.property(texts, (text) => assert.deepEqual(parseName(text.normalize('NFD')), parseName(text))),
    { seed, numRuns: 5000 },
  );
});
