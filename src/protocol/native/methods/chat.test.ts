// Questions and answers of the chat and the accounts are read field by field, at both ends.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { accountInvite, accountList } from './account.ts';
import { chatAck, chatMessage, chatSend, chatSubscribe, MAX_RECIPIENTS, MAX_RECIPIENTS_BYTES } from './chat.ts';
import { loginCode, loginToken } from './login.ts';
import { chatHistory } from './past.ts';
import { tokenCreate } from './token.ts';

test('what is asked is read with what it may have, and nothing more', () => {
  const full = { to: ['bob', '#ops'], text: 'hi', key: 'k' };
  assert.deepEqual(chatSend.parseParams({ ...full, unknown: 1 }), full);
  assert.deepEqual(chatSubscribe.parseParams(undefined), {});
  assert.deepEqual(chatSubscribe.parseParams({ after: 0 }), { after: 0 });
  assert.deepEqual(chatHistory.parseParams({ with: 'all', limit: 3 }), { with: 'all', limit: 3 });
  assert.deepEqual(accountInvite.parseParams({ name: 'bob' }), { name: 'bob' });
});

const RECIPIENTS = `an array of 1 to ${MAX_RECIPIENTS}, each a string, of at most ${MAX_RECIPIENTS_BYTES} bytes`;

test('what is wrong is named', () => {
  const wrong: [unknown, string][] = [
    [chatSend.parseParams({ text: 'x' }), `to is not ${RECIPIENTS}`],
    [chatSend.parseParams({ to: [], text: 'x' }), `to is not ${RECIPIENTS}`],
    [chatSend.parseParams({ to: ['a', 1], text: 'x' }), `to is not ${RECIPIENTS}`],
    [chatSend.parseParams({ to: ['a'] }), 'text is not a string'],
    [chatSend.parseParams([]), 'params is not an object'],
    [chatAck.parseParams({ id: -1 }), 'id is not an integer of at least 0'],
    [chatAck.parseParams({ id: 1.5 }), 'id is not an integer of at least 0'],
    [chatHistory.parseParams({ limit: 0 }), 'limit is not an integer from 1 to 1000'],
    [accountInvite.parseParams({ name: 'a', role: 'owner' }), 'role is not one of member, operator'],
    [loginToken.parseParams({ token: '' }), 'token is not a string that is not empty'],
    [loginCode.parseParams({ code: 'x', label: 7 }), 'label is not a string'],
    [tokenCreate.parseParams({}), 'label is not a string that is not empty'],
  ];
  for (const [found, bad] of wrong) assert.deepEqual(found, { bad });
});

test('what a server answers and tells is read just as carefully', () => {
  const sent = { id: 3, at: '2020-12-17T20:06:53.000Z', to: { bob: 'delivered', __proto__: 'stored' }, repeat: false };
  assert.deepEqual(chatSend.parseResult(sent)?.to, new Map(Object.entries(sent.to)));
  assert.equal(chatSend.parseResult({ ...sent, to: { bob: 'lost' } }), undefined);
  assert.equal(chatSend.parseResult({ ...sent, at: 'yesterday' }), undefined);
  const message = { id: 1, at: '2020-12-17T20:06:53Z', from: 'a', to: ['all'], cast: 'broadcast', text: '' } as const;
  assert.deepEqual(chatMessage.parse(message), message);
  assert.equal(chatMessage.parse({ ...message, cast: 'shout' }), undefined);
  assert.equal(chatMessage.parse(undefined), undefined);
  const account = {
    name: 'a',
    role: 'member',
    kind: 'bot',
    since: message.at,
    invitedBy: null,
    revoked: false,
  };
  assert.equal(accountList.parseResult({ accounts: [account] })?.accounts[0]?.invitedBy, null);
  assert.equal(accountList.parseResult({ accounts: [{ ...account, revoked: 'no' }] }), undefined);
});

test('property: no value makes a reader throw', () => {
  const value = fc.oneof(fc.anything(), fc.record({ to: fc.anything(), text: fc.anything(), id: fc.anything() }));
  fc.assert(
    fc.property(value, (given) => {
      for (const { parseParams, parseResult } of [chatSend, chatHistory, accountList, loginCode]) {
        parseParams(given);
        parseResult(given);
      }
      chatMessage.parse(given);
    }),
  );
});
