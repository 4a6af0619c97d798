// Servers of a test's own that are not Partyline's: each test says what one does with whoever comes.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { loadIdentity } from '../../src/net/identity.ts';
import { aDirectory, type Cleanup } from './directory.ts';

/** Listens until the test's end and returns its port. Connections may be half-closed, and end with the test. */
export async function listenOn(t: Cleanup, host: string, accept: (socket: Socket) => void): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, taking(t, accept)).listen(0, host);
  await once(server, 'listening');
  t.after(() => void server.close());
  return portOf(server.address());
}

/** By TLS, and not half-closed; `directory` is where such a server has its key. */
export async function listenByTls(t: Cleanup, host: string, accept: (socket: Socket) => void) {
  const directory = aDirectory(t);
  const identity = loadIdentity({ directory, names: [], now: Date.now });
  const server = createTlsServer(identity, taking(t, accept)).listen(0, host);
  await once(server, 'listening');
  t.after(() => void server.close());
  return { port: portOf(server.address()), directory, fingerprint: identity.fingerprint };
}

/** A port that was free a moment ago: nobody listens there, and a program that wants a number may have it. */
export async function freePort(host: string): Promise<number> {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  const port = portOf(server.address());
  server.close();
  await once(server, 'close');
  return port;
}

/** Each connection ends with the test; whoever breaks one off is no mistake. */
function taking(t: Cleanup, accept: (socket: Socket) => void) {
  return (socket: Socket): void => {
    t.after(() => void socket.destroy());
    socket.on('error', () => {});
    accept(socket);
  };
}

function portOf(address: AddressInfo | string | null): number {
  assert.ok(address !== null && typeof address === 'object');
  return address.port;
}
