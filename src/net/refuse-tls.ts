// TLS inside TLS leads nowhere: whoever begins it is told so in its own protocol, at once, instead of waiting for an
// answer that never comes.

import type { Socket } from 'node:net';

/** RFC 8446 section 6: a record of type alert(21), TLS 1.2 on the wire, two bytes: fatal(2), handshake_failure(40). */
const HANDSHAKE_FAILURE = Uint8Array.of(0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x28);
const LINGER_MS = 2_000;

export function refuseTls(socket: Socket): void {
  socket.end(HANDSHAKE_FAILURE);
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(timer));
}
