// Reads the first line of a connection, within bounds of size and time.

import type { Socket } from 'node:net';
import { endOfLine } from '../../protocol/echo/exchange.ts';

export type FirstLine =
  /** `rest` came after the line. At an EOF the line may lack its end. */
  { kind: 'line'; line: Uint8Array; rest: Uint8Array } | { kind: 'overlong' } | { kind: 'late' };

export interface FirstLineBounds {
  readonly maxBytes: number;
  readonly timeoutMs: number;
}

/**
 * Takes a paused socket and what has already been read of it. Calls `done` once, with the socket paused and without
 * listeners of this; never if the connection breaks before.
 */
export function readFirstLine(
  socket: Socket,
  first: Uint8Array,
  { maxBytes, timeoutMs, done }: FirstLineBounds & { done: (result: FirstLine) => void },
): void {
  let bytes: Uint8Array = new Uint8Array();
  const timer = setTimeout(() => finish({ kind: 'late' }), timeoutMs);
  const finish = (result: FirstLine) => {
    clearTimeout(timer);
    socket.off('data', onData).off('end', onEnd).off('close', onClose);
    socket.pause();
    done(result);
  };
  const onData = (chunk: string | Uint8Array) => {
    if (typeof chunk === 'string') return; // never: nobody sets an encoding here
    bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
    const end = endOfLine(bytes);
    if (end > maxBytes || (end === -1 && bytes.length >= maxBytes)) finish({ kind: 'overlong' });
    else if (end !== -1) finish({ kind: 'line', line: bytes.subarray(0, end), rest: bytes.subarray(end) });
  };
  const onEnd = () => finish({ kind: 'line', line: bytes, rest: new Uint8Array() });
  const onClose = () => clearTimeout(timer);
  socket.on('data', onData).on('end', onEnd).on('close', onClose);
  // With a listener for 'data' a socket that was paused stays so until it is resumed.
  if (first.length > 0) onData(first);
  if (socket.listeners('data').includes(onData)) socket.resume();
}
