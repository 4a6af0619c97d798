import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settled } from '../../test/kit/clock.ts';
import { FakeChat, StillWorld } from '../../test/kit/fake-chat.ts';
import { Client } from './client.ts';
import type { CredentialChoice } from './credential.ts';
import { ClosedError, RefusedError, UnreachableError } from './errors.ts';
import type { ConnectionState } from './link.ts';
import type { Reconnect } from './backoff.ts';

interface Having {
  readonly credential?: CredentialChoice;
  readonly reconnect?: Reconnect | false;
  readonly states?: ConnectionState[];
}

async function aClient({ credential = { token: 'pl_x' }, reconnect = {}, states }: Having = {}) {
  const server = new FakeChat();
  const world = new StillWorld();
  const onConnection = (state: ConnectionState) => void states?.push(state);
  const client = await Client.open({ transport: server.transport, credential, reconnect, world, onConnection });
  return { server, world, client };
}

/** The next attempt to connect has been made. */
async function again(world: StillWorld): Promise<void> {
  await settled();
  world.pass();
  await settled();
}

test('a client says who it is as the server knows it, and a message comes back with its id', async () => {
  const { server, client } = await aClient();
  assert.deepEqual(client.identity, { name: 'me', role: 'member' });
  const sent = await client.send(['bob', '#ops'], 'hi');
  assert.equal(sent.id, 1);
  assert.equal(sent.to.get('bob'), 'stored');
  assert.deepEqual(server.asked.at(-1), {
    method: 'chat.send',
    params: { to: ['bob', '#ops'], text: 'hi', key: 'key-1' },
  });
  await client.close();
});

for (const fate of ['lost', 'done-then-lost'] as const) {
  test(`a message whose connection goes before the answer (${fate}) is sent again with its key, and is there once`, async () => {
    const { server, world, client } = await aClient();
    server.before = ({ method }) => (method === 'chat.send' ? fate : 'done');
    const sending = client.send('bob', 'only once');
    server.before = () => 'done';
    await again(world);
    const { id, repeat } = await sending;
    assert.equal(id, 1);
    assert.equal(repeat, fate === 'done-then-lost');
    assert.deepEqual(
      server.messages.map(({ text }) => text),
      ['only once'],
    );
    assert.equal(server.wires.length, 2);
    await client.close();
  });
}

test('messages sent while the server is away arrive in their order when it is back', async () => {
  const { server, world, client } = await aClient();
  server.lose();
  server.isDown = true;
  const sending = ['one', 'two', 'three'].map((text) => client.send('bob', text));
  await again(world);
  server.isDown = false;
  await again(world);
  assert.deepEqual(
    (await Promise.all(sending)).map(({ id }) => id),
    [1, 2, 3],
  );
  assert.deepEqual(
    server.messages.map(({ text }) => text),
    ['one', 'two', 'three'],
  );
  await client.close();
});

test('what would do something else the second time is not asked again', async () => {
  const { server, world, client } = await aClient();
  server.before = ({ method }) => (method === 'account.invite' ? 'done-then-lost' : 'done');
  await assert.rejects(client.invite('eve'), (error) => error instanceof UnreachableError && error.isUnanswered);
  await again(world);
  assert.equal(server.asked.filter(({ method }) => method === 'account.invite').length, 1);
  await client.close();
});

test('what was on the way when a rule was broken is not asked again, and what waited is asked on the next connection', async () => {
  const { server, world, client } = await aClient();
  server.before = ({ method }) => (method === 'chat.send' ? 'cut' : 'done');
  const first = assert.rejects(
    client.send('bob', 'breaks it'),
    (error) => error instanceof UnreachableError && error.isUnanswered && error.message.includes('a frame too many'),
  );
  server.before = () => 'done';
  const second = client.send('bob', 'waits');
  await first;
  await again(world);
  assert.equal((await second).id, 1);
  assert.deepEqual(
    server.messages.map(({ text }) => text),
    ['waits'],
  );
  await client.close();
});

