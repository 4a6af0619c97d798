// How long a connection may take, on a clock that only the test moves: over real sockets of both families.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { peerOf } from '../../net/peer.ts';
import { LOOPBACKS } from '../../../test/kit/server.ts';
import { Transcript } from '../../../test/kit/transcript.ts';
import { HttpDoor } from './door.ts';

const LIMIT = { timeout: 20_000 };
const GET = 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n';
const POST = 'POST /none HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\n';
/** What is said to a request that took too long, and then nothing more. */
const TIMED_OUT = 'HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';
const ANSWER = /^HTTP\/1\.1 200 OK\r\n[^]*?\}\n$/;

interface Caller {
  readonly socket: Socket;
  readonly heard: Transcript;
}

async function aDoor(t: TestContext, host: string) {
  const door = new HttpDoor({
    serverName: 'Server',
    health: () => ({ isWell: true, facts: { status: 'ok' } }),
    hostNames: [],
  });
  const accepted: (() => void)[] = [];
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
    const peer = peerOf(socket);
    assert.ok(peer);
    door.accept(socket, peer, new Uint8Array(0));
    accepted.shift()?.();
  }).listen(0, host);
  await once(server, 'listening');
  const callers: Socket[] = [];
  t.after(async () => {
    server.close();
    for (const socket of callers) socket.destroy();
    await door.close(AbortSignal.abort());
  });
  return {
    door,
    /** A connection that the door has; this end stays open until the test ends it. */
    call: async (): Promise<Caller> => {
      const isAccepted = new Promise<void>((resolve) => accepted.push(resolve));
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a TCP server that listens has such an address
      const socket = connect({ host, port: (server.address() as AddressInfo).port, allowHalfOpen: true });
      callers.push(socket);
      const heard = new Transcript();
      socket.setEncoding('utf8').on('data', (chunk: string) => heard.add(chunk));
      socket.on('end', () => heard.end()).on('error', () => heard.end());
      await isAccepted;
      return { socket, heard };
    },
  };
}

for (const host of LOOPBACKS) {
  test(`half a header is answered with 408 after 10 s, and so is nothing at all: ${host}`, LIMIT, async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const { call } = await aDoor(t, host);
    for (const words of ['', 'GET /healthz HTTP/1.1\r\nHo']) {
      const { socket, heard } = await call();
      if (words !== '') await new Promise((resolve) => socket.write(words, resolve));
      t.mock.timers.tick(9_999);
      assert.equal(heard.text, '');
      t.mock.timers.tick(1);
      assert.equal(await heard.rest(), TIMED_OUT);
    }
  });

  test(`each request of a kept connection has its own 10 s: ${host}`, LIMIT, async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const { call } = await aDoor(t, host);
    const { socket, heard } = await call();
    for (let requests = 0; requests < 3; requests++) {
      t.mock.timers.tick(9_999);
      socket.write(GET);
      assert.match(await heard.until(/\}\n/), ANSWER);
    }
    socket.write(GET.slice(0, -9));
    t.mock.timers.tick(10_000);
    assert.equal(await heard.rest(), TIMED_OUT);
  });

  test(`a body has 30 s, and whoever does not finish it is closed: ${host}`, LIMIT, async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const { call } = await aDoor(t, host);
    const { socket, heard } = await call();
    socket.write(POST);
    assert.match(await heard.until(/\}\n/), /^HTTP\/1\.1 404 /);
    t.mock.timers.tick(29_999);
    // Body and the next request in one: the answer shows that the time was not over.
    socket.write(`body${GET}`);
    assert.match(await heard.until(/\}\n/), ANSWER);
    socket.write(POST);
    assert.match(await heard.until(/\}\n/), /^HTTP\/1\.1 404 /);
    t.mock.timers.tick(30_000);
    assert.equal(await heard.rest(), '');
  });

  test(`who does not take the end is cut after 5 s: ${host}`, LIMIT, async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const { door, call } = await aDoor(t, host);
    const { heard } = await call();
    t.mock.timers.tick(10_000);
    assert.equal(await heard.rest(), TIMED_OUT);
    // This end is still open, and nothing but its end or the time lets the door close.
    const closed = door.close(new AbortController().signal);
    t.mock.timers.tick(5_000);
    await closed;
  });

  test(`a door that closes takes nobody in, and forgets the signal: ${host}`, LIMIT, async (t) => {
    const { door, call } = await aDoor(t, host);
    const { socket, heard } = await call();
    const { signal } = new AbortController();
    const removed = t.mock.method(signal, 'removeEventListener');
    const closed = door.close(signal);
    const late = await call();
    assert.equal(await late.heard.rest(), '');
    assert.equal(await heard.rest(), '');
    socket.end();
    await closed;
    assert.deepEqual(
      removed.mock.calls.map((made) => made.arguments[0]),
      ['abort'],
    );
  });
}
