// Who is here: names, accounts and guests, groups.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aHub, refusalOf, wanting, outcomesOf } from '../../test/kit/hub.ts';
import { MemoryJournal } from '../journal/memory.ts';
import type { Session } from './session.ts';

test('a name belongs to one at a time, in every spelling and to the eye, and is free again afterwards', async () => {
  const { hub, come, refusalOf: refusal, presence } = await aHub();
  const { session } = come('Ian');
  assert.equal(refusal('iAN'), 'name-in-use');
  assert.equal(refusal('1an'), 'name-confusable');
  hub.leave(session);
  hub.leave(session);
  const other = come('1an');
  assert.equal(refusal('Ian'), 'name-confusable');
  hub.leave(other.session);
  come('ian');
  assert.deepEqual(presence, ['Ian arrived', 'Ian left', '1an arrived', '1an left', 'ian arrived']);
});

test('all, the server and the owner are reserved in every spelling; what is no name is refused', async () => {
  const { refusalOf: refusal } = await aHub({ serverName: 'Lab', ownerName: 'boss' });
  for (const name of ['all', 'ALL', 'lab', 'Boss']) assert.equal(refusal(name), 'name-reserved', name);
  for (const name of ['a11', '1ab', 'bo5s'.replace('5', 'ꜱ')]) assert.ok(refusal(name), name);
  for (const name of ['', 'a b', '-a', 'a:b', 'x'.repeat(33)]) assert.equal(refusal(name), 'bad-name', name);
  assert.equal(refusal('server'), undefined);
});

test('guests from beyond loopback are let in by an open server only', async () => {
  assert.equal((await aHub()).refusalOf('eve', false), 'guests-not-let-in');
  assert.equal((await aHub({ isOpen: true })).refusalOf('eve', false), undefined);
});

test('the list is in order of arrival', async () => {
  const { hub, come } = await aHub();
  const first = come('Vamshi');
  come('Janaki');
  come('Prashanth');
  hub.leave(first.session);
  come('Varshittha');
  assert.deepEqual(hub.list(), ['Janaki', 'Prashanth', 'Varshittha']);
});

test('a group is told once to each of its members but the sender, and ends with its last one', async () => {
  const { hub, come, send, ask } = await aHub();
  const [a, b, c] = [come('Vamshi'), come('Janaki'), come('Prashanth')];
  const join = (session: Session, group: string) => ask(session, { type: 'join', group });
  assert.deepEqual(await join(a.session, '#Ops'), { type: 'joined', group: '#Ops' });
  assert.deepEqual(await join(b.session, '#ops'), { type: 'joined', group: '#Ops' });
  assert.deepEqual(outcomesOf(await send(wanting(a.session), ['#OPS', 'Janaki'], 'hi')), { Janaki: 'delivered' });
  assert.deepEqual([a.texts, b.texts, c.texts], [[], ['Vamshi (multicast) hi'], []]);
  assert.equal(refusalOf(await join(a.session, 'ops')), 'bad-group');
  assert.equal(refusalOf(await ask(c.session, { type: 'leave', group: '#ops' })), 'not-in-group');
  assert.equal(refusalOf(await ask(c.session, { type: 'leave', group: '#none' })), 'unknown-group');
  assert.deepEqual(await ask(a.session, { type: 'leave', group: '#ops' }), { type: 'left', group: '#Ops' });
  hub.leave(b.session);
  assert.equal(refusalOf(await send(a.session, ['#ops'], 'anyone?')), 'unknown-recipient');
});

test('an account stays in its groups while it is away and over a restart; what cannot be stored changes nothing', async () => {
  const world = await aHub();
  const { come, comeAs, send, ask, account, journal } = world;
  const carol = await account('carol');
  const here = comeAs(carol);
  await ask(here.session, { type: 'join', group: '#ops' });
  journal.failWith('the disk is full');
  assert.equal(refusalOf(await ask(here.session, { type: 'leave', group: '#ops' })), 'groups-not-stored');
  assert.equal(refusalOf(await ask(here.session, { type: 'join', group: '#two' })), 'groups-not-stored');
  journal.recover();
  const later = await aHub({}, new MemoryJournal({ after: journal }));
  assert.deepEqual(
    Array.from(later.hub.directory.groups, ({ name }) => name),
    ['#ops'],
  );
  assert.deepEqual(outcomesOf(await later.send(wanting(later.come('Vamshi').session), ['#ops'], 'hi')), {
    carol: 'stored',
  });
  assert.deepEqual(outcomesOf(await send(wanting(come('Vamshi').session), ['#ops'], 'hi')), { carol: 'delivered' });
});

test('a guest is a new member at every login, and hears nothing of what an earlier one of its name was told', async () => {
  const { hub, come, send, journal } = await aHub();
  const first = come('bob');
  await send(first.session, ['bob'], 'secret');
  const reader = hub.readerOf(first.session);
  hub.leave(first.session);
  const second = come('bob');
  assert.notEqual(hub.readerOf(second.session).member, reader.member);
  const { messages } = await journal.history({ ...hub.readerOf(second.session), limit: 10, maxBytes: 1_000 });
  assert.deepEqual(messages, []);
});
