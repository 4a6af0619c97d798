import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aHub, Ear, type HubWorld } from '../../test/kit/hub.ts';
import { MemoryJournal } from '../journal/memory.ts';
import type { Answer } from './hub.ts';
import type { Session } from './session.ts';

function refusalOf(answer: Answer): string | undefined {
  return 'refused' in answer ? answer.refused : undefined;
}

/** Only whoever wants receipts, or acknowledges, is told outcomes. */
function wanting(session: Session): Session {
  session.wantsReceipts = true;
  return session;
}

function outcomesOf(answer: Answer): Record<string, string> {
  assert.ok('outcomes' in answer, JSON.stringify(answer));
  return Object.fromEntries(answer.outcomes);
}

function idOf(answer: Answer): number {
  assert.ok('outcomes' in answer, JSON.stringify(answer));
  return answer.id;
}

/** Everything that was under way in the journal, reading too, is done. */
async function settled({ journal }: HubWorld): Promise<void> {
  const far = { member: 1, since: 0, after: 0, upTo: 0, limit: 1, maxBytes: 1 };
  for (let n = 0; n < 4; n++) await journal.feed(far);
  await new Promise<void>((resolve) => journal.settle(resolve));
}

test('a broadcast reaches everyone present but the sender', async () => {
  const { come, send } = await aHub();
  const [a, b, c] = [come('Vamshi'), come('Janaki'), come('Prashanth')];
  assert.equal(idOf(await send(a.session, 'all', 'hello')), 1);
  assert.deepEqual([a.texts, b.texts, c.texts], [[], ['Vamshi (broadcast) hello'], ['Vamshi (broadcast) hello']]);
});

test('a broadcast when nobody else is there is accepted', async () => {
  const { come, send } = await aHub();
  assert.equal(idOf(await send(come('Vamshi').session, 'all', 'hello')), 1);
});

test('nothing is told before it is stored, and nothing at all that cannot be', async () => {
  const { come, send, journal } = await aHub();
  const [a, b] = [come('Vamshi'), come('Janaki')];
  const answer = send(a.session, 'all', 'hello');
  assert.deepEqual(b.texts, []);
  await answer;
  assert.deepEqual(b.texts, ['Vamshi (broadcast) hello']);
  journal.failWith('the disk is full');
  assert.deepEqual(await send(a.session, ['Janaki'], 'lost?'), { refused: 'not-stored', reason: 'the disk is full' });
  journal.recover();
  assert.equal(idOf(await send(a.session, ['Janaki'], 'again')), 2);
  assert.deepEqual(b.texts, ['Vamshi (broadcast) hello', 'Vamshi (singlecast) again']);
});

test('answers come in the order of the commands, refusals too', async () => {
  const { come, send } = await aHub();
  const { session } = come('Vamshi');
  const order: string[] = [];
  const asking = [
    send(session, ['Vamshi'], 'one').then((answer) => order.push(String(idOf(answer)))),
    send(session, ['nobody'], 'two').then((answer) => order.push(refusalOf(answer) ?? '')),
    send(session, 'all', 'three').then((answer) => order.push(String(idOf(answer)))),
  ];
  await Promise.all(asking);
  assert.deepEqual(order, ['1', 'unknown-recipient', '2']);
});

test('one recipient is a singlecast, several a multicast, counted after duplicates and spellings are merged', async () => {
  const { come, send } = await aHub();
  const [a, b, c] = [come('Vamshi'), come('Janaki'), come('Prashanth')];
  await send(a.session, ['janaki', 'JANAKI'], 'one');
  await send(a.session, ['Janaki', 'Prashanth', 'Janaki'], 'two');
  await send(a.session, ['Vamshi'], 'myself');
  assert.deepEqual(b.texts, ['Vamshi (singlecast) one', 'Vamshi (multicast) two']);
  assert.deepEqual(c.texts, ['Vamshi (multicast) two']);
  assert.deepEqual(a.texts, ['Vamshi (singlecast) myself']);
});

