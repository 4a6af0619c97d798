// The front with TLS, over real sockets: what the scenarios cannot see, because it needs other bounds or a broken peer.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { aDirectory } from '../../test/kit/directory.ts';
import type { Log } from '../log/log.ts';
import { Front, type Arrival, type Wanted } from './front.ts';
import type { Scheme } from './listen.ts';
import { TlsServer } from './tls-server.ts';

const QUIET: Log = { tell() {}, info() {}, warn() {} };
const CLIENT_HELLO = Buffer.from('160301', 'hex');

interface House {
  readonly port: number;
  readonly tls: TlsServer;
  readonly front: Front;
  /** Connections that came as far as a door. */
  readonly arrived: { readonly wanted: Wanted; readonly arrival: Arrival }[];
  /** Settles with the next one. */
  arrival(): Promise<Arrival>;
  /** Settles when the server has closed the next connection. */
  closing(): Promise<void>;
}

async function aHouse(
  t: TestContext,
  host: string,
  { scheme = 'tcp', handshakeTimeoutMs = 30_000 }: { scheme?: Scheme; handshakeTimeoutMs?: number } = {},
): Promise<House> {
  const tls = new TlsServer({
    directory: aDirectory(t),
    names: [host],
    now: Date.now,
    log: QUIET,
    handshakeTimeoutMs,
  });
  const arrived: { wanted: Wanted; arrival: Arrival }[] = [];
  let wake = (_arrival: Arrival) => {};
  let tellClosed = () => {};
  const front = new Front({
    accept: (wanted, arrival) => {
      arrived.push({ wanted, arrival });
      wake(arrival);
    },
    greet: (socket) => void socket.write('Who? '),
    tls,
    log: QUIET,
    clock: () => 0,
    silenceMs: 60_000,
  });
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => tellClosed());
    front.receive(socket, scheme);
  }).listen(0, host);
  await once(server, 'listening');
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return {
    port: address.port,
    tls,
    front,
    arrived,
    arrival: () => new Promise((resolve) => (wake = resolve)),
    closing: () => new Promise((resolve) => (tellClosed = resolve)),
  };
}

async function aTlsClient(t: TestContext, host: string, port: number): Promise<TLSSocket> {
  const raw = connect({ host, port, allowHalfOpen: true });
  const client = connectTls({ socket: raw, rejectUnauthorized: false });
  client.on('error', () => {});
  t.after(() => void client.destroy());
  await once(client, 'secureConnect');
  return client;
}

async function endOf(socket: Socket): Promise<void> {
  socket.on('error', () => {}).once('end', () => socket.end());
  socket.resume();
  if (!socket.destroyed) await new Promise((resolve) => socket.once('close', resolve));
}

for (const host of ['127.0.0.1', '::1']) {
  test(`what is said inside TLS goes to its door, with the ends of the transport: ${host}`, async (t) => {
    const house = await aHouse(t, host);
    const arrival = house.arrival();
    const client = await aTlsClient(t, host, house.port);
    client.write('ECHO me\n');
    const { socket, peer, first } = await arrival;
    assert.equal(house.arrived[0]?.wanted, 'echo');
    assert.equal(Buffer.from(first).toString(), 'ECHO me\n');
    assert.deepEqual(
      [peer.address, peer.port, peer.localPort, peer.isLoopback, peer.isEncrypted],
      [host, client.localPort, house.port, true, true],
    );
    // Half-close: the end of what the client says does not end what is said to it.
    client.end();
    socket.resume();
    await once(socket, 'end');
    socket.end('all the same');
    let heard = '';
    for await (const chunk of client) heard += String(chunk);
    assert.equal(heard, 'all the same');
  });

  test(`what is said without TLS is not encrypted: ${host}`, async (t) => {
    const house = await aHouse(t, host);
    const arrival = house.arrival();
    const client = connect({ host, port: house.port });
    t.after(() => void client.destroy());
    client.write('ECHO me\n');
    assert.equal((await arrival).peer.isEncrypted, false);
  });

  test(`a ClientHello that stalls is cut, alone and after garbage: ${host}`, async (t) => {
    const house = await aHouse(t, host, { handshakeTimeoutMs: 20 });
    for (const scheme of ['tcp', 'tls'] as const) {
      const { port, arrived } = scheme === 'tcp' ? house : await aHouse(t, host, { scheme, handshakeTimeoutMs: 20 });
      const client = connect({ host, port });
      client.write(CLIENT_HELLO);
      await endOf(client);
      assert.deepEqual(arrived, []);
    }
  });

  test(`an end in the middle of a handshake ends the connection at once: ${host}`, { timeout: 30_000 }, async (t) => {
    for (const scheme of ['tcp', 'tls', 'https'] as const) {
      // The limit of the handshake is longer than a test may take: what ends here has not waited for it.
      const house = await aHouse(t, host, { scheme, handshakeTimeoutMs: 600_000 });
      for (const begun of ['160301', '16030102000100', '1603010200010001fc0303']) {
        const closed = house.closing();
        // Nobody reads what comes back: that must not hold the connection either.
        const client = connect({ host, port: house.port, allowHalfOpen: true });
        t.after(() => void client.destroy());
        client.end(Buffer.from(begun, 'hex'));
        await closed;
      }
      assert.deepEqual(house.arrived, []);
    }
  });

  test(`garbage after a ClientHello's first bytes ends the connection at once: ${host}`, async (t) => {
    for (const scheme of ['tcp', 'tls', 'https'] as const) {
      const { port, arrived } = await aHouse(t, host, { scheme });
      for (const garbage of [
        '\x16\x03\x01\x00\x05garbage',
        '\x16\x03\x01\xff\xff',
        '\x16\x03\x03\x00\x01\x01GET / HTTP/1.1\n',
      ]) {
        const client = connect({ host, port });
        client.write(garbage, 'latin1');
        await endOf(client);
      }
      assert.deepEqual(arrived, []);
    }
  });

  test(`plain text on a listener for TLS reaches no door: ${host}`, async (t) => {
    for (const scheme of ['tls', 'https'] as const) {
      const { port, arrived } = await aHouse(t, host, { scheme });
      const client = connect({ host, port });
      client.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await endOf(client);
      assert.deepEqual(arrived, []);
    }
  });

  test(`TLS inside TLS is answered with an alert: ${host}`, async (t) => {
    const house = await aHouse(t, host);
    const client = await aTlsClient(t, host, house.port);
    client.write(CLIENT_HELLO);
    const [alert]: unknown[] = await once(client, 'data');
    assert.deepEqual(alert, Buffer.from('15030300020228', 'hex'));
    await endOf(client);
    assert.deepEqual(house.arrived, []);
  });

  test(`a front that closes cuts a handshake that is under way: ${host}`, async (t) => {
    const house = await aHouse(t, host, { scheme: 'tls' });
    const client = connect({ host, port: house.port });
    client.write(CLIENT_HELLO);
    await once(client, 'connect');
    // The server has the connection when another one has come behind it.
    const witness = await aTlsClient(t, host, house.port);
    house.front.close();
    await Promise.all([endOf(client), endOf(witness)]);
  });
}
