// Runs on record: nothing starts before its start is durable, and how it ended is written when it has. An end that cannot be
// written is kept, and written before anything else is started.

import type { Journal } from '../journal.ts';
import type { Run, RunCommand, RunResult } from '../ports.ts';
import type { NotStored } from '../refusal.ts';
import type { Member } from '../session.ts';
import { Capture, type Digest } from './capture.ts';
import { type Captures, RecordedRun } from './recorded-run.ts';
import type { FoundRuns, Hash, RunFinished, RunId } from './record.ts';

/** Bytes of each output that are kept, unless the operator says otherwise: a screen's worth many times. */
export const KEPT_OUTPUT_BYTES = 65_536;
/** Ends that wait for a journal that cannot be written; of those beyond them only that they ended is kept. */
const MAX_UNWRITTEN = 1_000;
/** UTF-16 units of why a command was lost: a machine could say a book. */
const MAX_REASON_LENGTH = 1_000;
const WAS_GONE = 'the server ended before the command did, and nobody saw how';

export interface RecordsWorld {
  readonly journal: Pick<Journal, 'chain'>;
  readonly newDigest: () => Digest;
  /** The time of day. */
  readonly now: () => number;
  readonly keptBytes?: number;
  /** An end could not be written; it is tried again. */
  readonly onUnwritten: (reason: string) => void;
}

export interface Starting {
  readonly run: RunId;
  readonly by: Pick<Member, 'id' | 'name'>;
  readonly address: string;
  readonly host: string;
  readonly command: RunCommand;
  /** Called once the start is durable; what the chain ends with then is told to the machine. */
  readonly start: (head: Hash) => Run;
}

export interface Started {
  readonly run: RecordedRun;
  /** Undefined: it has begun. */
  readonly recorded: Promise<NotStored | undefined>;
}

export class Records {
  readonly #world: RecordsWorld;
  #last: RunId;
  #head: Hash;
  #unwritten: RunFinished[] = [];

  constructor(world: RecordsWorld, { last, head }: Pick<FoundRuns, 'last' | 'head'>) {
    this.#world = world;
    this.#last = last;
    this.#head = head;
  }

  /** The hash that the chain ends with. */
  get head(): Hash {
    return this.#head;
  }

  /** A run, on as many hosts as are started under it. */
  newRun(): RunId {
    return ++this.#last;
  }

  start({ run, by, address, host, command, start }: Starting): Started {
    const { journal, now, newDigest, keptBytes = KEPT_OUTPUT_BYTES } = this.#world;
    const captures: Captures = {
      stdin: new Capture(newDigest(), 0),
      stdout: new Capture(newDigest(), keptBytes),
      stderr: new Capture(newDigest(), keptBytes),
    };
    const recordedRun = new RecordedRun(captures);
    const { promise: recorded, resolve } = Promise.withResolvers<NotStored | undefined>();
    this.#writeUnwritten();
    const started = { type: 'started', run, atMs: now(), by: by.id, byName: by.name, address, host, command } as const;
    journal.chain(started, (chained) => {
      if ('failed' in chained) {
        recordedRun.fail(chained.failed);
        return resolve({ refused: 'not-stored', reason: chained.failed });
      }
      this.#head = chained.hash;
      recordedRun.begin(
        () => start(chained.hash),
        (result, streams) => {
          this.#finish({ type: 'ended', run, start: chained.number, atMs: now(), result: shortened(result), streams });
        },
      );
      return resolve(undefined);
    });
    return { run: recordedRun, recorded };
  }

  /** What another server left without an end. */
  lose({ unended }: Pick<FoundRuns, 'unended'>): void {
    const result: RunResult = { result: 'lost', status: null, reason: WAS_GONE };
    for (const { run, start } of unended) {
      this.#finish({ type: 'ended', run, start, atMs: this.#world.now(), result, streams: undefined });
    }
  }

  #finish(entry: RunFinished): void {
    this.#world.journal.chain(entry, (chained) => {
      if (!('failed' in chained)) {
        this.#head = chained.hash;
        return;
      }
      this.#unwritten.push(this.#unwritten.length < MAX_UNWRITTEN ? entry : withoutOutput(entry));
      this.#world.onUnwritten(chained.failed);
    });
  }

  #writeUnwritten(): void {
    for (const entry of this.#unwritten.splice(0)) this.#finish(entry);
  }
}

function shortened(result: RunResult): RunResult {
  return 'reason' in result ? { ...result, reason: result.reason.slice(0, MAX_REASON_LENGTH) } : result;
}

const NOTHING = new Uint8Array(0);

function withoutOutput({ streams, ...entry }: RunFinished): RunFinished {
  if (streams === undefined) return { ...entry, streams };
  const { stdin, stdout, stderr } = streams;
  const bare = { head: NOTHING, tail: NOTHING };
  return { ...entry, streams: { stdin, stdout: { ...stdout, ...bare }, stderr: { ...stderr, ...bare } } };
}
