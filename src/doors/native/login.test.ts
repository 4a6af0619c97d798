// Coming in over the native door, and what accounts may do with themselves and others.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aNativeHouse } from '../../../test/kit/native-house.ts';
import { TOKEN } from '../../../test/kit/native.ts';
import { LOOPBACKS } from '../../../test/kit/server.ts';
import { TRANSPORTS } from '../../../test/kit/talker.ts';
import { accountInvite } from '../../protocol/native/methods/account.ts';
import { loginCode } from '../../protocol/native/methods/login.ts';
import { tokenCreate } from '../../protocol/native/methods/token.ts';
import { MAX_ATTEMPTS } from './limits.ts';

for (const host of LOOPBACKS) {
  for (const over of TRANSPORTS) {
    test(`an invitation becomes an account with a token and a password: ${over} ${host}`, async () => {
      await using house = await aNativeHouse(host);
      const owner = await house.talk(over);
      await owner.becomeOwner(TOKEN);
      const invited = accountInvite.parseResult(await owner.ask('account.invite', { name: 'Janaki' }));
      assert.ok(invited !== undefined);
      const { code, ...shown } = invited;
      assert.deepEqual(shown, {
        name: 'Janaki',
        role: 'member',
        kind: 'person',
        expires: '2026-01-03T03:04:05.678Z',
        replaced: false,
        existing: false,
      });
      const janaki = await house.talk(over);
      assert.equal(await janaki.ask('login.code', { code, password: 'short' }), 'bad-password');
      const password = 'correct horse';
      const came = loginCode.parseResult(await janaki.ask('login.code', { code, password, label: 'laptop' }));
      assert.ok(came !== undefined);
      assert.deepEqual([came.name, came.role], ['Janaki', 'member']);
      assert.deepEqual(await janaki.ask('token.list'), {
        tokens: [{ id: 1, label: 'laptop', since: '2026-01-02T03:04:05.678Z' }],
        password: true,
      });
      const other = await house.talk(over);
      assert.equal(await other.ask('login.code', { code }), 'bad-secret', 'a code counts once');
      assert.deepEqual(await other.ask('login.token', { token: came.token }), { name: 'Janaki', role: 'member' });
      const third = await house.talk(over);
      assert.equal(await third.ask('login.password', { name: 'Janaki', password: 'wrong horse' }), 'wrong-password');
      assert.equal(await third.ask('login.password', { name: 'nobody', password }), 'wrong-password');
      assert.deepEqual(await third.ask('login.password', { name: 'janaki', password }), {
        name: 'Janaki',
        role: 'member',
      });
    });

    test(`whoever came in by a token goes when it is removed, once answered: ${over} ${host}`, async () => {
      await using house = await aNativeHouse(host);
      const { token } = await house.account('Janaki');
      const [present, visitor, other] = [await house.talk(over), await house.talk(over), await house.talk(over)];
      for (const talker of [present, visitor]) await talker.ask('login.token', { token });
      await other.ask('login.password', { name: 'Janaki', password: 'password of Janaki' });
      await present.ask('chat.subscribe');
      const made: { id?: number } = Object(await other.ask('token.create', { label: 'more' }));
      const id = Number(made.id) - 1;
      assert.deepEqual(await visitor.ask('token.remove', { id }), {});
      const reason = 'Cannot stay: the token that you came in by has been removed';
      assert.deepEqual(await visitor.closed(), { reason });
      assert.deepEqual(await present.closed(), { reason });
      assert.deepEqual(house.hub.list(), []);
      assert.deepEqual(Object.keys(Object(await other.ask('token.list'))), ['tokens', 'password']);
    });

    test(`a revoked account is dismissed, subscribed or not: ${over} ${host}`, async () => {
      await using house = await aNativeHouse(host);
      const { token } = await house.account('Janaki');
      const [owner, present, visitor] = [await house.talk(over), await house.talk(over), await house.talk(over)];
      await owner.becomeOwner(TOKEN);
      for (const talker of [present, visitor]) await talker.ask('login.token', { token });
      await present.ask('chat.subscribe');
      assert.deepEqual(await owner.ask('account.revoke', { name: 'Janaki' }), { revoked: 'account' });
      const reason = 'Cannot stay: the account has been revoked';
      assert.deepEqual(await present.closed(), { reason });
      assert.deepEqual(house.hub.list(), []);
      assert.deepEqual(await visitor.closed(), { reason });
      assert.equal(await (await house.talk(over)).ask('login.token', { token }), 'bad-secret');
      const again = await house.talk(over);
      assert.equal(
        await again.ask('login.password', { name: 'Janaki', password: 'password of Janaki' }),
        'wrong-password',
      );
    });
  }

  test(`wrong passwords, codes and tokens are few, and logged without what they were: ${host}`, async () => {
    await using house = await aNativeHouse(host);
    await house.account('Janaki');
    const talker = await house.talk();
    const wrong = [
      ['login.password', { name: 'Janaki', password: 'hunter22' }, 'wrong-password'],
      ['login.token', { token: 'hunter22' }, 'bad-secret'],
      ['login.code', { code: 'hunter22' }, 'bad-secret'],
    ] as const;
    for (let n = 0; n < MAX_ATTEMPTS; n++) {
      const [method, params, code] = wrong[n % 3] ?? assert.fail();
      assert.equal(await talker.ask(method, params), code);
    }
    assert.deepEqual(await talker.closed(), { reason: 'Cannot log in: the code is not valid any more, or never was' });
    assert.deepEqual(house.warned, [
      'wrong password',
      'wrong token',
      'wrong code',
      'wrong password',
      'wrong token',
      'wrong code',
    ]);
  });
}

