import assert from 'node:assert/strict';
import { test } from 'node:test';
import { escapeControls } from '../../protocol/text.ts';
import { jsonLine } from './json-line.ts';

test('every code unit comes back from the line, and none in it drives a terminal', () => {
  for (let code = 0; code <= 0xffff; code++) {
    const value = { text: `a${String.fromCharCode(code)}é` };
    const line = jsonLine(value);
    assert.deepEqual(JSON.parse(line), value);
    assert.equal(escapeControls(line.slice(0, -1)), line.slice(0, -1));
  }
});

test('what is harmless stays readable', () => {
  assert.equal(jsonLine({ text: 'é \u{1f600} \u2028' }), '{"text":"é \u{1f600} \\u2028"}\n');
});
