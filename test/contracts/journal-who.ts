// What every journal promises about who there is.

import assert from 'node:assert/strict';
import { NO_HASH } from '../../src/core/run/record.ts';
import { aMessage, aName, anAccount, append, BOB, EVE, type Holds, MAX, MUCH, record } from './journal.ts';

export function holdsWho(holds: Holds): void {
  holds('a list of changes happens whole or not at all', async ({ journal, reopen }) => {
    const bob = anAccount(BOB, 'Bob');
    assert.equal(await record(journal, { type: 'account-added', account: bob }), undefined);
    const answers = await Promise.all([
      record(
        journal,
        { type: 'account-added', account: anAccount(EVE, 'Eve') },
        { type: 'account-added', account: anAccount(MAX, 'BOB') },
      ),
      append(journal, aMessage()),
      record(journal, { type: 'delivered', account: BOB, upTo: 1 }),
      record(journal, { type: 'delivered', account: MAX, upTo: 1 }),
    ]);
    assert.equal(typeof answers[0]?.failed, 'string');
    assert.deepEqual(answers[1], { result: 'new', id: 1 });
    assert.equal(answers[2], undefined);
    assert.equal(typeof answers[3]?.failed, 'string');
    assert.deepEqual(journal.health, { state: 'ok' });
    const { everything } = await reopen();
    assert.deepEqual(everything.accounts, [{ ...bob, delivered: 1 }]);
  });

  holds('who there is, and every message, is found again', async ({ journal, everything, reopen }) => {
    const { journalId } = everything;
    assert.ok(journalId.length > 0);
    const nobody = { accounts: [], tokens: [], invites: [], groups: [], machines: [] };
    const runs = { last: 0, head: NO_HASH, unended: [] };
    assert.deepEqual(everything, { start: 1, journalId, head: 0, ...nobody, runs });
    const bob = { ...anAccount(BOB, 'Bob'), role: 'owner', password: 'scrypt', invitedBy: undefined } as const;
    const eve = { ...anAccount(EVE, 'Eve'), kind: 'bot', invitedBy: BOB } as const;
    const token = { id: 9, account: EVE, label: 'laptop', hash: 'h', createdAtMs: 6 };
    const invite = {
      hash: 'i',
      ...aName('Web1'),
      role: 'member',
      kind: 'host',
      by: BOB,
      createdAtMs: 7,
      expiresAtMs: 8,
    } as const;
    const seen = {
      account: EVE,
      labels: new Map([
        ['env', 'é'],
        ['__proto__', 'x'],
      ]),
      atMs: 12,
    };
    const ops = { name: '#Ops', key: '#ops' };
    const tea = { name: '#tea', key: '#tea' };
    const recorded = await record(
      journal,
      { type: 'account-added', account: bob },
      { type: 'account-added', account: eve },
      { type: 'account-changed', account: { ...eve, revokedAtMs: 10, delivered: 1 } },
      { type: 'delivered', account: EVE, upTo: 0 },
      { type: 'token-added', token },
      { type: 'token-added', token: { ...token, id: 10, hash: 'g' } },
      { type: 'token-removed', id: 10 },
      { type: 'invite-added', invite },
      { type: 'invite-added', invite: { ...invite, hash: 'j' } },
      { type: 'invite-removed', hash: 'j' },
      { type: 'group-joined', group: ops, account: EVE },
      { type: 'group-joined', group: { name: '#OPS', key: '#ops' }, account: BOB },
      { type: 'group-joined', group: tea, account: BOB },
      { type: 'group-left', group: tea, account: BOB },
      { type: 'machine-seen', seen: { account: EVE, labels: new Map([['env', 'prod']]), atMs: 11 } },
      { type: 'machine-seen', seen },
    );
    assert.equal(recorded, undefined);
    await append(journal, aMessage({ text: 'kept \u0000 é 🙂' }));
    const history = await journal.history({ member: EVE, since: 0, ...MUCH });
    const again = await reopen();
    assert.deepEqual(again.everything, {
      start: 2,
      journalId,
      head: 1,
      accounts: [bob, { ...eve, revokedAtMs: 10, delivered: 1 }],
      tokens: [token],
      invites: [invite],
      groups: [{ ...ops, members: [EVE, BOB] }],
      runs,
      machines: [seen],
    });
    assert.deepEqual(await again.journal.history({ member: EVE, since: 0, ...MUCH }), history);
    assert.equal(history.messages[0]?.text, 'kept \u0000 é 🙂');
    assert.deepEqual(await append(again.journal, aMessage()), { result: 'new', id: 2 });
  });
}
