// The log: where a message becomes durable. What a turn of the event loop brings is one frame, written over a file that
// has its full size already; the database gets it afterwards. docs/decisions/0015-log.md says why, and why a quick disk
// is written to without leaving the thread.

import { closeSync, unlinkSync, write, writeSync } from 'node:fs';
import type { Backlog } from './backlog.ts';
import { HEAD_BYTES, sealFrame, seedOf } from './frame.ts';
import type { Packed } from './packed.ts';
import {
  SEGMENT_BYTES,
  draftsOf,
  makeSegment,
  openSegment,
  prepareSegment,
  segmentPath,
  segmentsOf,
} from './segment.ts';
import type { Range } from './wire.ts';

/** Segments that wait for the database: half a GiB is some millions of messages, and minutes of its work. */
const MAX_SEGMENTS = 32;
/** Segments that are kept from one start to the next. */
const KEPT_SEGMENTS = 4;
/** Bytes of a frame at most: then there is always room for one where half of a segment is free. */
const MAX_FRAME_BYTES = SEGMENT_BYTES / 2;
/** A frame of more is written from another thread, however quick the disk is. */
const SHORT_BYTES = 1_048_576;
/**
 * A disk that takes longer, on average, is written to from another thread. The way there and back takes 0.1 ms on an idle
 * machine and much more on a busy one; half a millisecond is what nobody else on the event loop feels.
 */
const QUICK_MS = 0.5;
/** Of the running average: a single hiccup of some ms passes, a disk of 5 ms is found out at the second frame. */
const WEIGHT = 1 / 16;
/** Frames that are written from another thread before the disk is tried again. */
const PATIENCE = 64;

/** The ids of its messages begin with `first`. */
export interface NewFrame extends Packed {
  readonly first: number;
}

/** `error` where it is not durable: as if nothing had been written. May be called before `write` returns. */
type Written = (error: unknown, range: Range) => void;

interface Segment {
  readonly number: number;
  readonly file: number;
  /** The last message in it. */
  last: number;
}

export interface LogOptions {
  readonly path: string;
  readonly identity: string;
  /** The last message of the database. */
  readonly head: number;
  /** What the segments hold that is not in it: nothing, unless it is said. */
  readonly left?: Pick<Backlog, 'ranges' | 'lasts'>;
  /** Milliseconds that never run backwards: how long the disk takes. */
  readonly clock?: () => number;
  readonly maxSegments?: number;
  /** As `fs.writeSync`: a disk that fails. */
  readonly writeSync?: WriteSync;
}

type WriteSync = (file: number, bytes: Uint8Array, offset: number, length: number, position: number) => number;

export class Log {
  readonly #path: string;
  readonly #seed: number;
  readonly #clock: () => number;
  readonly #maxSegments: number;
  readonly #writeSync: WriteSync;
  readonly #segments: Segment[];
  #current: Segment;
  #at = 0;
  /** Messages up to here are in the database. */
  #released: number;
  #isWriting = false;
  /** At `#at` there may be what is not durable. */
  #isTorn = false;
  /** Bytes that could not be written the last time. */
  #failedBytes = HEAD_BYTES;
  #preparing: Promise<void> | undefined;
  /** The number of the segment that is being made: it is nobody's until it is. */
  #preparingNumber = 0;
  #averageMs = 0;
  #patience = 0;

  private constructor({ path, identity, head, left, clock, maxSegments, ...disk }: LogOptions, segments: Segment[]) {
    this.#path = path;
    this.#seed = seedOf(identity);
    this.#maxSegments = maxSegments ?? MAX_SEGMENTS;
    this.#writeSync = disk.writeSync ?? writeSync;
    this.#clock = clock ?? (() => performance.now());
    this.#segments = segments;
    this.#released = head;
    // Behind what was left, or from the beginning.
    const last = left?.ranges.at(-1);
    const current = segments.find(({ number }) => number === (last?.segment ?? 0));
    if (current === undefined) throw new Error(`there is no ${segmentPath(path, last?.segment ?? 0)}`);
    this.#current = current;
    this.#at = last?.to ?? 0;
  }

  /** Rejects with what the file system says. */
  static async open(options: LogOptions): Promise<Log> {
    const { path, left } = options;
    for (const draft of draftsOf(path)) unlinkSync(draft);
    await prepareSegment(path, 0);
    for (const number of segmentsOf(path)) {
      if (number >= KEPT_SEGMENTS && left?.lasts.has(number) !== true) unlinkSync(segmentPath(path, number));
    }
    const segments: Segment[] = [];
    try {
      for (const number of segmentsOf(path)) {
        segments.push({ number, file: openSegment(path, number), last: left?.lasts.get(number) ?? 0 });
      }
      return new Log(options, segments);
    } catch (error) {
      closeAll(segments);
      throw error;
    }
  }

  /** One frame at a time. */
  get isWriting(): boolean {
    return this.#isWriting;
  }

  /** Whether there is a place for another frame; if not, the database has to take some first. */
  get hasRoom(): boolean {
    return this.#at + MAX_FRAME_BYTES <= SEGMENT_BYTES || this.#free !== undefined || this.#canGrow;
  }

