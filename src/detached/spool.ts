// The output of a detached run in files: both outputs in one, in the order in which they came. It grows only so far; then the
// oldest goes. Files are what it is cut into, so that the oldest can go at once.

import { open, type FileHandle } from 'node:fs/promises';
import { rmSync, truncateSync } from 'node:fs';
import { taggedHeader, type OutputTag } from '../protocol/native/tagged.ts';

/** Of one run: a long build log is a tenth of it. */
export const MAX_SPOOL_BYTES = 67_108_864;
/** What goes at once when there is too much. */
const SEGMENT_BYTES = 4_194_304;
/** So that with the oldest no more than a part is gone. */
const FEWEST_SEGMENTS = 4;
/** Waits for the disk; with more the command waits too. */
const MAX_PENDING_BYTES = 1_048_576;
/** Of one write. */
const BATCH_BYTES = 262_144;

export interface SpoolOptions {
  /** Files are called so, a dot and a number. */
  readonly path: string;
  readonly maxBytes?: number;
  readonly segmentBytes?: number;
  /** `append` had said to wait. */
  readonly onDrain?: () => void;
  /** Its files have grown. */
  readonly onGrown?: () => void;
  /** What could not be written is missing, as if it had been dropped; what could not be removed is emptied. */
  readonly onFailed?: (error: unknown, attempt: 'keep' | 'remove') => void;
}

/** A file; positions count bytes of both outputs. */
export interface Segment {
  readonly path: string;
  readonly start: number;
  end: number;
  /** All of them are whole pieces. */
  fileBytes: number;
}

interface Pending {
  readonly type: OutputTag;
  readonly bytes: Uint8Array;
}

export class Spool {
  readonly #options: SpoolOptions;
  readonly #segmentBytes: number;
  readonly #segments: Segment[] = [];
  readonly #readers = new Set<() => void>();
  readonly #pending: Pending[] = [];
  #pendingBytes = 0;
  /** The file that is being written. */
  #current: { readonly file: FileHandle; readonly segment: Segment } | undefined;
  #files = 0;
  #bytes = 0;
  #end = 0;
  #flushing: Promise<void> | undefined;
  #hasEnded = false;
  #isGone = false;

  constructor(options: SpoolOptions) {
    const { maxBytes = MAX_SPOOL_BYTES, segmentBytes = SEGMENT_BYTES } = options;
    this.#options = { ...options, maxBytes };
    this.#segmentBytes = Math.min(segmentBytes, Math.ceil(maxBytes / FEWEST_SEGMENTS));
  }

  /** Everything before it has been written, or is missing for good. */
  get end(): number {
    return this.#end;
  }

  /** Nothing follows `end`. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Of its files. */
  get bytes(): number {
    return this.#bytes;
  }

  /** False: wait for `onDrain`. The bytes must not change afterwards. */
  append(type: OutputTag, bytes: Uint8Array): boolean {
    if (bytes.length > 0 && !this.#isGone) {
      this.#pending.push({ type, bytes });
      this.#pendingBytes += bytes.length;
      this.#flushing ??= this.#flush();
    }
    return this.#pendingBytes <= MAX_PENDING_BYTES;
  }

  /** Nothing more is appended; settles when all is written. */
  async close(): Promise<void> {
    await this.#flushing;
    await this.#leaveFile();
    this.#hasEnded = true;
    this.#wake();
  }

  /** The first file that has something after this position. */
  segmentAfter(position: number): Segment | undefined {
    return this.#segments.find(({ end }) => end > position);
  }

  /** Calls back whenever there is something new, until what is returned is called. */
  follow(listener: () => void): () => void {
    this.#readers.add(listener);
    return () => this.#readers.delete(listener);
  }

