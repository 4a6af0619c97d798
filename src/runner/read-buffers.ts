// What outputs are read into, used again and again: memory for each read would be cleared away by the garbage collector, which
// took as long as all the rest.

/** As much as a pipe holds on Linux. */
const READ_BYTES = 65_536;
/** Kept for the next read, 4 MiB; the others go to the garbage collector. */
const MAX_KEPT = 64;

const kept: Buffer[] = [];

export function takeReadBuffer(): Buffer {
  return kept.pop() ?? Buffer.allocUnsafeSlow(READ_BYTES);
}

/** Nobody reads into it or from it any longer. */
export function giveReadBuffer(buffer: Buffer): void {
  if (kept.length < MAX_KEPT) kept.push(buffer);
}

/** The same to be called by others: once, and what comes after that changes nothing. */
export function returnOf(buffer: Buffer): () => void {
  let isOut = true;
  return () => {
    if (isOut) giveReadBuffer(buffer);
    isOut = false;
  };
}
