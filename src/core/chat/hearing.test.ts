// Hearing: what waits for an account, where it goes on, and how a slow reader gets everything.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aHub, Ear, wanting, outcomesOf, settled } from '../../../test/kit/hub.ts';
import { MemoryJournal } from '../../journal/memory.ts';

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
