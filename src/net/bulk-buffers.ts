// Large read buffers, lent to the connections that stream and given back when they fall silent.

/** Measured: 64 KiB loses a tenth of the throughput, more than 256 KiB gains nothing. */
const BULK_BYTES = 256 * 1_024;
/** Lent at once, 64 MiB; further connections stream through the shared buffer, slower but within bounds. */
const MAX_LENT = 256;
/** Kept for the next one, 2 MiB; the others go to the garbage collector. */
const MAX_KEPT = 8;

export class BulkBuffers {
  readonly #kept: Buffer[] = [];
  #lent = 0;

  /** Undefined: as many are lent as may be. */
  take(): Buffer | undefined {
    if (this.#lent === MAX_LENT) return undefined;
    this.#lent++;
    return this.#kept.pop() ?? Buffer.allocUnsafeSlow(BULK_BYTES);
  }

  /** Nothing may read from or write to the buffer any longer. */
  give(buffer: Buffer): void {
    this.#lent--;
    if (this.#kept.length < MAX_KEPT) this.#kept.push(buffer);
  }
}