test('a message to several of whom one is unknown is sent to nobody and names the unknown', async () => {
  const { come, send, hub } = await aHub();
  const [a, b] = [come('Vamshi'), come('Janaki')];
  const refusal = await send(a.session, ['Janaki', 'Bob', '-x', '#none'], 'hi');
  assert.deepEqual(refusal, { refused: 'unknown-recipient', names: ['Bob', '-x', '#none'] });
  assert.deepEqual([b.texts, hub.head], [[], 0]);
});

test('all among names, an empty message, one too long and an odd key are refused', async () => {
  const { come, send } = await aHub();
  const { session } = come('Vamshi');
  assert.equal(refusalOf(await send(session, ['Vamshi', 'All'], 'hi')), 'all-among-names');
  assert.equal(refusalOf(await send(session, 'all', '')), 'empty-message');
  assert.equal(refusalOf(await send(session, ['Vamshi'], '')), 'empty-message');
  assert.equal(refusalOf(await send(session, 'all', 'é'.repeat(32_769))), 'text-too-long');
  assert.equal(idOf(await send(session, 'all', 'é'.repeat(32_768))), 1);
  assert.equal(refusalOf(await send(session, 'all', 'x', 'k'.repeat(65))), 'bad-key');
  assert.equal(refusalOf(await send(session, 'all', 'x', 'a b')), 'bad-key');
});

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

test('an account may be here several times, hears everywhere, and has left with the last session', async () => {
  const { hub, come, comeAs, send, account, presence } = await aHub();
  const carol = await account('carol');
  const guest = come('Vamshi');
  const [one, two] = [comeAs(carol), comeAs(carol)];
  await send(guest.session, ['carol'], 'hi');
  assert.deepEqual([one.texts, two.texts], [['Vamshi (singlecast) hi'], ['Vamshi (singlecast) hi']]);
  hub.leave(one.session);
  assert.deepEqual(hub.list(), ['Vamshi', 'carol']);
  hub.leave(two.session);
  assert.deepEqual(presence, ['Vamshi arrived', 'carol arrived', 'carol left']);
});

// ── what waits ──

test('messages to an account that is away wait for it, broadcasts too, and are told once', async () => {
  const world = await aHub();
  const { hub, come, comeAs, send, account } = world;
  const a = come('Vamshi');
  await send(a.session, 'all', 'before its time');
  const carol = await account('carol');
  assert.deepEqual(outcomesOf(await send(wanting(a.session), ['carol'], 'one')), { carol: 'stored' });
  await send(a.session, 'all', 'two');
  await send(a.session, ['Vamshi'], 'not for carol');
  const first = comeAs(carol);
  await settled(world);
  assert.deepEqual(first.texts, ['Vamshi (singlecast) one', 'Vamshi (broadcast) two']);
  assert.deepEqual(outcomesOf(await send(wanting(a.session), ['carol'], 'three')), { carol: 'delivered' });
  assert.equal(first.texts.at(-1), 'Vamshi (singlecast) three');
  hub.hearing.confirm(first.session);
  hub.leave(first.session);
  const second = comeAs(carol);
  await send(a.session, ['carol'], 'four');
  assert.deepEqual(second.texts, ['Vamshi (singlecast) four']);
});

test('after an abnormal end an account gets what came since its last word again, and after a restart too', async () => {
  const world = await aHub();
  const { hub, come, comeAs, send, account } = world;
  const a = come('Vamshi');
  const carol = await account('carol');
  const first = comeAs(carol);
  await send(a.session, ['carol'], 'one');
  hub.hearing.confirm(first.session);
  await send(a.session, ['carol'], 'two');
  hub.leave(first.session);
  const second = comeAs(carol);
  await settled(world);
  assert.deepEqual(second.texts, ['Vamshi (singlecast) two']);
  hub.hearing.save();
  await settled(world);
  const later = await aHub({}, new MemoryJournal({ after: world.journal }));
  const again = later.hub.directory.account(carol.key);
  assert.ok(again !== undefined);
  const third = later.comeAs(again);
  await settled(later);
  assert.deepEqual(third.texts, ['Vamshi (singlecast) two']);
});