  /** False: there is nothing that could go. */
  dropOldest(): boolean {
    const oldest = this.#segments.shift();
    if (oldest === undefined) return false;
    this.#bytes -= oldest.fileBytes;
    this.#removeFile(oldest);
    // What is written to it meanwhile is missing.
    if (this.#current?.segment === oldest) void this.#leaveFile();
    return true;
  }

  /** Where a directory lets nothing go it stays, and empty: what was said takes no more room than it may. */
  #removeFile({ path }: Segment): void {
    try {
      rmSync(path, { force: true });
    } catch (error) {
      this.#options.onFailed?.(error, 'remove');
      emptyFile(path);
    }
  }

  /** With all its files. */
  remove(): void {
    this.#isGone = true;
    this.#pending.length = 0;
    this.#pendingBytes = 0;
    while (this.dropOldest());
  }

  async #flush(): Promise<void> {
    // What came in one turn goes in one write.
    await Promise.resolve();
    for (let batch = this.#takeBatch(); batch.length > 0; batch = this.#takeBatch()) {
      const count = batch.reduce((sum, { bytes }) => sum + bytes.length, 0);
      const pieces = batch.flatMap(({ type, bytes }) => [taggedHeader(type, bytes.length), bytes]);
      try {
        await this.#write(Buffer.concat(pieces), count);
      } catch (error) {
        this.#options.onFailed?.(error, 'keep');
        await this.#leaveFile();
        this.#dropEmpty();
      }
      this.#end += count;
      const wasFull = this.#pendingBytes > MAX_PENDING_BYTES;
      this.#pendingBytes = Math.max(0, this.#pendingBytes - count);
      while (this.bytes > (this.#options.maxBytes ?? MAX_SPOOL_BYTES) && this.dropOldest());
      this.#options.onGrown?.();
      this.#wake();
      if (wasFull && this.#pendingBytes <= MAX_PENDING_BYTES) this.#options.onDrain?.();
    }
    this.#flushing = undefined;
  }

  /** On a full disk each batch would leave another file. */
  #dropEmpty(): void {
    const last = this.#segments.at(-1);
    if (last === undefined || last.end > last.start) return;
    this.#segments.pop();
    this.#removeFile(last);
  }

  #takeBatch(): Pending[] {
    let bytes = 0;
    let count = 0;
    for (const pending of this.#pending) {
      if (count > 0 && bytes + pending.bytes.length > Math.min(BATCH_BYTES, this.#segmentBytes)) break;
      bytes += pending.bytes.length;
      count += 1;
    }
    return this.#pending.splice(0, count);
  }

  async #write(bytes: Uint8Array, count: number): Promise<void> {
    const { file, segment } = this.#current ?? (await this.#openNext());
    const { bytesWritten } = await file.write(bytes, 0, bytes.length, segment.fileBytes);
    if (bytesWritten < bytes.length) throw new Error(`only ${bytesWritten} of ${bytes.length} bytes could be written`);
    segment.end += count;
    segment.fileBytes += bytes.length;
    // It may have been dropped meanwhile.
    if (this.#segments.includes(segment)) this.#bytes += bytes.length;
    if (segment.fileBytes >= this.#segmentBytes) await this.#leaveFile();
  }

  async #openNext(): Promise<{ readonly file: FileHandle; readonly segment: Segment }> {
    const path = `${this.#options.path}.${++this.#files}`;
    const file = await open(path, 'wx', OWNER_ONLY);
    const current = { file, segment: { path, start: this.#end, end: this.#end, fileBytes: 0 } };
    if (this.#isGone) this.#removeFile(current.segment);
    else this.#segments.push(current.segment);
    this.#current = current;
    return current;
  }

  async #leaveFile(): Promise<void> {
    const current = this.#current;
    this.#current = undefined;
    await current?.file.close().catch(() => {});
  }

  #wake(): void {
    for (const listener of this.#readers) listener();
  }
}

function emptyFile(path: string): void {
  try {
    truncateSync(path);
  } catch {
    // That it cannot be removed has been said.
  }
}

/** What a command said is its owner's alone. */
const OWNER_ONLY = 0o600;
