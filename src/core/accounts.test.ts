import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aHub, asked, Ear, NOW, refusedBy, type HubWorld } from '../../test/kit/hub.ts';
import { MemoryJournal } from '../journal/memory.ts';
import { INVITE_MS, type Invitation } from './accounts.ts';
import type { Member, Session } from './session.ts';

const invite = (world: HubWorld, name: string, { by = world.owner(), nowMs = NOW, role = 'member' as const } = {}) =>
  asked<Invitation>((done) => world.accounts.invite(by, { name, role }, { nowMs, done }));

const refusedInvite = (world: HubWorld, by: Session, name: string, role: 'member' | 'operator' = 'member') =>
  refusedBy((done) => world.accounts.invite(by, { name, role }, { nowMs: NOW, done }));

const accept = (world: HubWorld, code: string, nowMs = NOW) => {
  const bearer = world.accounts.bearerOf(code, nowMs);
  assert.ok(bearer?.kind === 'invited', 'the code is not good');
  return asked<Member>((done) => world.accounts.accept(bearer.invite, { nowMs, done }));
};

test('the first start makes the owner, a later one finds it and may rename it', async () => {
  const journal = new MemoryJournal();
  const first = await aHub({}, journal);
  assert.deepEqual(
    Array.from(first.hub.directory.accounts, ({ id, name }) => [id, name]),
    [[1, 'owner']],
  );
  const second = await aHub({ ownerName: 'boss' }, new MemoryJournal({ after: journal }));
  assert.deepEqual(
    Array.from(second.hub.directory.accounts, ({ id, name }) => [id, name]),
    [[1, 'boss']],
  );
  assert.equal(second.hub.directory.owner()?.account?.role, 'owner');
});

test('whoever gets the name that the owner had has no power over those whom the owner invited', async () => {
  const journal = new MemoryJournal();
  const first = await aHub({}, journal);
  await first.account('carol');
  const second = await aHub({ ownerName: 'boss' }, new MemoryJournal({ after: journal }));
  const other = second.comeAs(await second.account('owner', 'operator')).session;
  assert.equal(other.member.name, 'owner');
  const revoke = (by: Session) =>
    new Promise((resolve) => second.accounts.revoke(by, 'carol', { nowMs: NOW, done: resolve }));
  assert.deepEqual(await revoke(other), { refused: 'not-allowed', what: 'revoke' });
  assert.equal(await refusedInvite(second, other, 'carol'), 'name-reserved');
  assert.equal(await revoke(second.owner()), 'account');
});

test('an owner cannot get the name of an account', async () => {
  const journal = new MemoryJournal();
  const first = await aHub({}, journal);
  await first.account('carol');
  await assert.rejects(aHub({ ownerName: 'carol' }, new MemoryJournal({ after: journal })), /name-reserved/);
});

test('an invitation reserves its name at once, brings one account in, once, and only in its time', async () => {
  const world = await aHub();
  const { code, expiresAtMs, name } = await invite(world, 'Carol');
  assert.deepEqual([name, expiresAtMs], ['Carol', NOW + INVITE_MS]);
  assert.equal(world.refusalOf('carol'), 'name-reserved');
  assert.equal(world.refusalOf('CARO1'), 'name-confusable');
  assert.equal(world.accounts.bearerOf(code, expiresAtMs), undefined);
  const before = world.accounts.bearerOf(code, NOW);
  assert.ok(before?.kind === 'invited');
  const carol = await accept(world, code);
  assert.deepEqual([carol.account?.role, carol.account?.invitedBy], ['member', 1]);
  assert.equal(world.accounts.bearerOf(code, NOW), undefined);
  assert.equal(await refusedBy((done) => world.accounts.accept(before.invite, { nowMs: NOW, done })), 'bad-secret');
  assert.equal(world.refusalOf('carol'), 'name-reserved');
});

