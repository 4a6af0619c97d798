import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Escapes, type EscapeAction } from './escape.ts';

/** What is passed on, and in its place `<leave>` and the like. */
function said(actions: readonly EscapeAction[]): string {
  return actions
    .map((action) => (action.do === 'pass' ? Buffer.from(action.bytes).toString('latin1') : `<${action.do}>`))
    .join('');
}

/** In one piece, and byte by byte. */
function typed(text: string): string {
  const bytes = Buffer.from(text, 'latin1');
  const whole = new Escapes();
  const once = said(whole.push(bytes));
  const cut = new Escapes();
  let singly = '';
  for (const byte of bytes) {
    singly += said(cut.push(Uint8Array.of(byte)));
    // What comes after that is nobody's.
    if (singly.endsWith('<leave>')) break;
  }
  assert.equal(singly, once, JSON.stringify(text));
  return once;
}

test('at the beginning of a line a ~ and a word are for us', () => {
  assert.equal(typed('~.'), '<leave>');
  assert.equal(typed('ls\r~.rest'), 'ls\r<leave>');
  assert.equal(typed('ls\n~?ls'), 'ls\n<help>ls');
  assert.equal(typed('~\x1a~.'), '<suspend><leave>');
  assert.equal(typed('~~'), '~');
  assert.equal(typed('~~.\r'), '~.\r');
});

test('everywhere else they are typed to the command', () => {
  for (const text of ['a~.', 'cd ~/x\r', '~/bin/x\r', '~x~.', 'a~?\r', '\x1b[A~.', 'x~', '~\r']) {
    assert.equal(typed(text), text);
  }
  assert.equal(typed('~\r~.'), '~\r<leave>');
  // It waits for what follows.
  assert.equal(typed('~'), '');
});

test('without a ~ after the end of a line every byte passes, however they are cut', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), (chunks) => {
      const plain = chunks.map((chunk) => chunk.map((byte) => (byte === 0x7e ? 0 : byte)));
      const escapes = new Escapes();
      const passed = plain.flatMap((chunk) => escapes.push(chunk));
      assert.equal(said(passed), Buffer.concat(plain).toString('latin1'));
    }),
  );
});
