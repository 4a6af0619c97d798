import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { Questions, type Keyboard } from './input.ts';
import { askNewPassword, askPassword } from './secret.ts';

function aKeyboard(isTTY: boolean) {
  const keys = new PassThrough();
  const modes: boolean[] = [];
  const shown: string[] = [];
  // A stream with what of a terminal is used.
  const input: Keyboard = Object.assign(keys, { isTTY, setRawMode: (mode: boolean) => modes.push(mode) });
  const questions = new Questions({ input, output: { write: (text: string) => shown.push(text) } });
  return { keys, modes, shown, questions };
}

test('lines of standard input are given one at a time, however they are cut, the last one without its end', async () => {
  const { keys, questions, shown } = aKeyboard(false);
  keys.write('fir');
  keys.write('st\r\nsec');
  const first = await questions.ask('Code: ');
  keys.end('ond');
  assert.deepEqual([first, await questions.ask('Password: ')], [{ line: 'first' }, { line: 'second' }]);
  assert.equal(await questions.ask('More: '), 'end');
  assert.deepEqual(shown, []);
});

test('on a terminal nothing that is typed is shown, and keys that take back do', async () => {
  const { keys, questions, shown, modes } = aKeyboard(true);
  keys.write('wrong\u0015secrex\u007ft\r');
  assert.deepEqual(await questions.ask('Password: '), { line: 'secret' });
  assert.deepEqual(shown, ['Password: ', '\n']);
  assert.deepEqual(modes, [true, false]);
});

test('Ctrl-C and Ctrl-D leave the question, and the terminal as it was', async () => {
  const { keys, questions, modes } = aKeyboard(true);
  keys.write('half\u0003');
  assert.equal(await questions.ask('Password: '), 'interrupted');
  keys.write('\u0004');
  assert.equal(await questions.ask('Password: '), 'end');
  assert.deepEqual(modes, [true, false, true, false]);
});

test('a new password is asked for twice on a terminal, until both are the same, at most three times', async () => {
  const right = aKeyboard(true);
  right.keys.write('one\rtwo\rsame\rsame\r');
  assert.deepEqual(await askNewPassword(right.questions, 'New password'), { secret: 'same' });
  const wrong = aKeyboard(true);
  wrong.keys.write('1\r2\r3\r4\r5\r6\r');
  assert.deepEqual(await askNewPassword(wrong.questions, 'New password'), {
    failed: 'the two passwords were not the same',
  });
  const left = aKeyboard(true);
  left.keys.write('one\r\u0003');
  assert.deepEqual(await askNewPassword(left.questions, 'New password'), { failed: 'interrupted' });
});

test('elsewhere a password is one line, and an empty one is none', async () => {
  const { keys, questions } = aKeyboard(false);
  keys.end('secret\n\n');
  assert.deepEqual(await askNewPassword(questions, 'New password'), { secret: 'secret' });
  assert.equal(await askPassword(questions, 'Password: '), 'none');
  assert.equal(await askPassword(questions, 'Password: '), 'none');
});