test('a refusal is an error with its code and its facts, and the client goes on', async () => {
  const { server, client } = await aClient();
  const data = { code: 'unknown-recipient', names: ['eve'] };
  server.before = () => ({ error: { error: { code: -32_000, message: 'Cannot send to "eve"', data } } });
  await assert.rejects(client.send('eve', 'hi'), (error) => {
    assert.ok(error instanceof RefusedError);
    assert.equal(error.code, 'unknown-recipient');
    assert.deepEqual(error.facts, { names: ['eve'] });
    return true;
  });
  server.before = () => 'done';
  assert.equal((await client.send('bob', 'hi')).id, 1);
  await client.close();
});

test('an answer that holds something else than the method gives is refused, not passed on', async () => {
  const { client } = await aClient();
  await assert.rejects(client.list(), UnreachableError);
  await client.close();
});

test('no more than 38 questions are on the way at once, and all of them are answered in order', async () => {
  const { server, client } = await aClient();
  const sending = Array.from({ length: 100 }, (_, at) => client.send('bob', `${at}`));
  assert.equal(server.asked.filter(({ method }) => method === 'chat.send').length, 38);
  assert.deepEqual(
    (await Promise.all(sending)).map(({ id }) => id),
    Array.from({ length: 100 }, (_, at) => at + 1),
  );
  await client.close();
});

test('who asks ten thousand questions without waiting is refused the next one', async () => {
  const { server, client } = await aClient();
  server.lose();
  const sending = Array.from({ length: 10_000 }, () => client.send('bob', 'x').catch((error: unknown) => error));
  await assert.rejects(client.send('bob', 'one too many'), { name: 'RefusedError', code: 'too-many-requests' });
  await client.close();
  assert.ok((await Promise.all(sending)).every((error) => error instanceof ClosedError));
});

test('a closed client ends the loop over its messages and answers nothing any more', async () => {
  const { client, server } = await aClient();
  server.lose();
  const sending = client.send('bob', 'never');
  const reading = client.messages().next();
  await client.close();
  await assert.rejects(sending, ClosedError);
  assert.equal((await reading).done, true);
  await assert.rejects(client.list(), ClosedError);
});

test('the first connection is tried once, and its failure is the caller’s', async () => {
  const server = new FakeChat();
  server.isDown = true;
  const options = { transport: server.transport, credential: 'none', reconnect: {}, world: new StillWorld() } as const;
  await assert.rejects(Client.open(options), UnreachableError);
});

test('attempts to come back wait longer and longer, and end when there have been enough', async () => {
  const states: ConnectionState[] = [];
  const { server, world, client } = await aClient({
    reconnect: { attempts: 3, firstDelayMs: 100, maxDelayMs: 150 },
    states,
  });
  server.isDown = true;
  const reading = assert.rejects(client.messages().next(), UnreachableError);
  server.lose();
  for (let attempt = 0; attempt < 3; attempt++) await again(world);
  assert.deepEqual(world.delays, [50, 75, 75]);
  await reading;
  assert.deepEqual(
    states.map(({ state }) => state),
    ['connected', 'lost', 'over'],
  );
  await assert.rejects(client.list(), UnreachableError);
  await client.close();
});

test('a server that no longer takes the credential ends the client with its refusal', async () => {
  const { server, world, client } = await aClient();
  const data = { code: 'bad-secret' };
  server.before = () => ({ error: { error: { code: -32_000, message: 'No such token', data } } });
  const sending = client.send('bob', 'hi');
  await assert.rejects(sending, { code: 'bad-secret' });
  server.lose();
  await again(world);
  await assert.rejects(client.list(), { name: 'RefusedError', code: 'bad-secret' });
  await client.close();
});

