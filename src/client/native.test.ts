import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { StillWorld } from '../../test/kit/fake-chat.ts';
import { listenOn } from '../../test/kit/listener.ts';
import { LOOPBACKS } from '../../test/kit/server.ts';
import { dial } from '../net/dial.ts';
import { NativeLink } from '../protocol/native/link.ts';
import { METHODS } from '../protocol/native/methods.ts';
import { RUN_ENDED } from '../protocol/native/methods/run.ts';
import { Pump } from '../protocol/native/pump.ts';
import { clientOn } from './on-socket.ts';

/** A server that answers what it is told to answer, and says what it was asked for. */
class Server {
  readonly #link = new NativeLink('server', { serverName: 'Server' });
  readonly #pump: Pump;
  readonly #socket: Socket;
  readonly #asked: { method: string; id: number | string }[] = [];
  #onAsked = () => {};

  constructor(socket: Socket) {
    socket.setNoDelay(true);
    this.#socket = socket;
    this.#pump = new Pump(socket, this.#link, {
      onEvent: (event) => {
        if (event.type === 'request') this.#asked.push(event);
        this.#onAsked();
      },
      onDrain() {},
      onClosed() {},
    });
    this.#pump.start();
  }

  /** The next request there is, which must be this one. */
  async asked(method: string): Promise<number | string> {
    while (this.#asked.length === 0) await new Promise<void>((resolve) => (this.#onAsked = resolve));
    const asked = this.#asked.shift();
    assert.equal(asked?.method, method);
    return asked?.id ?? assert.fail();
  }

  answer(id: number | string, result: object): void {
    this.#link.connection.respond(id, result);
    this.#pump.settle();
  }

  /** As if a frame that none may send had come. */
  findFault(): void {
    this.#link.connection.receive({ kind: 'malformed', reason: 'a frame of no kind' });
    this.#pump.close();
  }

  leave(reason: string): void {
    this.#link.connection.close(reason);
    this.#pump.close();
  }

  breakRules(): void {
    this.#socket.write(Buffer.from('0000000900000000', 'hex'));
  }

  notify(method: string, params: object): void {
    this.#link.connection.notify(method, params);
    this.#pump.settle();
  }
}

async function connected(t: TestContext, host: string) {
  const accepted = Promise.withResolvers<Server>();
  const port = await listenOn(t, host, (socket) => accepted.resolve(new Server(socket)));
  const world = new StillWorld();
  const client = clientOn(await dial({ host, port }), { after: (ms, then) => world.after(ms, then) });
  t.after(() => client.destroy());
  assert.equal(await client.greeted(), undefined);
  /** All that the server has said until now has been heard. */
  const heard = async (server: Server) => {
    const told = new Promise((resolve) => client.onNotification('barrier', resolve));
    server.notify('barrier', {});
    await told;
  };
  return { client, world, server: await accepted.promise, heard };
}

for (const host of LOOPBACKS) {
  test(`a server that owes an answer and is silent is asked whether it is there, then given up: ${host}`, async (t) => {
    const { client, world, server } = await connected(t, host);
    const answer = client.request('chat.list', {});
    await server.asked('chat.list');
    world.pass();
    await server.asked('ping');
    world.pass();
    world.pass();
    assert.deepEqual(await answer, { lost: 'the server does not answer' });
    assert.equal(await client.gone, 'the server does not answer');
    assert.equal(world.isWaiting, false);
    assert.deepEqual(world.delays, [30_000, 14_000, 1_000]);
  });

  test(`a server that is slow with one answer and gives others is waited for: ${host}`, async (t) => {
    const { client, world, server, heard } = await connected(t, host);
    const answer = client.request('chat.search', { words: 'all' });
    const slow = await server.asked('chat.search');
    for (let round = 0; round < 3; round++) {
      world.pass();
      server.answer(await server.asked('ping'), {});
      await heard(server);
    }
    // As late as can be: a client that was stopped has not read yet what has come.
    world.pass();
    world.pass();
    await heard(server);
    world.pass();
    server.answer(slow, { messages: [] });
    assert.deepEqual(await answer, { result: { messages: [] } });
    assert.equal(world.isWaiting, false);
  });

  test(`a server that owes nothing is not asked, and one with a run under way is: ${host}`, async (t) => {
    const { client, world, server, heard } = await connected(t, host);
    assert.equal(world.isWaiting, false);
    const starting = client.request(METHODS.runStart, {});
    server.answer(await server.asked('run.start'), { run: 7 });
    await starting;
    assert.equal(world.isWaiting, true);
    world.pass();
    server.answer(await server.asked('ping'), {});
    server.notify(RUN_ENDED, { run: 7, result: 'exited', status: 0 });
    await heard(server);
    assert.equal(world.isWaiting, false);
    const again = client.request(METHODS.runStart, {});
    server.answer(await server.asked('run.start'), { run: 8 });
    await again;
    for (let step = 0; step < 3; step++) world.pass();
    assert.equal(await client.gone, 'the server does not answer');
  });

  test(`whoever waits is told that the connection went for a broken rule, whichever end broke it: ${host}`, async (t) => {
    for (const way of ['findFault', 'breakRules'] as const) {
      const { client, server } = await connected(t, host);
      const answer = client.request('chat.list', {});
      await server.asked('chat.list');
      server[way]();
      const lost = await answer;
      assert.ok('lost' in lost && lost.isRuleBroken === true, JSON.stringify(lost));
    }
    const { client, server } = await connected(t, host);
    const answer = client.request('chat.list', {});
    await server.asked('chat.list');
    server.leave('the server is closing');
    assert.deepEqual(await answer, { lost: 'the server is closing' });
  });

  test(`what JSON cannot say is refused here, asked or notified, and the connection goes on: ${host}`, async (t) => {
    const { client, server } = await connected(t, host);
    const circle: Record<string, unknown> = {};
    circle['itself'] = circle;
    for (const params of [{ id: 5n }, circle]) {
      assert.throws(() => client.notify('chat.ack', params), { name: 'TypeError', message: /; it was not sent$/ });
      const refused = await client.request('chat.ack', params);
      assert.ok('error' in refused && refused.error.data?.code === 'bad-params', JSON.stringify(refused));
    }
    const answer = client.request('chat.list', {});
    server.answer(await server.asked('chat.list'), { members: [] });
    assert.deepEqual(await answer, { result: { members: [] } });
  });

  test(`a server that is silent from the login on is given up too: ${host}`, async (t) => {
    const { client, world, server } = await connected(t, host);
    const answer = client.request('login.code', { code: 'ABCD' });
    await server.asked('login.code');
    for (let step = 0; step < 3; step++) world.pass();
    assert.deepEqual(await answer, { lost: 'the server does not answer' });
  });
}
