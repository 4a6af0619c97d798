// Connections whose other end takes nothing: looked at now and then, and cut when nothing moves for minutes. What was
// not taken is in the journal.

import type { Socket } from 'node:net';

/** Between two looks. */
const LOOK_MS = 10_000;
/** So many looks in a row at which it had taken nothing of what it is owed: two minutes. Then it is cut. */
const MAX_IDLE_LOOKS = 12;

/** Also cuts one that was told to end, has everything, and does not close its side. Returns how to stop looking. */
export function cutWhenIdle(socket: Socket, onCut: () => void = () => {}): () => void {
  let owed = socket.writableLength;
  let idleLooks = 0;
  const timer = setInterval(() => {
    const left = socket.writableLength;
    idleLooks = left < owed ? 0 : idleLooks + 1;
    owed = left;
    const isDone = left === 0 && socket.writableEnded;
    if (!isDone && idleLooks < MAX_IDLE_LOOKS) return;
    if (!isDone) onCut();
    socket.destroy();
  }, LOOK_MS);
  socket.once('close', () => clearInterval(timer));
  return () => clearInterval(timer);
}
