// A first connection and a first echo with ourselves: what the program loads and compiles for them would else be in the
// time of whatever is measured first, some milliseconds, and make one family look slower than the other.

import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { dial } from '../../net/dial.ts';
import { EchoLink } from './echo-link.ts';

const ECHOES = 3;
/** It takes five; whatever keeps a machine from it longer than that must not keep the measurement. */
const DEADLINE_MS = 250;

/** Leaves nothing behind, and does not mind if it cannot be done. */
export async function warmUp(): Promise<void> {
  const server = createServer((socket) => void socket.on('error', () => {}).pipe(socket));
  try {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening', { signal: AbortSignal.timeout(DEADLINE_MS) });
    const { socket } = await dial({ host: '127.0.0.1', port: portOf(server), deadlineMs: DEADLINE_MS });
    const link = new EchoLink({ socket, rest: new Uint8Array() });
    for (let echo = 0; echo < ECHOES; echo++) await link.roundTrip(Buffer.from('warm\n'), { deadlineMs: DEADLINE_MS });
    link.destroy();
  } catch {
    // Then the first times are a little longer than they should be.
  } finally {
    server.close();
  }
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