test('whoever lost a password is let in again by a new code, with the same account', async () => {
  const world = await aHub();
  const carol = await world.account('carol');
  const dave = await world.account('dave', 'operator');
  const operator = world.comeAs(dave).session;
  assert.equal(await refusedInvite(world, operator, 'carol'), 'name-reserved', 'another one invited carol');
  assert.equal(await refusedInvite(world, world.owner(), 'owner'), 'name-reserved');
  const { code, role } = await invite(world, 'CAROL', { role: 'member' });
  const again = await accept(world, code);
  assert.deepEqual([again.id, again.name, role], [carol.id, 'carol', 'member']);
  assert.equal(world.accounts.bearerOf(code, NOW), undefined);
  const next = await invite(world, 'carol');
  const bearer = world.accounts.bearerOf(next.code, NOW);
  assert.ok(bearer?.kind === 'invited');
  const end = (done: (answer: unknown) => void) => world.accounts.revoke(world.owner(), 'carol', { nowMs: NOW, done });
  assert.equal(await new Promise((resolve) => end(resolve)), 'account', 'not the invitation alone');
  assert.equal(world.accounts.bearerOf(next.code, NOW), undefined);
  assert.equal(await refusedBy((done) => world.accounts.accept(bearer.invite, { nowMs: NOW, done })), 'bad-secret');
  assert.equal(await refusedInvite(world, world.owner(), 'carol'), 'name-reserved');
});

test('the name of a revoked machine goes to a machine that is invited again, and to nobody else', async () => {
  const world = await aHub();
  const { accounts, hub } = world;
  const op = await world.account('op', 'operator');
  const invited = (as: 'host' | 'person', by = world.owner()) =>
    asked<Invitation>((done) => accounts.invite(by, { name: 'web4', kind: as }, { nowMs: NOW, done }));
  const joined = ({ code }: Invitation, key: string) => {
    const bearer = accounts.bearerOf(code, NOW);
    assert.ok(bearer?.kind === 'invited');
    return asked<Member>((done) => accounts.accept(bearer.invite, { key, nowMs: NOW, done }));
  };
  const revoke = () => asked<string>((done) => accounts.revoke(world.owner(), 'web4', { nowMs: NOW, done }));
  const first = await joined(await invited('host'), 'one');
  assert.equal((await invited('host')).isExisting, true);
  assert.equal(await revoke(), 'account');
  const refused = (by: Session, kind: 'host' | 'person') =>
    new Promise((done) => accounts.invite(by, { name: 'web4', kind }, { nowMs: NOW, done }));
  const taken = { refused: 'name-reserved', wasRevoked: true };
  assert.deepEqual(await refused(world.owner(), 'person'), { ...taken, isMachines: true });
  assert.deepEqual(await refused(world.comeAs(op).session, 'host'), taken, 'it was not the one to invite it');
  const next = await invited('host');
  assert.equal(next.isExisting, false);
  assert.equal(await revoke(), 'invitation', 'the code can be taken back');
  assert.equal(accounts.bearerOf(next.code, NOW), undefined);
  const second = await joined(await invited('host'), 'two');
  assert.equal(second, first, 'it is that machine, as its records have it');
  assert.equal(second.account?.revokedAtMs, undefined);
  assert.equal(hub.directory.bearerOf('one'), undefined);
  assert.equal(hub.directory.bearerOf('two')?.member, second);
});

test('a machine takes a new code for its own name with the key that it has, and for no other name', async () => {
  const world = await aHub();
  const { accounts, hub } = world;
  const coming = async (name: string, key: string) => {
    const inviting = { name, kind: 'host' } as const;
    const { code } = await asked<Invitation>((done) => accounts.invite(world.owner(), inviting, { nowMs: NOW, done }));
    const bearer = accounts.bearerOf(code, NOW);
    assert.ok(bearer?.kind === 'invited');
    return new Promise((done) => accounts.accept(bearer.invite, { key, nowMs: NOW, done }));
  };
  const web1 = await coming('web1', 'one');
  assert.equal(await coming('web1', 'one'), web1);
  assert.equal(hub.directory.bearerOf('one')?.member, web1);
  assert.deepEqual(await coming('web2', 'one'), { refused: 'key-taken' });
});

