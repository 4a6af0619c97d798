import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settled } from '../../test/kit/clock.ts';
import { FakeChat, StillWorld } from '../../test/kit/fake-chat.ts';
import { Client } from './client.ts';

async function aClient() {
  const server = new FakeChat();
  const world = new StillWorld();
  const client = await Client.open({
    transport: server.transport,
    credential: { token: 'pl_x' },
    reconnect: {},
    world,
  });
  return { server, world, client };
}

async function again(world: StillWorld): Promise<void> {
  await settled();
  world.pass();
  await settled();
}

test('a message counts as read when the next one is asked for', async () => {
  const { server, client } = await aClient();
  server.say('one');
  server.say('two');
  const messages = client.messages();
  assert.equal((await messages.next()).value?.text, 'one');
  await settled();
  assert.equal(server.acknowledged, 0);
  assert.equal((await messages.next()).value?.text, 'two');
  void messages.next();
  await settled();
  assert.equal(server.acknowledged, 2);
  await client.close();
});

test('what is no id of a message is not acknowledged, and those that are still are', async () => {
  const { server, client } = await aClient();
  server.say('one');
  const messages = client.messages({ acknowledge: 'by-hand' });
  assert.equal((await messages.next()).value?.text, 'one');
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a program in plain JavaScript may say anything
  for (const wrong of [NaN, 1.5, -1, undefined, '1', 1n] as number[]) {
    assert.throws(() => client.acknowledge(wrong), { name: 'TypeError', message: /^acknowledge\(\) takes the id/ });
  }
  client.acknowledge(1);
  await settled();
  assert.equal(server.acknowledged, 1);
  await client.close();
});

test('over a lost connection every message comes once: what was not read again, what was read not', async () => {
  const { server, world, client } = await aClient();
  for (let at = 1; at <= 5; at++) server.say(`${at}`);
  const texts: string[] = [];
  const messages = client.messages();
  const read = async () => texts.push((await messages.next()).value?.text ?? 'none');
  for (let at = 1; at <= 3; at++) await read();
  server.lose();
  for (let at = 6; at <= 8; at++) server.say(`${at}`);
  await again(world);
  for (let at = 4; at <= 8; at++) await read();
  assert.deepEqual(texts, ['1', '2', '3', '4', '5', '6', '7', '8']);
  // What is in hand is not acknowledged by coming back: the next subscription begins before it.
  const after = server.asked.flatMap(({ method, params }) => (method === 'chat.subscribe' ? [params] : []));
  assert.deepEqual(after, [{}, { after: 2, journal: 'first' }]);
  await client.close();
});

test('when a copy of its journal took its place, the server’s new messages come once each, under old ids', async () => {
  const { server, world, client } = await aClient();
  const texts: string[] = [];
  const messages = client.messages();
  const read = async () => texts.push((await messages.next()).value?.text ?? 'none');
  for (let at = 1; at <= 5; at++) server.say(`${at}`);
  for (let at = 1; at <= 5; at++) await read();
  const reading = read();
  await settled();
  assert.equal(server.acknowledged, 5);
  server.restore(2);
  server.acknowledged = 0;
  for (let at = 3; at <= 4; at++) server.say(`new ${at}`);
  server.lose();
  await again(world);
  await reading;
  await settled();
  assert.equal(server.acknowledged, 0, 'what nobody has read is not acknowledged');
  await read();
  server.say('new 5');
  await read();
  server.lose();
  await again(world);
  server.say('new 6');
  await read();
  assert.deepEqual(texts, ['1', '2', '3', '4', '5', 'new 3', 'new 4', 'new 5', 'new 6']);
  const asked = server.asked.flatMap(({ method, params }) => (method === 'chat.subscribe' ? [params] : []));
  assert.deepEqual(asked, [{}, { after: 5, journal: 'first' }, { after: 4, journal: 'first restored' }]);
  await client.close();
});

test('what the reader has in hand from before a copy took the place of the journal acknowledges nothing', async () => {
  for (const acknowledge of ['consumed', 'by-hand'] as const) {
    const { server, world, client } = await aClient();
    for (let at = 1; at <= 5; at++) server.say(`${at}`);
    const messages = client.messages({ acknowledge });
    for (let at = 1; at <= 5; at++) await messages.next();
    server.restore(0);
    server.lose();
    for (let at = 1; at <= 5; at++) server.say(`new ${at}`);
    server.acknowledged = 0;
    await again(world);
    if (acknowledge === 'by-hand') client.acknowledge(5);
    assert.equal((await messages.next()).value?.text, 'new 1');
    await settled();
    assert.equal(server.acknowledged, 0);
    if (acknowledge === 'by-hand') client.acknowledge(1);
    assert.equal((await messages.next()).value?.text, 'new 2');
    await messages.return?.();
    await settled();
    assert.equal(server.acknowledged, acknowledge === 'by-hand' ? 1 : 2);
    await client.close();
  }
});

test('a loop that is left has read what it has in hand, and the next one goes on behind it', async () => {
  const { server, client } = await aClient();
  for (const text of ['one', 'two', 'three']) server.say(text);
  for await (const { text } of client.messages()) if (text === 'two') break;
  await settled();
  assert.equal(server.acknowledged, 2);
  assert.equal((await client.messages().next()).value?.text, 'three');
  await client.close();
});

test('by hand nothing is acknowledged but what the program says', async () => {
  const { server, client } = await aClient();
  for (const text of ['one', 'two', 'three']) server.say(text);
  for await (const { id } of client.messages({ acknowledge: 'by-hand' })) if (id === 3) break;
  await settled();
  assert.equal(server.acknowledged, 0);
  client.acknowledge(2);
  assert.equal(server.acknowledged, 2);
  await client.close();
});

test('a loop until everything waiting is read ends by itself', async () => {
  const { server, client } = await aClient();
  server.say('one');
  server.say('two');
  const texts: string[] = [];
  for await (const { text } of client.messages({ until: 'caught-up' })) texts.push(text);
  assert.deepEqual(texts, ['one', 'two']);
  await settled();
  assert.equal(server.acknowledged, 2);
  await client.close();
});

test('a reader of a thousand acknowledges now and then, not for each', async () => {
  const { server, client } = await aClient();
  for (let at = 0; at < 1_000; at++) server.say(`${at}`);
  let count = 0;
  for await (const _ of client.messages({ until: 'caught-up' })) count++;
  assert.equal(count, 1_000);
  const acks = server.asked.filter(({ method }) => method === 'chat.ack').length;
  assert.ok(acks <= 12, `${acks} acknowledgements`);
  assert.equal(server.acknowledged, 1_000);
  await client.close();
});

test('two loops at once are a mistake', async () => {
  const { client } = await aClient();
  client.messages();
  assert.throws(() => client.messages(), /being read already/);
  await client.close();
});
