// Words between the native protocol and the core.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PLAIN } from '../../core/run/record.ts';
import { METHODS } from '../../protocol/native/methods.ts';
import { ATTEMPTS } from './attempts.ts';
import type { Needs } from './entry.ts';
import { chatError, refusal, runError, wordsForNeeds, wordsForStreams } from './translate.ts';

test('refusals have the codes of JSON-RPC where it has one, and -32000 elsewhere', () => {
  assert.deepEqual(refusal('unknown-method', 'm'), { code: -32601, message: 'm', data: { code: 'unknown-method' } });
  assert.equal(refusal('bad-params', 'm').code, -32602);
  assert.equal(refusal('not-allowed', 'm').code, -32000);
});

test('a change of groups and a message that could not be stored have one code, and each its own words', () => {
  const reason = 'the disk is full';
  const codeAndWords = ({ data, message }: ReturnType<typeof chatError>) => [data?.code, message];
  assert.deepEqual(codeAndWords(chatError({ refused: 'groups-not-stored', reason })), [
    'not-stored',
    'Cannot change your groups: the disk is full; nothing was changed',
  ]);
  assert.deepEqual(codeAndWords(chatError({ refused: 'not-stored', reason })), [
    'not-stored',
    'Cannot send: the disk is full; the message was sent to nobody',
  ]);
});

test('who may not is told what was attempted, who may, and as whom it has come in', () => {
  const words = (needs: Needs, role: Needs) => wordsForNeeds({ needs, role }, 'account.invite');
  assert.deepEqual(
    [words('operator', 'nobody'), words('member', 'guest'), words('operator', 'member'), words('owner', 'operator')],
    [
      'Cannot invite: this connection has not shown who asks',
      'Cannot invite: it takes an account, and a guest has none',
      'Cannot invite: only operators and the owner may, and you are a member',
      'Cannot invite: only the owner may, and you are an operator',
    ],
  );
  assert.deepEqual(Object.keys(ATTEMPTS).sort(), Object.values(METHODS).sort());
  for (const attempt of Object.values(ATTEMPTS)) assert.match(attempt, /^Cannot [a-z]/);
});

test('each refusal of a command has its code and says what is true now', () => {
  const command = { kind: 'verb', verb: 'restart', args: ['a b\n'] } as const;
  const denied = { by: 'bob', role: 'operator', command, setting: PLAIN } as const;
  const unknown = runError({ refused: 'unknown-host', names: ['web1', 'a\nb'] }, denied);
  assert.deepEqual(unknown.data, { code: 'unknown-host', names: ['web1', 'a\nb'] });
  assert.equal(unknown.message, 'Cannot run: no machine named "web1", "a\\nb" has joined; nothing was started');
  const said = [
    runError({ refused: 'not-allowed', names: ['web1'], why: 'policy' }, denied),
    runError({ refused: 'unknown-verb', verb: 'restart', known: [] }, denied),
  ];
  for (const why of ['closing', 'stream-number', 'too-many-streams'] as const) said.push(wordsForStreams(why));
  assert.deepEqual(
    said.map(({ data, message }) => `${data?.code}: ${message}`),
    [
      'not-allowed: Cannot run @restart a b\\n on "web1" as bob, an operator: ' +
        'the policy of the server does not allow it; nothing was started',
      'unknown-verb: Cannot run @restart: there is no such verb; this server has no verbs; nothing was started',
      'closing: Cannot run the command: the server is closing',
      'stream-number: Cannot run the command: the streams are not numbered as they must be',
      'too-many-streams: Cannot run the command: too many are open',
    ],
  );
});