test('a person is not invited as a machine, whatever became of the account', async () => {
  const world = await aHub();
  await world.account('carol');
  const invited = () =>
    new Promise((done) => {
      world.accounts.invite(world.owner(), { name: 'carol', kind: 'host' }, { nowMs: NOW, done });
    });
  assert.deepEqual(await invited(), { refused: 'name-reserved', wasRevoked: false });
  await asked((done) => world.accounts.revoke(world.owner(), 'carol', { nowMs: NOW, done }));
  assert.deepEqual(await invited(), { refused: 'name-reserved', wasRevoked: true });
});

test('of two that take up one invitation in the same moment one gets in', async () => {
  const world = await aHub();
  const { code } = await invite(world, 'carol');
  const bearer = world.accounts.bearerOf(code, NOW);
  assert.ok(bearer?.kind === 'invited');
  const answers = await Promise.all(
    [1, 2].map(() => new Promise((done) => world.accounts.accept(bearer.invite, { nowMs: NOW, done }))),
  );
  const refused = answers.map((answer) => typeof answer === 'object' && answer !== null && 'refused' in answer);
  assert.deepEqual(refused, [false, true]);
});

test('a new invitation of the same name replaces the one before; an expired one frees the name', async () => {
  const world = await aHub();
  const first = await invite(world, 'carol');
  const second = await invite(world, 'carol');
  assert.deepEqual([first.isReplacing, second.isReplacing], [false, true]);
  assert.equal(world.accounts.bearerOf(first.code, NOW), undefined);
  assert.notEqual(world.accounts.bearerOf(second.code, NOW), undefined);
  assert.equal((await invite(world, 'dave', { nowMs: NOW + INVITE_MS })).isReplacing, false);
  assert.deepEqual(
    Array.from(world.hub.directory.invites, ({ name }) => name),
    ['dave'],
  );
  assert.equal(world.refusalOf('carol'), undefined);
  await invite(world, 'zoe');
  assert.equal((await invite(world, 'zoe', { nowMs: NOW + INVITE_MS })).isReplacing, false, 'it had expired');
});

test('who may invite whom: the owner anyone, operators members, others nobody', async () => {
  const world = await aHub();
  const [op, member] = [await world.account('op', 'operator'), await world.account('mia')];
  const [asOp, asMember] = [world.comeAs(op).session, world.comeAs(member).session];
  const guest = world.come('gus').session;
  assert.equal(await refusedInvite(world, asOp, 'a'), undefined);
  assert.equal(await refusedInvite(world, asOp, 'b', 'operator'), 'not-allowed');
  assert.equal(await refusedInvite(world, asMember, 'c'), 'not-allowed');
  assert.equal(await refusedInvite(world, guest, 'd'), 'not-allowed');
  assert.equal(await refusedInvite(world, world.owner(), 'gus'), 'name-in-use');
  assert.equal(await refusedInvite(world, world.owner(), 'owner'), 'name-reserved');
  assert.equal(await refusedInvite(world, world.owner(), 'all'), 'name-reserved');
  assert.equal(await refusedInvite(world, world.owner(), '-x'), 'bad-name');
  await invite(world, 'zoe');
  assert.equal(await refusedInvite(world, asOp, 'zoe'), 'name-reserved', 'it is the owner who invited zoe');
});

