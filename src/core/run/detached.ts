// A detached run goes on whether anybody listens or not. The machine that runs it keeps its output and how it ended, under
// a key that the record of its start has; this is what the server asks of that machine, or of itself.

import type { ByteSink, ByteSource, RunRequest, RunResult } from '../ports.ts';
import type { KeptOutput, StreamFacts, Streams } from './record.ts';

/** 128 random bits, in hexadecimal: of one command on one machine. No secret; what it opens is asked for over a proven connection. */
export type DetachKey = string;

export interface DetachedRequest extends RunRequest {
  readonly key: DetachKey;
  /** Its input stays open for whoever attaches with some; without that it is empty. */
  readonly takesInput: boolean;
  /** Of each output, for the record. */
  readonly keptBytes: number;
}

export interface DetachedEnd {
  readonly result: RunResult;
  readonly streams: Streams<StreamFacts & KeptOutput>;
}

/** `away`: whether it was done nobody knows. `refused-there`: it was not, for a reason that is known there alone. */
export interface DetachRefusal {
  readonly refused:
    | 'not-allowed'
    | 'env-not-allowed'
    | 'not-kept'
    | 'input-taken'
    | 'no-input'
    | 'too-many-runs'
    | 'too-many-watchers'
    | 'no-place'
    | 'refused-there'
    | 'away';
  /** In words, without what was attempted. */
  readonly reason: string;
}

/** It is over already: there was no command. It has an end as any run that was started. */
export interface StartFailed {
  readonly failed: {
    readonly result: RunResult['result'];
    readonly status: number | null;
    /** `nosuch: not found` */
    readonly reason: string;
  };
}

export interface AttachWishes {
  /** Bytes of both outputs before what is wanted; `end`: what comes from now on. */
  readonly from: number | 'end';
  readonly givesInput: boolean;
}

/** A view of a detached run. Its output is tagged (`protocol/native/tagged.ts`); leaving it ends nothing but itself. */
export interface Attachment {
  readonly stdin: ByteSink;
  readonly output: ByteSource;
  /** How the run ended. */
  readonly ended: Promise<RunResult>;
  readonly leave: () => void;
}

export interface Attaching {
  readonly attachment: Attachment;
  /** Undefined: it is attached. Otherwise nothing comes of it. */
  readonly attached: Promise<DetachRefusal | undefined>;
}

export interface DetachedRunner {
  /** Undefined: it has been started. */
  start(request: DetachedRequest): Promise<DetachRefusal | StartFailed | undefined>;
  /** At once, so that what is to be sent can be sent; whether it was taken comes later. */
  attach(key: DetachKey, wishes: AttachWishes): Attaching | DetachRefusal;
  /** Once it has ended; `unknown`: nothing is known there of that key; `away`: the way there is gone. */
  ended(key: DetachKey): Promise<DetachedEnd | 'unknown' | 'away'>;
  /** Ends the command and all that it started. One that has ended is no mistake. */
  cancel(key: DetachKey): void;
}
