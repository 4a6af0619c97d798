// Words between the native protocol and the core, and the line that the operator sees.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commandText, givenCommand, MAX_CONSOLE_LINE, refusal, toHosts, toRunEnded } from './translate.ts';

const who = { name: 'owner', address: '::1' };

test('the console names the command, who gave it and from where', () => {
  assert.equal(givenCommand({ kind: 'shell', line: 'ls | wc -l' }, who), 'Given command ls | wc -l (owner from ::1)');
  const argv = ['echo', 'a b', "it's", '', '/x-1.y'];
  assert.equal(commandText({ kind: 'argv', argv }), String.raw`echo 'a b' 'it'\''s' '' /x-1.y`);
});

test('a command drives no terminal and fills no screen: it stays one line of 200 characters', () => {
  const line = 'printf "\x1b]0;owned\x07"\n\u202e';
  assert.equal(commandText({ kind: 'shell', line }), String.raw`printf "\x1b]0;owned\x07"\n\u202e`);
  for (const text of ['x'.repeat(1_000), '\x1b'.repeat(1_000), '😀'.repeat(1_000)]) {
    const told = givenCommand({ kind: 'shell', line: text }, who);
    assert.ok(told.length <= MAX_CONSOLE_LINE && told.length > MAX_CONSOLE_LINE - 3, String(told.length));
    assert.ok(told.endsWith('… (owner from ::1)') && told.isWellFormed());
  }
});

test('hosts are separated by commas or spaces, and none is the server itself', () => {
  assert.deepEqual(toHosts(undefined), []);
  assert.deepEqual(toHosts(''), []);
  assert.deepEqual(toHosts('web1, web2  web3'), ['web1', 'web2', 'web3']);
});

test('each end of a run has its fields on the wire', () => {
  assert.deepEqual(toRunEnded(1, { result: 'exited', status: 3 }, 'why'), { run: 1, result: 'exited', status: 3 });
  const signalled = { result: 'signalled', status: 137, signal: 9 } as const;
  assert.deepEqual(toRunEnded(1, signalled), { run: 1, ...signalled });
  const cancelled = { result: 'cancelled', status: 143 } as const;
  assert.deepEqual(toRunEnded(1, cancelled, 'why'), { run: 1, ...cancelled, reason: 'why' });
  const lost = { result: 'lost', status: null, reason: 'r' } as const;
  assert.deepEqual(toRunEnded(1, lost), { run: 1, ...lost });
});

test('refusals have the codes of JSON-RPC where it has one, and -32000 elsewhere', () => {
  assert.deepEqual(refusal('unknown-method', 'm'), { code: -32601, message: 'm', data: { code: 'unknown-method' } });
  assert.equal(refusal('bad-params', 'm').code, -32602);
  assert.equal(refusal('not-allowed', 'm').code, -32000);
});