test('revoking ends the account, its tokens and its sessions, and keeps its name taken', async () => {
  const world = await aHub();
  const { accounts, hub } = world;
  const carol = await world.account('carol');
  const here = world.comeAs(carol);
  const { token } = await asked<{ token: string }>((done) => accounts.newToken(carol, 'laptop', { nowMs: NOW, done }));
  assert.equal(accounts.bearerOf(token, NOW)?.kind, 'account');
  const done = await asked<string>((tell) => accounts.revoke(world.owner(), 'CAROL', { nowMs: NOW, done: tell }));
  assert.deepEqual([done, here.ear.dismissed?.why], ['account', 'revoked']);
  assert.equal(accounts.bearerOf(token, NOW), undefined);
  assert.equal(world.refusalOf('carol'), 'name-reserved');
  hub.leave(here.session);
  const guest = world.come('gus');
  assert.deepEqual(await world.send(guest.session, ['carol'], 'hi'), {
    refused: 'unknown-recipient',
    names: ['carol'],
  });
});

test('what a revoked account asked before it knew comes to nothing, and so do its invitations', async () => {
  const world = await aHub();
  const { accounts } = world;
  const op = await world.account('op', 'operator');
  const by = world.comeAs(op).session;
  const { code } = await invite(world, 'mallory', { by });
  // All of it is asked in one turn, and decided one after the other.
  const revoked = asked<string>((done) => accounts.revoke(world.owner(), 'op', { nowMs: NOW, done }));
  const token = refusedBy((done) => accounts.newToken(op, 'way back', { nowMs: NOW, done }));
  const password = refusedBy((done) => accounts.setPassword(op, 'hash', done));
  const another = refusedBy((done) => accounts.invite(by, { name: 'eve' }, { nowMs: NOW, done }));
  const end = refusedBy((done) => accounts.revoke(by, 'op', { nowMs: NOW, done }));
  assert.equal(await revoked, 'account');
  assert.deepEqual(await Promise.all([token, password, another, end]), [
    'bad-secret',
    'bad-secret',
    'not-allowed',
    'not-allowed',
  ]);
  assert.equal(accounts.bearerOf(code, NOW), undefined);
});

test('rights by a later login last as long as what was shown for them, and whoever has them is told', async () => {
  const world = await aHub();
  const { accounts, hub } = world;
  const dave = await world.account('dave', 'operator');
  const token = () =>
    asked<{ id: number; token: string }>((done) => accounts.newToken(dave, 'laptop', { nowMs: NOW, done }));
  const [first, second, third] = [await token(), await token(), await token()];
  const [gus, mia] = [await world.account('gus'), await world.account('mia')].map((one) => world.comeAs(one).session);
  const zoe = world.come('zoe').session;
  assert.ok(gus !== undefined && mia !== undefined);
  const over: string[] = [];
  const raise = (session: Session, secret: string) => {
    const bearer = accounts.bearerOf(secret, NOW);
    assert.ok(bearer?.kind === 'account');
    hub.rights.raise(session, { by: bearer.member, token: bearer.token, onOver: () => over.push(session.member.name) });
    assert.equal(session.role, 'operator');
  };
  raise(gus, first.token);
  raise(mia, second.token);
  raise(zoe, third.token);
  assert.equal(await refusedInvite(world, gus, 'a'), undefined);
  await asked((done) => accounts.removeToken(world.comeAs(dave).session, first.id, done));
  assert.deepEqual([over, gus.role, mia.role], [['gus'], 'member', 'operator']);
  assert.equal(await refusedInvite(world, gus, 'b'), 'not-allowed');
  hub.leave(zoe);
  await asked((done) => accounts.revoke(world.owner(), 'dave', { nowMs: NOW, done }));
  assert.deepEqual([over, mia.role], [['gus', 'mia'], 'member']);
  assert.equal(await refusedInvite(world, mia, 'c'), 'not-allowed');
});