  /** All up to this message is in the database, and durable there. */
  release(upTo: number): void {
    this.#released = upTo;
  }

  /** Its bytes may be used again once it is written. */
  write(frame: NewFrame, written: Written): void {
    const { first, count, bytes } = frame;
    const { length } = bytes;
    sealFrame(frame, { first, seed: this.#seed });
    const last = first + count - 1;
    const settle = (error: unknown) => {
      const range = { segment: this.#current.number, from: this.#at, to: this.#at + length };
      if (error === null) {
        this.#isTorn = false;
        this.#at += length;
        this.#current.last = last;
      } else {
        this.#failedBytes = Math.min(length, MAX_FRAME_BYTES);
      }
      written(error, range);
    };
    try {
      if (length > MAX_FRAME_BYTES) throw new Error('it is too long for the log');
      if (this.#at + length > SEGMENT_BYTES) this.#turn();
    } catch (error) {
      return settle(error);
    }
    this.#prepareNext();
    this.#isTorn = true;
    if (this.#isQuick(length)) return settle(this.#writeHere(bytes));
    this.#isWriting = true;
    return this.#writeElsewhere(bytes, (error) => {
      this.#isWriting = false;
      settle(error);
    });
  }

  /**
   * Whether what failed could be written now. Zeros are written where it was to be, and as many: they are no frame, and
   * what is there is none that counts. Only where there is room and nothing is being written.
   */
  probe(done: (error: unknown) => void): void {
    try {
      if (this.#at + this.#failedBytes > SEGMENT_BYTES) this.#turn();
    } catch (error) {
      return done(error);
    }
    this.#isWriting = true;
    this.#writeElsewhere(Buffer.alloc(this.#failedBytes), (error) => {
      this.#isWriting = false;
      done(error);
    });
  }

  #isQuick(length: number): boolean {
    if (this.#patience > 0) {
      this.#patience -= 1;
      return false;
    }
    return length <= SHORT_BYTES;
  }

  #writeHere(bytes: Buffer): unknown {
    const startMs = this.#clock();
    try {
      for (let done = 0; done < bytes.length;) {
        done += this.#writeSync(this.#current.file, bytes, done, bytes.length - done, this.#at + done);
      }
    } catch (error) {
      return error;
    }
    this.#averageMs += (this.#clock() - startMs - this.#averageMs) * WEIGHT;
    if (this.#averageMs > QUICK_MS) {
      this.#averageMs = 0;
      this.#patience = PATIENCE;
    }
    return null;
  }

  #writeElsewhere(bytes: Buffer, done: (error: unknown) => void): void {
    write(this.#current.file, bytes, 0, bytes.length, this.#at, (error, count) => {
      if (error !== null || count === bytes.length) return done(error);
      // Cut short, as on a full disk: what the rest meets says why.
      return done(this.#writeHere(bytes));
    });
  }

  get #free(): Segment | undefined {
    return this.#segments.find((segment) => segment !== this.#current && segment.last <= this.#released);
  }

  get #newNumber(): number {
    return Math.max(this.#preparingNumber, ...this.#segments.map(({ number }) => number)) + 1;
  }

  get #canGrow(): boolean {
    return this.#segments.length < this.#maxSegments;
  }

  /** Throws what the file system says. */
  #next(): Segment {
    const free = this.#free;
    if (free !== undefined) return free;
    const number = this.#newNumber;
    const segment = { number, file: makeSegment(this.#path, number), last: 0 };
    this.#segments.push(segment);
    return segment;
  }

  /** Throws what the file system says. */
  #turn(): void {
    const next = this.#next();
    this.#wipe();
    this.#current = next;
    this.#at = 0;
  }

  /** Once half of a segment is full: the next one is made ahead, while there is time. */
  #prepareNext(): void {
    if (this.#at < SEGMENT_BYTES / 2 || this.#preparing !== undefined) return;
    if (this.#free !== undefined || !this.#canGrow) return;
    const number = this.#newNumber;
    this.#preparingNumber = number;
    // What cannot be made now is met again when it is needed.
    this.#preparing = prepareSegment(this.#path, number)
      .then(() => {
        this.#segments.push({ number, file: openSegment(this.#path, number), last: 0 });
      })
      .catch(() => {})
      .finally(() => {
        this.#preparing = undefined;
        this.#preparingNumber = 0;
      });
  }

  /** What was answered `failed` may be whole on disk all the same, and no frame will take its place. Throws as above. */
  #wipe(): void {
    if (this.#isTorn) this.#writeSync(this.#current.file, Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, this.#at);
    this.#isTorn = false;
  }

  /** Nothing is being written any more. */
  async close(): Promise<void> {
    await this.#preparing;
    try {
      this.#wipe();
    } catch {
      // As after a crash: it may be there, though it was answered that it is not.
    }
    closeAll(this.#segments.splice(0));
  }
}

function closeAll(segments: readonly Segment[]): void {
  for (const { file } of segments) closeSync(file);
}
