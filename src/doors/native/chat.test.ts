// Talking over the native door: what is told, what is acknowledged, and what becomes of it when a connection is cut.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aNativeHouse } from '../../../test/kit/native-house.ts';
import { LOOPBACKS } from '../../../test/kit/server.ts';
import { TRANSPORTS, type Talker } from '../../../test/kit/talker.ts';
import { chatSend } from '../../protocol/native/methods/chat.ts';
import { MAX_UNACKNOWLEDGED } from './limits.ts';

async function send(by: Talker, to: string, text: string, key?: string) {
  const params = { to: to.split(' '), text, ...(key === undefined ? {} : { key }) };
  const answered = await by.ask('chat.send', params);
  return chatSend.parseResult(answered) ?? assert.fail(`not sent: ${JSON.stringify(answered)}`);
}

async function textsOf(talker: Talker, count: number): Promise<string[]> {
  const texts: string[] = [];
  while (texts.length < count) texts.push((await talker.message()).text);
  return texts;
}

for (const host of LOOPBACKS) {
  for (const over of TRANSPORTS) {
    test(`what is sent is told to those for whom it is: ${over} ${host}`, async () => {
      await using house = await aNativeHouse(host, { receiptWaitMs: 0 });
      const [vamshi, janaki] = [await house.guest('Vamshi', over), await house.guest('Janaki', over)];
      const sent = await send(vamshi, 'all', 'hello');
      const [at, message] = ['2026-01-02T03:04:05.678Z', await janaki.message()];
      assert.deepEqual(sent, { id: 1, at, to: new Map([['all', 'stored']]), repeat: false });
      assert.deepEqual(message, { id: 1, at, from: 'Vamshi', to: ['all'], cast: 'broadcast', text: 'hello' });
      await send(janaki, 'VAMSHI', 'hi\u001b\n');
      assert.deepEqual(await vamshi.message(), {
        id: 2,
        at,
        from: 'Janaki',
        to: ['Vamshi'],
        cast: 'singlecast',
        text: 'hi\u001b\n',
      });
      assert.deepEqual((await vamshi.barrier()).concat(await janaki.barrier()), []);
      const refused = await vamshi.try('chat.send', { to: ['Janaki', 'nobody', 'none'], text: 'x' });
      assert.ok('error' in refused);
      assert.deepEqual(refused.error.data, { code: 'unknown-recipient', names: ['nobody', 'none'] });
      assert.deepEqual(await janaki.barrier(), []);
    });

    test(`a cut connection goes on where it was, without loss and without repeat: ${over} ${host}`, async () => {
      await using house = await aNativeHouse(host, { receiptWaitMs: 0 });
      const { token } = await house.account('Janaki');
      const vamshi = await house.guest('Vamshi', over);
      const first = await house.talk(over);
      assert.deepEqual(await first.ask('login.token', { token }), { name: 'Janaki', role: 'member' });
      const { journalId: journal } = house.journal.everything;
      assert.deepEqual(await first.ask('chat.subscribe'), { head: 0, cursor: 0, journal });
      for (let n = 1; n <= 5; n++) await send(vamshi, 'Janaki', `${n}`);
      assert.deepEqual(await textsOf(first, 5), ['1', '2', '3', '4', '5']);
      first.acknowledge(3);
      await first.ask('ping');
      first.cut();
      await send(vamshi, 'Janaki', '6');
      const again = await house.talk(over);
      await again.ask('login.token', { token });
      assert.deepEqual(
        await again.ask('chat.subscribe'),
        { head: 6, cursor: 3, journal },
        'what was acknowledged is not told again',
      );
      assert.deepEqual(await textsOf(again, 3), ['4', '5', '6']);
      assert.deepEqual(await again.until('chat.live'), { head: 6 });
      again.cut();
      const third = await house.talk(over);
      await third.ask('login.token', { token });
      assert.deepEqual(
        await third.ask('chat.subscribe', { after: 5, journal }),
        { head: 6, cursor: 5, journal },
        'the client knows better',
      );
      assert.deepEqual(await textsOf(third, 1), ['6']);
      assert.deepEqual(await third.until('chat.live'), { head: 6 });
      assert.deepEqual(await third.barrier(), []);
      third.cut();
      const fourth = await house.talk(over);
      await fourth.ask('login.token', { token });
      assert.deepEqual(
        await fourth.ask('chat.subscribe', { after: 5, journal: 'the one before' }),
        { head: 6, cursor: 3, journal },
        'what it knows is of other messages',
      );
      assert.deepEqual(await textsOf(fourth, 3), ['4', '5', '6']);
    });

    test(`a message is stored until its recipient has it, and its sender hears of that: ${over} ${host}`, async () => {
      await using house = await aNativeHouse(host);
      const { token } = await house.account('Janaki');
      const vamshi = await house.guest('Vamshi', over);
      assert.deepEqual((await send(vamshi, 'Janaki', 'one')).to, new Map([['Janaki', 'stored']]));
      const janaki = await house.talk(over);
      await janaki.ask('login.token', { token });
      await janaki.ask('chat.subscribe');
      assert.equal((await janaki.message()).text, 'one');
      assert.deepEqual(await vamshi.barrier(), [], 'told is not delivered');
      janaki.acknowledge(1);
      assert.deepEqual(await vamshi.until('chat.receipt'), { id: 1, name: 'Janaki', outcome: 'delivered' });
      const two = send(vamshi, 'Janaki', 'two');
      janaki.acknowledge((await janaki.message()).id);
      assert.deepEqual((await two).to, new Map([['Janaki', 'delivered']]), 'whoever is here is waited for');
      assert.deepEqual(await vamshi.barrier(), [], 'and that is said once');
    });
  }

  test(`a recipient who is here and does not acknowledge is not waited for much longer: ${host}`, async () => {
    await using house = await aNativeHouse(host, { receiptWaitMs: 1 });
    const [vamshi, janaki] = [await house.guest('Vamshi'), await house.guest('Janaki')];
    assert.deepEqual((await send(vamshi, 'Janaki', 'x')).to, new Map([['Janaki', 'stored']]));
    janaki.acknowledge(1);
    assert.deepEqual(await vamshi.until('chat.receipt'), { id: 1, name: 'Janaki', outcome: 'delivered' });
  });

  test(`a guest is present from its login on, and told what was said before it subscribed: ${host}`, async () => {
    await using house = await aNativeHouse(host, { receiptWaitMs: 0 });
    const vamshi = await house.guest('Vamshi');
    const janaki = await house.talk();
    await janaki.ask('login.guest', { name: 'Janaki' });
    assert.deepEqual(house.hub.list(), ['Vamshi', 'Janaki']);
    assert.equal(await janaki.ask('chat.ack', { id: 0 }), 'not-subscribed');
    await send(vamshi, 'all', '1');
    await send(vamshi, 'Janaki', '2');
    assert.deepEqual(await janaki.barrier(), []);
    const { journalId: journal } = house.journal.everything;
    assert.deepEqual(await janaki.ask('chat.subscribe'), { head: 2, cursor: 0, journal });
    assert.deepEqual(await textsOf(janaki, 2), ['1', '2']);
    assert.equal(await janaki.ask('chat.subscribe'), 'already-subscribed');
    assert.equal(await janaki.ask('login.guest', { name: 'Zoe' }), 'already-logged-in');
    janaki.cut();
    await janaki.closed();
    assert.equal(await (await house.talk()).ask('login.guest', { name: 'vamshi' }), 'name-in-use');
  });

  test(`a login makes nobody present, a subscription does, and several are one member: ${host}`, async () => {
    await using house = await aNativeHouse(host, { receiptWaitMs: 0 });
    const { token } = await house.account('Janaki');
    const [one, other] = [await house.talk(), await house.talk()];
    for (const talker of [one, other]) await talker.ask('login.token', { token });
    const vamshi = await house.guest('Vamshi');
    assert.deepEqual(house.hub.list(), ['Vamshi']);
    await send(one, 'Vamshi', 'from nobody present');
    assert.equal((await vamshi.message()).from, 'Janaki');
    for (const talker of [one, other]) await talker.ask('chat.subscribe');
    assert.deepEqual(house.hub.list(), ['Vamshi', 'Janaki']);
    await send(vamshi, 'Janaki', 'to both');
    assert.deepEqual([(await one.message()).text, (await other.message()).text], ['to both', 'to both']);
    await send(one, 'all', 'not to oneself');
    assert.equal((await vamshi.message()).text, 'not to oneself');
    assert.deepEqual(
      [await one.barrier(), await other.barrier()].flat().filter(({ method }) => method === 'chat.message'),
      [],
    );
  });

  test(`who acknowledges nothing is told no more than so much, and the rest when it does: ${host}`, async () => {
    await using house = await aNativeHouse(host, { receiptWaitMs: 0 });
    const [vamshi, janaki] = [await house.guest('Vamshi'), await house.guest('Janaki')];
    const count = MAX_UNACKNOWLEDGED + 700;
    for (let from = 0; from < count; from += 50) {
      await Promise.all(Array.from({ length: 50 }, (_, n) => send(vamshi, 'all', `${from + n}`)));
    }
    const told = (await janaki.barrier()).filter(({ method }) => method === 'chat.message');
    assert.equal(told.length, MAX_UNACKNOWLEDGED);
    await vamshi.barrier();
    assert.deepEqual(await janaki.barrier(), [], 'and nothing by itself');
    janaki.acknowledge(MAX_UNACKNOWLEDGED);
    const texts = await textsOf(janaki, 700);
    assert.deepEqual(await janaki.until('chat.live'), { head: count });
    assert.deepEqual(
      texts,
      Array.from({ length: 700 }, (_, n) => `${MAX_UNACKNOWLEDGED + n}`),
    );
    await send(vamshi, 'Janaki', 'live again');
    assert.deepEqual(await textsOf(janaki, 1), ['live again']);
  });

  test(`a reader that takes nothing falls behind, holds nobody up, and catches up: ${host}`, async () => {
    await using house = await aNativeHouse(host, { receiptWaitMs: 0 });
    const [vamshi, janaki, prashanth] = [
      await house.guest('Vamshi'),
      await house.guest('Janaki'),
      await house.guest('Prashanth'),
    ];
    janaki.pause();
    const long = 'x'.repeat(60_000);
    for (let n = 0; n < 100; n++) {
      await send(vamshi, 'all', `${n} ${long}`);
      const { id } = await prashanth.message();
      prashanth.acknowledge(id);
    }
    const member = [...house.hub.present()].find(({ name }) => name === 'Janaki');
    assert.equal(member?.sessions[0]?.isLive, false);
    janaki.resume();
    for (let n = 0; n < 100; n++) {
      const { id, text } = await janaki.message();
      assert.ok(text.startsWith(`${n} `), `${n} is ${text.slice(0, 10)}`);
      janaki.acknowledge(id);
    }
    await janaki.until('chat.live');
  });

  test(`the same key is the same message: ${host}`, async () => {
    await using house = await aNativeHouse(host, { receiptWaitMs: 0 });
    const [vamshi, janaki] = [await house.guest('Vamshi'), await house.guest('Janaki')];
    assert.equal((await send(vamshi, 'Janaki', 'x', 'k')).repeat, false);
    assert.deepEqual(
      { ...(await send(vamshi, 'Janaki', 'x', 'k')), to: 0 },
      {
        id: 1,
        at: '2026-01-02T03:04:05.678Z',
        to: 0,
        repeat: true,
      },
    );
    const other = await vamshi.try('chat.send', { to: ['Janaki'], text: 'y', key: 'k' });
    assert.deepEqual('error' in other && other.error.data, { code: 'key-reused', id: 1 });
    assert.deepEqual(await textsOf(janaki, 1), ['x']);
    assert.deepEqual(await janaki.barrier(), []);
    house.journal.failWith('the disk is full');
    const failed = await vamshi.try('chat.send', { to: ['Janaki'], text: 'z' });
    assert.equal('error' in failed && failed.error.data?.code, 'not-stored');
    assert.deepEqual(await janaki.barrier(), []);
  });
}