test('operators revoke those they invited, nobody revokes the owner, and an invitation can be taken back', async () => {
  const world = await aHub();
  const { accounts } = world;
  const op = await world.account('op', 'operator');
  const asOp = world.comeAs(op).session;
  await world.account('mia');
  const revoke = (by: Session, name: string) => refusedBy((done) => accounts.revoke(by, name, { nowMs: NOW, done }));
  assert.equal(await revoke(asOp, 'mia'), 'not-allowed');
  assert.equal(await revoke(asOp, 'owner'), 'not-allowed');
  assert.equal(await revoke(world.owner(), 'owner'), 'not-allowed');
  assert.equal(await revoke(asOp, 'nobody'), 'unknown-account');
  const { code } = await invite(world, 'own', { by: asOp });
  assert.equal(await revoke(asOp, 'own'), undefined);
  assert.equal(accounts.bearerOf(code, NOW), undefined);
  const later = await invite(world, 'own', { by: asOp });
  await accept(world, later.code);
  assert.equal(await revoke(asOp, 'own'), undefined);
});

test('with a token end the sessions that came in by it, present or not, and no others', async () => {
  const world = await aHub();
  const { accounts, hub } = world;
  const carol = await world.account('carol');
  const token = () => asked<{ id: number }>((done) => accounts.newToken(carol, 'x', { nowMs: NOW, done }));
  const [one, other] = [(await token()).id, (await token()).id];
  const ears = [new Ear(), new Ear(), new Ear(), new Ear(), new Ear()];
  const [asking, present, visiting, byOther, byPassword] = ears;
  assert.ok(asking && present && visiting && byOther && byPassword);
  const outlet = { broadcast: () => {} };
  const entrance = { outlet, isLoopback: true, family: 'ipv4', atMs: NOW } as const;
  const by = hub.visit(carol, { ...entrance, listener: asking, token: one });
  hub.enterAs(carol, { ...entrance, listener: present, token: one });
  hub.visit(carol, { ...entrance, listener: visiting, token: one });
  hub.enterAs(carol, { ...entrance, listener: byOther, token: other });
  hub.enterAs(carol, { ...entrance, listener: byPassword });
  await asked((done) => accounts.removeToken(by, one, done));
  const removed = { why: 'token-removed' };
  assert.deepEqual(
    ears.map(({ dismissed }) => dismissed),
    [undefined, removed, removed, undefined, undefined],
  );
});

test('a token is its owner’s to remove, and a guest has none', async () => {
  const world = await aHub();
  const { accounts } = world;
  const [carol, dave] = [await world.account('carol'), await world.account('dave')];
  const [asCarol, asDave] = [world.comeAs(carol).session, world.comeAs(dave).session];
  const { id, token } = await asked<{ id: number; token: string }>((done) =>
    accounts.newToken(carol, 'laptop', { nowMs: NOW, done }),
  );
  assert.equal(await refusedBy((done) => accounts.removeToken(asDave, id, done)), 'bad-secret');
  assert.equal(await refusedBy((done) => accounts.removeToken(asCarol, id, done)), undefined);
  assert.equal(accounts.bearerOf(token, NOW), undefined);
  const { member } = world.come('gus').session;
  assert.equal(await refusedBy((done) => accounts.newToken(member, 'x', { nowMs: NOW, done })), 'no-account');
  assert.equal(await refusedBy((done) => accounts.setPassword(member, 'x', done)), 'no-account');
});

test('what cannot be stored changes nothing, and everything is there after a restart', async () => {
  const journal = new MemoryJournal();
  const world = await aHub({}, journal);
  journal.failWith('the disk is full');
  assert.equal(await refusedInvite(world, world.owner(), 'carol'), 'not-stored');
  assert.equal(world.refusalOf('carol'), undefined);
  journal.recover();
  const carol = await world.account('carol2');
  const { token } = await asked<{ token: string }>((done) =>
    world.accounts.newToken(carol, 'laptop', { nowMs: NOW, done }),
  );
  const { code } = await invite(world, 'dave');
  const later = await aHub({}, new MemoryJournal({ after: journal }));
  assert.equal(later.accounts.bearerOf(token, NOW)?.kind, 'account');
  assert.equal((await accept(later, code)).name, 'dave');
});
