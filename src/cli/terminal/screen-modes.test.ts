import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ScreenModes } from './screen-modes.ts';

function undoAfter(...pieces: readonly string[]): string {
  const modes = new ScreenModes();
  for (const piece of pieces) modes.see(Buffer.from(piece, 'latin1'));
  return modes.undo();
}

const BEGIN = '\x1b[?1049h\x1b[22;0;0t\x1b[?1h\x1b=\x1b[?25lhello';
const END = '\x1b[?1l\x1b>\x1b[?25h\x1b[?1049l';

test('what an editor has turned on is turned off in its place, and nothing where it did so itself', () => {
  assert.equal(undoAfter(BEGIN), '\x1b[?1049l\x1b[?1l\x1b[?25h\x1b>');
  assert.equal(undoAfter(BEGIN, END), '');
  assert.equal(undoAfter('plain \x1b[31mred\x1b[m text'), '');
  assert.equal(undoAfter('\x1b[?1000;1006h'), '\x1b[?1000l\x1b[?1006l');
});

test('however the bytes are cut it is the same', () => {
  for (let at = 1; at < BEGIN.length; at++) {
    assert.equal(undoAfter(BEGIN.slice(0, at), BEGIN.slice(at)), undoAfter(BEGIN), String(at));
  }
  assert.equal(undoAfter(...(BEGIN.match(/[^]/g) ?? [])), undoAfter(BEGIN));
});