test('groups, the list, the history and what is found in it', async () => {
  await using house = await aNativeHouse('::1', { receiptWaitMs: 0 });
  const [vamshi, janaki] = [await house.guest('Vamshi'), await house.guest('Janaki')];
  assert.deepEqual(await janaki.ask('group.join', { group: '#Ops' }), { group: '#Ops' });
  assert.equal(await vamshi.ask('group.join', { group: 'ops' }), 'bad-group');
  assert.equal(await vamshi.ask('group.leave', { group: '#ops' }), 'not-in-group');
  assert.deepEqual(await vamshi.ask('group.list'), { groups: [{ name: '#Ops', members: ['Janaki'] }] });
  assert.deepEqual((await send(vamshi, '#ops', 'the quick fox')).to, new Map([['Janaki', 'stored']]));
  await send(vamshi, 'Janaki', 'a slow one');
  const since = '2026-01-02T03:04:05.678Z';
  const someone = { kind: 'person', since, family: 'ipv6' };
  assert.deepEqual(await janaki.ask('chat.list'), {
    members: [
      { name: 'Vamshi', ...someone },
      { name: 'Janaki', ...someone },
    ],
  });
  const [quick, slow] = [
    { id: 1, at: since, from: 'Vamshi', to: ['#Ops'], cast: 'multicast', text: 'the quick fox' },
    { id: 2, at: since, from: 'Vamshi', to: ['Janaki'], cast: 'singlecast', text: 'a slow one' },
  ];
  assert.deepEqual(await janaki.ask('chat.history'), { messages: [quick, slow], more: false });
  assert.deepEqual(await janaki.ask('chat.history', { limit: 1 }), { messages: [slow], more: true });
  assert.deepEqual(await janaki.ask('chat.history', { limit: 1, after: 0 }), { messages: [quick], more: true });
  const nothing = { messages: [], more: false };
  assert.deepEqual(await janaki.ask('chat.history', { with: 'owner' }), nothing);
  for (const partner of ['nobody', '#none', 'no name']) {
    assert.deepEqual(await janaki.ask('chat.history', { with: partner }), { ...nothing, unknown: true }, partner);
  }
  assert.deepEqual(await janaki.ask('chat.search', { words: 'quick' }), {
    messages: [{ ...quick, snippet: 'the \u0002quick\u0003 fox' }],
    more: false,
  });
  assert.deepEqual(await janaki.ask('group.leave', { group: '#ops' }), { group: '#Ops' });
  assert.equal(await vamshi.ask('chat.send', { to: ['#ops'], text: 'x' }), 'unknown-recipient');
});

test('a sender from beyond loopback over its rate is read more slowly, and loses nothing', async () => {
  let nowMs = 0;
  let stepMs = 0;
  const clock = () => (nowMs += stepMs);
  const options = { isLoopback: false, isOpen: true, receiptWaitMs: 0, clock };
  await using house = await aNativeHouse('127.0.0.1', { ...options, rate: { perSecond: 1_000, burst: 3 } });
  const [vamshi, janaki] = [await house.talk(), await house.talk()];
  await vamshi.ask('login.guest', { name: 'Vamshi' });
  const answers: number[] = [];
  const pings = Array.from({ length: 8 }, async (_, n) => {
    await vamshi.ask('ping');
    answers.push(n);
  });
  await Promise.all(pings.slice(0, 3));
  await janaki.ask('ping');
  assert.deepEqual(answers, [0, 1, 2], 'the burst, its login among it, and the one that found it empty');
  stepMs = 1;
  await Promise.all(pings);
  assert.deepEqual(answers, [0, 1, 2, 3, 4, 5, 6, 7]);
});