test('a client that names its cursor gets all after it and nothing before it', async () => {
  const world = await aHub();
  const { come, comeAs, send, account } = world;
  const a = come('Vamshi');
  const carol = await account('carol');
  for (const text of ['one', 'two', 'three']) await send(a.session, ['carol'], text);
  const { texts, ear } = comeAs(carol, { ear: new Ear({ acknowledges: true }), after: 1 });
  await settled(world);
  assert.deepEqual(
    [texts, ear.ids],
    [
      ['Vamshi (singlecast) two', 'Vamshi (singlecast) three'],
      [2, 3],
    ],
  );
});

test('a slow reader reads on from the journal, misses nothing, repeats nothing, and is told how far behind it is', async () => {
  const world = await aHub();
  const { hub, come, send, time } = world;
  const [a, slow] = [come('Vamshi'), come('Janaki')];
  const all: string[] = [];
  const say = async (count: number) => {
    for (let n = 0; n < count; n++) {
      all.push(`Vamshi (broadcast) ${all.length}`);
      await send(a.session, 'all', String(all.length - 1));
    }
  };
  await say(3);
  slow.ear.isFull = true;
  hub.hearing.fallBehind(slow.session);
  await say(1_200);
  assert.equal(slow.texts.length, 3);
  slow.ear.isFull = false;
  hub.hearing.goOn(slow.session);
  await say(20);
  await settled(world);
  assert.equal(slow.session.isLive, true);
  await say(2);
  assert.deepEqual(slow.texts, all);
  assert.deepEqual(slow.ear.counts, [1_200]);
  hub.hearing.fallBehind(slow.session);
  time.nowMs += 9_999;
  assert.equal(slow.session.isLive, true, 'nothing was missing');
});

test('how far behind a slow reader is counts what is for it, and nothing else', async () => {
  const world = await aHub();
  const { hub, come, send, time } = world;
  const [a, b, slow] = [come('Vamshi'), come('Janaki'), come('Prashanth')];
  await send(a.session, 'all', 'heard');
  slow.ear.isFull = true;
  hub.hearing.fallBehind(slow.session);
  await send(a.session, 'all', 'one');
  await send(slow.session, 'all', 'its own');
  await send(a.session, ['Janaki'], 'for another');
  await send(a.session, ['Janaki', 'Prashanth'], 'two');
  await send(slow.session, ['Prashanth'], 'three');
  slow.ear.isFull = false;
  hub.hearing.goOn(slow.session);
  assert.deepEqual(slow.ear.counts, [3], 'at once, whatever the journal can be asked yet');
  await settled(world);
  assert.equal(slow.session.isLive, true);
  slow.ear.isFull = true;
  hub.hearing.fallBehind(slow.session);
  for (let n = 0; n < 700; n++) await send(b.session, 'all', `${n}`);
  slow.ear.isFull = false;
  hub.hearing.goOn(slow.session);
  slow.ear.isFull = true;
  await settled(world);
  await send(b.session, 'all', 'and one');
  slow.ear.isFull = false;
  time.nowMs += 10_000;
  hub.hearing.goOn(slow.session);
  assert.deepEqual(slow.ear.counts, [3, 700, 201]);
});

test('who returns far behind is told how far once that can be counted', async () => {
  const journal = new MemoryJournal();
  let isLagging = true;
  const feed = journal.feed.bind(journal);
  let gate = Promise.resolve();
  journal.feed = async (query) => {
    await gate;
    const { behind, ...page } = await feed({ ...query, limit: 2 });
    return isLagging || behind === undefined ? page : { ...page, behind };
  };
  const world = await aHub({}, journal);
  const { hub, come, comeAs, account, send, time } = world;
  const carol = await account('carol');
  const a = come('Vamshi');
  for (let n = 0; n < 9; n++) await send(a.session, 'all', `${n}`);
  const ear = new Ear();
  ear.isFull = true;
  const { session } = comeAs(carol, { ear });
  time.nowMs += 10_000;
  ear.isFull = false;
  hub.hearing.goOn(session);
  ear.isFull = true;
  await settled(world);
  assert.deepEqual([ear.texts.length, ear.counts], [2, []]);
  isLagging = false;
  time.nowMs += 10_000;
  const { promise, resolve: letGo } = Promise.withResolvers<void>();
  gate = promise;
  ear.isFull = false;
  hub.hearing.goOn(session);
  ear.isFull = true;
  await send(a.session, 'all', 'meanwhile');
  letGo();
  await settled(world);
  assert.deepEqual([ear.texts.length, ear.counts], [4, [8]], 'seven, and one meanwhile');
});

