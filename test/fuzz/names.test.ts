// Names by exhaustion: a second and a half, too long for every save.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseName } from '../../src/core/name.ts';

test('every code point alone: what is accepted is a letter, a mark, a digit, `_`, and its key is its own key', () => {
  let accepted = 0;
  for (let codePoint = 0; codePoint <= 0x10ffff; codePoint++) {
    const text = String.fromCodePoint(codePoint);
    const parsed = parseName(text, { maxCodePoints: 4 });
    if ('refused' in parsed) continue;
    accepted++;
    assert.match(parsed.key, /^(?:[\p{L}\p{M}\p{Nd}_]|\u3007)+$/u);
    const reparsed = parseName(parsed.key, { maxCodePoints: 4 });
    const again = 'refused' in reparsed ? reparsed.refused : reparsed.key;
    assert.equal(again, parsed.key, `U+${codePoint.toString(16)}`);
  }
  assert.ok(accepted > 100_000, `only ${accepted} code points accepted`);
});
