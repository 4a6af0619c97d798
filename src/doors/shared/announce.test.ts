import assert from 'node:assert/strict';
import { test } from 'node:test';
import { announceCommand, commandText, MAX_ANNOUNCED_LENGTH } from './announce.ts';

const who = { by: 'owner', address: '::1', host: 'Server' };

test('the console is told who gave which command, and where', () => {
  const { text } = announceCommand({ kind: 'shell', line: 'ls | wc -l' }, who);
  assert.equal(text, 'Given command ls | wc -l (owner from ::1 on Server)');
});

test('a vector is shown as a shell would have to be given it', () => {
  const argv = ['echo', 'a b', "it's", '', '/x-1.y'];
  assert.equal(commandText({ kind: 'argv', argv }), String.raw`echo 'a b' 'it'\''s' '' /x-1.y`);
});

test('it stays one line of at most 200 characters, whatever the command', () => {
  const line = 'printf "\x1b]0;owned\x07"\n\u202e';
  assert.equal(commandText({ kind: 'shell', line }), String.raw`printf "\x1b]0;owned\x07"\n\u202e`);
  for (const long of ['x'.repeat(1_000), '🙄'.repeat(1_000), '\n'.repeat(1_000)]) {
    const { text } = announceCommand({ kind: 'shell', line: long }, who);
    assert.ok(text.length <= MAX_ANNOUNCED_LENGTH && text.length > MAX_ANNOUNCED_LENGTH - 3, String(text.length));
    assert.ok(text.endsWith(' (owner from ::1 on Server)') && !text.includes('\n'));
  }
});