test('who cannot be read to is told so and goes', async () => {
  const world = await aHub();
  const { come, comeAs, send, account, journal } = world;
  const carol = await account('carol');
  await send(come('Vamshi').session, ['carol'], 'one');
  await journal.close();
  const { ear } = comeAs(carol);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(ear.dismissed?.why, 'unreadable');
});

// ── receipts and resends ──

test('the answer names what became of it for each, and the sender hears when the rest arrives', async () => {
  const world = await aHub();
  const { hub, come, comeAs, send, account } = world;
  const [bob, eve] = [await account('bob'), await account('eve')];
  const a = come('Vamshi');
  a.session.wantsReceipts = true;
  comeAs(bob);
  assert.deepEqual(outcomesOf(await send(wanting(a.session), ['bob', 'eve'], 'hi')), {
    bob: 'delivered',
    eve: 'stored',
  });
  comeAs(eve);
  await settled(world);
  assert.deepEqual(a.ear.receipts, ['1 eve=delivered']);
  assert.deepEqual(
    outcomesOf(await send(wanting(a.session), 'all', 'all here')),
    { all: 'stored' },
    'the owner is away',
  );
  hub.leave(a.session);
});

test('what a native client is told counts when it says so', async () => {
  const world = await aHub();
  const { hub, come, comeAs, send, account } = world;
  const bob = await account('bob');
  const a = come('Vamshi');
  a.session.wantsReceipts = true;
  const native = comeAs(bob, { ear: new Ear({ acknowledges: true }) });
  assert.deepEqual(outcomesOf(await send(wanting(a.session), ['bob'], 'one')), { bob: 'stored' });
  assert.deepEqual(native.texts, ['Vamshi (singlecast) one']);
  hub.hearing.confirm(native.session, 1);
  hub.hearing.confirm(native.session, 1);
  assert.deepEqual(a.ear.receipts, ['1 bob=delivered']);
  await send(a.session, ['bob'], 'two');
  hub.leave(native.session);
  const again = comeAs(bob);
  await settled(world);
  assert.deepEqual(again.texts, ['Vamshi (singlecast) two']);
});

test('the same key is the same message, told once; with another text it is refused; a guest has keys of its own', async () => {
  const { hub, come, send } = await aHub();
  const [a, b] = [come('Vamshi'), come('Janaki')];
  const first = await send(a.session, ['Janaki'], 'hi', 'k7');
  assert.deepEqual(outcomesOf(first), {});
  const second = await send(wanting(a.session), ['Janaki'], 'hi', 'k7');
  assert.deepEqual([idOf(first), idOf(second)], [1, 1]);
  assert.ok('isRepeat' in second && second.isRepeat && 'isRepeat' in first && !first.isRepeat);
  assert.deepEqual(outcomesOf(second), { Janaki: 'delivered' });
  assert.deepEqual(await send(a.session, ['Janaki'], 'other', 'k7'), { refused: 'key-reused', id: 1 });
  assert.deepEqual(b.texts, ['Vamshi (singlecast) hi']);
  hub.leave(a.session);
  const next = come('Vamshi');
  assert.equal(idOf(await send(next.session, ['Janaki'], 'hi', 'k7')), 2);
});

// ── groups ──

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
  assert.equal(refusalOf(await ask(here.session, { type: 'leave', group: '#ops' })), 'not-stored');
  assert.equal(refusalOf(await ask(here.session, { type: 'join', group: '#two' })), 'not-stored');
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
