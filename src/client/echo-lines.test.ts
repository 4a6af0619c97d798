import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CloseWatch, Labeller } from './echo-lines.ts';

/** Every way to cut a text in up to three pieces. */
function* cuts(text: string): Generator<Buffer[]> {
  const bytes = Buffer.from(text, 'latin1');
  for (let one = 0; one <= bytes.length; one++) {
    for (let two = one; two <= bytes.length; two++) {
      yield [bytes.subarray(0, one), bytes.subarray(one, two), bytes.subarray(two)];
    }
  }
}

function watch(pieces: readonly Buffer[]): string {
  const watch = new CloseWatch();
  let passed = '';
  for (const piece of pieces) {
    const { pass, isClosed } = watch.push(piece);
    passed += Buffer.from(pass).toString('latin1');
    if (isClosed) return `${passed}[closed]`;
  }
  const { pass, isClosed } = watch.end();
  return passed + Buffer.from(pass).toString('latin1') + (isClosed ? '[closed]' : '');
}

test('the line close is found, however the stream is cut', () => {
  const cases: Record<string, string> = {
    'hello\nclose\nmore\n': 'hello\n[closed]',
    'close\n': '[closed]',
    'close\r\n': '[closed]',
    'hi\nclose\r\nclose\n': 'hi\n[closed]',
    'hi\nclose': 'hi\n[closed]',
    'close\nclose\r\n': '[closed]',
    '\n\nclose\n\n': '\n\n[closed]',
    'x\nclosclose\nclose\n': 'x\nclosclose\n[closed]',
  };
  for (const [text, expected] of Object.entries(cases)) {
    for (const pieces of cuts(text)) assert.equal(watch(pieces), expected, JSON.stringify(pieces.map(String)));
  }
});

test('what merely looks like it passes unchanged', () => {
  for (const text of [
    'closed\n',
    'aclose\nb',
    'close \n',
    'CLOSE\n',
    'clo',
    'x\nclos',
    'close\rx\n',
    '\xff\x00close',
    '',
  ]) {
    for (const pieces of cuts(text)) assert.equal(watch(pieces), text, JSON.stringify(pieces.map(String)));
  }
});

test('every line gets its label once, as soon as it begins, and keeps its bytes', () => {
  const cases: Record<string, string> = {
    'hello\n': 'S : hello\n',
    'a\n\nb': 'S : a\nS : \nS : b',
    '\xff\xfe\r\n\x00\n': 'S : \xff\xfe\r\nS : \x00\n',
    '': '',
  };
  for (const [text, expected] of Object.entries(cases)) {
    for (const pieces of cuts(text)) {
      const labeller = new Labeller('S : ');
      const labelled = Buffer.concat(pieces.map((piece) => labeller.push(piece))).toString('latin1');
      assert.equal(labelled, expected);
      assert.equal(labeller.isAtLineStart, text === '' || text.endsWith('\n'));
    }
  }
});