test('no secret is taken over plain text from beyond loopback, and it is not looked at', async () => {
  const loginsOf = (token: string) =>
    [
      ['login.token', { token }],
      ['login.password', { name: 'Janaki', password: 'password of Janaki' }],
      ['login.code', { code: '0000-0000-0000-0000-0000-0000-0000' }],
    ] as const;
  await using house = await aNativeHouse('127.0.0.1', { isLoopback: false });
  const { token } = await house.account('Janaki');
  const talker = await house.talk();
  for (const [method, params] of loginsOf(token)) assert.equal(await talker.ask(method, params), 'not-encrypted');
  assert.equal(await talker.ask('login.guest', { name: 'Vamshi' }), 'guests-not-let-in');
  assert.deepEqual(house.warned, []);
  await using encrypted = await aNativeHouse('127.0.0.1', { isLoopback: false, isEncrypted: true });
  const other = await encrypted.account('Janaki');
  assert.deepEqual(await (await encrypted.talk()).ask('login.token', other), { name: 'Janaki', role: 'member' });
});

test('tokens and passwords are one’s own', async () => {
  await using house = await aNativeHouse('::1');
  const [janaki, prashanth] = [await house.talk(), await house.talk()];
  await janaki.ask('login.token', await house.account('Janaki'));
  await prashanth.ask('login.token', await house.account('Prashanth'));
  const made = tokenCreate.parseResult(await janaki.ask('token.create', { label: 'phone' }));
  assert.ok(made !== undefined);
  assert.equal(await prashanth.ask('token.remove', { id: made.id }), 'bad-secret');
  const phone = await house.talk();
  assert.deepEqual(await phone.ask('login.token', made), { name: 'Janaki', role: 'member' });
  assert.deepEqual(await janaki.ask('token.remove', { id: made.id }), {});
  assert.equal(await (await house.talk()).ask('login.token', made), 'bad-secret');
  assert.equal(await janaki.ask('account.password', { password: 'short' }), 'bad-password');
  assert.deepEqual(await janaki.ask('account.password', { password: 'another horse' }), {});
  const login = { name: 'Janaki', password: 'another horse' };
  assert.deepEqual(await (await house.talk()).ask('login.password', login), { name: 'Janaki', role: 'member' });
});

test('an operator invites members and takes back what it invited; the list shows each what it may see', async () => {
  await using house = await aNativeHouse('::1');
  const [operator, member] = [await house.talk(), await house.talk()];
  await operator.ask('login.token', await house.account('Prashanth', 'operator'));
  await member.ask('login.token', await house.account('Janaki'));
  assert.equal(await operator.ask('account.invite', { name: 'Zoe', role: 'operator' }), 'not-allowed');
  assert.equal(await operator.ask('account.invite', { name: 'Janaki' }), 'name-reserved');
  assert.ok(accountInvite.parseResult(await operator.ask('account.invite', { name: 'bot7', kind: 'bot' })));
  const since = '2026-01-02T03:04:05.678Z';
  const accounts = [
    { name: 'owner', role: 'owner', kind: 'person', since, invitedBy: null, revoked: false },
    { name: 'Prashanth', role: 'operator', kind: 'person', since, invitedBy: 'owner', revoked: false },
    { name: 'Janaki', role: 'member', kind: 'person', since, invitedBy: 'owner', revoked: false },
  ];
  const invitations = [{ name: 'bot7', role: 'member', kind: 'bot', expires: '2026-01-03T03:04:05.678Z' }];
  assert.deepEqual(await member.ask('account.list'), { accounts });
  assert.deepEqual(await operator.ask('account.list'), { accounts, invitations });
  assert.equal(await operator.ask('account.revoke', { name: 'Janaki' }), 'not-allowed');
  assert.equal(await operator.ask('account.revoke', { name: 'nobody' }), 'unknown-account');
  assert.deepEqual(await operator.ask('account.revoke', { name: 'bot7' }), { revoked: 'invitation' });
  assert.deepEqual(await operator.ask('account.list'), { accounts, invitations: [] });
});