test('a password that is typed while the connection breaks is shown to the next one, and not asked for again', async () => {
  const server = new FakeChat();
  const asked: unknown[] = [];
  const typed = [Promise.withResolvers<string>(), Promise.withResolvers<string>()] as const;
  const credential = async () => {
    const { promise } = typed[asked.push('password') === 1 ? 0 : 1];
    return { name: 'me', password: await promise };
  };
  const opening = Client.open({ transport: server.transport, credential, reconnect: {}, world: new StillWorld() });
  await settled();
  server.lose('nobody showed who is there within 10 s');
  await settled();
  assert.equal(server.wires.length, 1, 'nobody is asked anything while somebody types');
  typed[0].resolve('correct horse');
  await using client = await opening;
  assert.deepEqual(
    server.asked.map(({ method, params }) => [method, params]),
    [['login.password', { name: 'me', password: 'correct horse' }]],
  );
  assert.equal(asked.length, 1);
  assert.equal(client.identity?.name, 'me');
});

test('what was typed for one server is not shown to another that answers in its place', async () => {
  const server = new FakeChat();
  const typed = Promise.withResolvers<{ token: string }>();
  const opening = Client.open({
    transport: server.transport,
    credential: () => typed.promise,
    reconnect: {},
    world: new StillWorld(),
  });
  await settled();
  server.lose();
  server.isLoopback = false;
  typed.resolve({ token: 'pl_x' });
  await assert.rejects(opening, UnreachableError);
  assert.deepEqual(server.asked, []);
  assert.ok(server.wires.every(({ isGone }) => isGone));
});

test('who gives up while a password is to be typed waits for nobody', async () => {
  const server = new FakeChat();
  const stop = new AbortController();
  const never = new Promise<never>(() => {});
  const options = { transport: server.transport, credential: () => never, reconnect: {}, world: new StillWorld() };
  const opening = Client.open(options, stop.signal);
  await settled();
  stop.abort(new ClosedError());
  await assert.rejects(opening, ClosedError);
  assert.ok(server.wire.isGone);
});

for (const code of ['busy', 'too-many-wrong']) {
  test(`a server that does not look at the password now is asked again later: ${code}`, async () => {
    const { server, world, client } = await aClient({ credential: { name: 'me', password: 'correct horse' } });
    const error = { error: { code: -32_000, message: 'Try again', data: { code, waitMs: 20_000 } } };
    server.before = ({ method }) => (method === 'login.password' ? { error } : 'done');
    server.lose();
    await again(world);
    server.before = () => 'done';
    await again(world);
    assert.equal((await client.send('bob', 'hi')).repeat, false);
    await client.close();
  });
}

test('a code is used once: the next time the token that it became is shown', async () => {
  const { server, world, client } = await aClient({ credential: { code: 'ABCD', label: 'here' } });
  assert.deepEqual(client.credential, { token: 'pl_new' });
  server.lose();
  await again(world);
  const logins = server.asked.filter(({ method }) => method.startsWith('login.'));
  assert.deepEqual(logins, [
    { method: 'login.code', params: { code: 'ABCD', label: 'here' } },
    { method: 'login.token', params: { token: 'pl_new' } },
  ]);
  await client.close();
});

test('nothing secret goes over plain text beyond this machine; a guest has no secret', async () => {
  const server = new FakeChat();
  server.isPrivate = false;
  server.isLoopback = false;
  const around = { transport: server.transport, reconnect: false, world: new StillWorld() } as const;
  for (const credential of [{ token: 'pl_x' }, { name: 'me', password: 'p' }, { code: 'C' }] as const) {
    await assert.rejects(Client.open({ ...around, credential }), { code: 'not-encrypted' });
  }
  await assert.rejects(Client.open({ ...around, credential: { ownerTokenFile: '/x' } }), { code: 'not-loopback' });
  assert.deepEqual(server.asked, []);
  const client = await Client.open({ ...around, credential: { guest: 'Vamshi' } });
  assert.deepEqual(client.identity, { name: 'Vamshi', role: 'guest' });
  await client.close();
});
