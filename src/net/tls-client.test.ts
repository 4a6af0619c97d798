import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { aDirectory } from '../../test/kit/directory.ts';
import type { Log } from '../log/log.ts';
import { dial } from './dial.ts';
import type { Candidate } from './race.ts';
import { connectByTls, shakeHands } from './tls-client.ts';
import { TlsServer } from './tls-server.ts';

const QUIET: Log = { tell() {}, info() {}, warn() {} };
const ADDRESSES: readonly Candidate[] = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
];

async function aServer(t: TestContext, host: string) {
  const tls = new TlsServer({ directory: aDirectory(t), names: [host], now: Date.now, log: QUIET });
  const { promise: inside, resolve } = Promise.withResolvers<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    tls.secure(socket, new Uint8Array(0), (secured) => 'inside' in secured && resolve(secured.inside));
  }).listen(0, host);
  await once(server, 'listening');
  t.after(async () => {
    (await inside).destroy();
    server.close();
  });
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return { port: address.port, fingerprint: tls.fingerprint, inside };
}

/** All that it brings; an iterator would destroy it at its end. */
async function readAll(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += String(chunk)));
  await once(socket, 'end');
  return text;
}

for (const { address } of ADDRESSES) {
  test(`TLS takes part in the race, and goes on with the address that answers: ${address}`, async (t) => {
    const { port, fingerprint, inside: far } = await aServer(t, address);
    const host = 'hub.example';
    const order = address === '::1' ? ADDRESSES : ADDRESSES.toReversed();
    const { socket, attempts } = await dial({
      host,
      port,
      allowHalfOpen: true,
      lookup: async () => order,
      connect: (to, toPort, allowHalfOpen) => connectByTls(to, { host, port: toPort, allowHalfOpen }),
    });
    assert.deepEqual(
      attempts.map((one) => [one.address, one.outcome, one.reason]),
      [
        [order[0]?.address, 'failed', 'connection refused'],
        [address, 'connected', undefined],
      ],
    );
    const handshake = await shakeHands(socket, { host });
    assert.ok('inside' in handshake);
    assert.equal(handshake.inside, socket);
    assert.equal(handshake.fingerprint, fingerprint);

    // Each direction has an end of its own, and nothing is lost that comes while nobody listens.
    const inside = await far;
    inside.end('greeting');
    await once(inside, 'finish');
    assert.equal(await readAll(socket), 'greeting');
    socket.end('answer');
    assert.equal(await readAll(inside), 'answer');
  });
}
