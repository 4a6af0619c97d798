import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settled } from '../../test/kit/clock.ts';
import { StillWorld } from '../../test/kit/fake-chat.ts';
import { NativeConnection, sharedNotification } from '../protocol/native/connection.ts';
import { formatFrame, parseFrame } from '../protocol/native/frame.ts';
import { connect } from './mod.ts';
import { openWebSocket, type Socket } from './web-socket.ts';

type Listener = (event: { readonly data: unknown }) => void;

/** A WebSocket whose other end is a native connection in memory. */
class FakeSocket implements Socket {
  binaryType = 'blob';
  bufferedAmount = 0;
  readonly url: string;
  readonly server = new NativeConnection('server');
  readonly #listeners = new Map<string, Listener[]>();
  isClosed = false;
  /** It takes everything and answers nothing. */
  isSilent = false;
  readonly asked: string[] = [];

  constructor(url: string, { opens = true } = {}) {
    this.url = url;
    if (opens) queueMicrotask(() => this.emit('open'));
  }

  addEventListener(type: string, listener: Listener): void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener]);
  }

  send(message: Uint8Array<ArrayBuffer>): void {
    this.server.receive(parseFrame(message));
    for (const event of this.server.takeEvents()) {
      if (event.type !== 'request') continue;
      this.asked.push(event.method);
      if (this.isSilent) continue;
      if (event.method === 'login.guest') this.server.respond(event.id, { name: 'Vamshi', role: 'guest' });
      else this.server.respond(event.id, { members: [] });
    }
    queueMicrotask(() => this.deliver());
  }

  deliver(): void {
    for (const frame of this.server.takeOutput()) {
      this.emit('message', new Uint8Array(Buffer.concat(formatFrame(frame))).buffer);
    }
  }

  emit(type: string, data?: unknown): void {
    for (const listener of this.#listeners.get(type) ?? []) listener({ data });
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    queueMicrotask(() => this.emit('close'));
  }
}

async function aClient(host: string) {
  const sockets: FakeSocket[] = [];
  const makeSocket = (url: string) => {
    const socket = new FakeSocket(url);
    sockets.push(socket);
    return socket;
  };
  const world = new StillWorld();
  const client = await connect({ host, credential: { guest: 'Vamshi' }, makeSocket, world });
  return { client, sockets, world };
}

test('over a WebSocket each message is one frame, at the path of the native protocol', async () => {
  const { client, sockets } = await aClient('ws://localhost:7270');
  assert.equal(sockets[0]?.url, 'ws://localhost:7270/native');
  assert.equal(sockets[0]?.binaryType, 'arraybuffer');
  assert.deepEqual(client.identity, { name: 'Vamshi', role: 'guest' });
  assert.deepEqual(await client.list(), []);
  await client.close();
  assert.ok(sockets[0]?.isClosed);
});

test('a WebSocket that closes is opened again', async () => {
  const { client, sockets, world } = await aClient('wss://lab.example/chat');
  assert.equal(sockets[0]?.url, 'wss://lab.example/chat');
  sockets[0]?.emit('close');
  await settled();
  world.pass();
  assert.deepEqual(await client.list(), []);
  assert.equal(sockets.length, 2);
  await client.close();
});

test('what a socket has not sent yet holds back whoever writes, until it has', async () => {
  const socket = new FakeSocket('ws://localhost');
  const world = new StillWorld();
  const after = (ms: number, then: () => void) => world.after(ms, then);
  const { wire } = await openWebSocket({ url: socket.url, makeSocket: () => socket, after }, AbortSignal.any([]));
  let drains = 0;
  wire.onDrain(() => (drains += 1));
  const stream = wire.openStream('out', () => {});
  assert.equal(wire.write(stream, new Uint8Array(10)), true);
  socket.bufferedAmount = 300_000;
  assert.equal(wire.write(stream, new Uint8Array(10)), false);
  assert.equal(wire.canWrite(stream), false);
  world.pass();
  assert.equal(drains, 0);
  socket.bufferedAmount = 1_000;
  world.pass();
  assert.deepEqual([drains, wire.canWrite(stream), world.isWaiting], [1, true, false]);
  wire.destroy();
});

test('a message that is no frame ends the connection', async () => {
  const { client, sockets, world } = await aClient('ws://localhost');
  sockets[0]?.emit('message', 'text');
  await settled();
  assert.ok(sockets[0]?.isClosed);
  assert.ok(world.isWaiting, 'the next attempt is not under way');
  await client.close();
});

test('a secret goes over ws:// to this machine only', async () => {
  const credential = { token: 'pl_x' };
  const makeSocket = (url: string) => new FakeSocket(url);
  await assert.rejects(connect({ host: 'ws://lab.example', credential, makeSocket }), { code: 'not-encrypted' });
});

test('a server that owes an answer and is silent is asked whether it is there, then given up', async () => {
  const socket = new FakeSocket('ws://localhost');
  const world = new StillWorld();
  const after = (ms: number, then: () => void) => world.after(ms, then);
  const options = { url: socket.url, makeSocket: () => socket, after };
  const { wire } = await openWebSocket(options, AbortSignal.any([]));
  assert.equal(world.isWaiting, false);
  socket.isSilent = true;
  const answer = wire.request('chat.list', {});
  world.pass();
  assert.deepEqual(socket.asked, ['chat.list', 'ping']);
  socket.emit(
    'message',
    new Uint8Array(Buffer.concat(formatFrame(sharedNotification('chat.behind', { count: 1 })))).buffer,
  );
  for (let step = 0; step < 3; step++) world.pass();
  assert.deepEqual(socket.asked, ['chat.list', 'ping', 'ping']);
  assert.deepEqual(await answer, { lost: 'the server does not answer' });
  assert.ok(socket.isClosed);
  assert.equal(world.isWaiting, false);
});

test('whoever gives up while a login is not answered is told so at once, and the connection is closed', async () => {
  const stop = new AbortController();
  const socket = new FakeSocket('ws://localhost');
  socket.isSilent = true;
  const options = { host: 'ws://localhost', makeSocket: () => socket, world: new StillWorld(), signal: stop.signal };
  const connecting = connect({ ...options, credential: { guest: 'Vamshi' } });
  await settled();
  assert.deepEqual(socket.asked, ['login.guest']);
  stop.abort(new Error('enough'));
  await assert.rejects(connecting, { message: 'enough' });
  assert.ok(socket.isClosed);
});

test('a server that never opens the WebSocket is given up', async () => {
  const world = new StillWorld();
  const after = (ms: number, then: () => void) => world.after(ms, then);
  const makeSocket = (url: string) => new FakeSocket(url, { opens: false });
  const opening = openWebSocket({ url: 'ws://localhost', makeSocket, after }, AbortSignal.any([]));
  for (let step = 0; step < 3; step++) world.pass();
  await assert.rejects(opening, { message: 'Cannot connect to ws://localhost: the server does not answer' });
});
