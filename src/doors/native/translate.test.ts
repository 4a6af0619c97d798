// Words between the native protocol and the core.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refusal, toHosts, wordsForRun, wordsForStreams } from './translate.ts';

test('hosts are separated by commas or spaces, and none is the server itself', () => {
  assert.deepEqual(toHosts(undefined), []);
  assert.deepEqual(toHosts(''), []);
  assert.deepEqual(toHosts('web1, web2  web3'), ['web1', 'web2', 'web3']);
});

test('refusals have the codes of JSON-RPC where it has one, and -32000 elsewhere', () => {
  assert.deepEqual(refusal('unknown-method', 'm'), { code: -32601, message: 'm', data: { code: 'unknown-method' } });
  assert.equal(refusal('bad-params', 'm').code, -32602);
  assert.equal(refusal('not-allowed', 'm').code, -32000);
});

test('each refusal of a command has its code and says what is true now', () => {
  const unknown = wordsForRun({ refused: 'unknown-host', names: ['web1', 'a\nb'] }, 'Lab');
  assert.deepEqual(unknown.data, { code: 'unknown-host' });
  assert.equal(unknown.message, 'Cannot run the command on "web1", "a\\nb": no such host has joined Lab');
  const said = [wordsForRun({ refused: 'not-allowed' }, 'Lab')];
  for (const why of ['closing', 'stream-number', 'too-many-streams'] as const) said.push(wordsForStreams(why));
  assert.deepEqual(
    said.map(({ data, message }) => `${data?.code}: ${message}`),
    [
      'not-allowed: Cannot run the command: only the owner may',
      'closing: Cannot run the command: the server is closing',
      'stream-number: Cannot run the command: the streams are not numbered as they must be',
      'too-many-streams: Cannot run the command: too many are open',
    ],
  );
});
