// Runs on record: nothing starts before its start is durable, and how it ended is written when it has. An end that cannot be
// written is kept, and written before anything else is started.

import type { Journal } from '../journal.ts';
import type { Run, RunCommand, RunResult } from '../ports.ts';
import type { NotStored } from '../refusal.ts';
import type { Approved } from './approval.ts';
import type { AskedCommand } from './policy.ts';
import { Capture, type Digest } from './capture.ts';
import type { DetachKey } from './detached.ts';
import { type Captures, RecordedRun } from './recorded-run.ts';
import { Refusals } from './refusals.ts';
import {
  MAX_HOSTS_OF_RUN,
  type EntryNumber,
  type FoundRuns,
  type Hash,
  type RunFinished,
  type RunId,
  type RunRefused,
  type Setting,
  type Starter,
  type Unapproved,
  type Unstarted,
} from './record.ts';
import type { RecordedResult } from './why.ts';

/** Bytes of each output that are kept, unless the operator says otherwise: a screen's worth many times. */
export const KEPT_OUTPUT_BYTES = 65_536;
/**
 * Entries that wait for a journal that cannot be written: of ends beyond them only that they ended is kept, of refusals
 * nothing but the line in the log.
 */
const MAX_UNWRITTEN = 256;
/** UTF-16 units of why a command was lost: a machine could say a book. */
const MAX_REASON_LENGTH = 1_000;
/** UTF-16 units of a name that there may not even be: a host's has 253 code points. */
const MAX_NAME_LENGTH = 512;
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
  readonly starter: Starter;
  readonly host: string;
  readonly command: RunCommand;
  readonly setting: Setting;
  readonly approved?: Approved | undefined;
  /** Called once the start is durable; what the chain ends with then is told to the machine. */
  readonly start: (head: Hash) => Run;
}

export interface Refusing extends Pick<Starting, 'run' | 'starter' | 'setting'> {
  readonly hosts: readonly string[];
  readonly command: AskedCommand;
  readonly result: Unstarted;
  readonly request?: Unapproved;
}

/** Of a start that is durable. */
export interface Recorded {
  readonly number: EntryNumber;
  readonly head: Hash;
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
  #unwritten: (RunFinished | RunRefused)[] = [];
  readonly #refusals = new Refusals();

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

  start({ run, starter, host, command, setting, approved, start }: Starting): Started {
    const { keptBytes } = this;
    const { journal, now, newDigest } = this.#world;
    const captures: Captures = {
      stdin: new Capture(newDigest(), 0),
      stdout: new Capture(newDigest(), keptBytes),
      stderr: new Capture(newDigest(), keptBytes),
    };
    const recordedRun = new RecordedRun(captures);
    const { promise: recorded, resolve } = Promise.withResolvers<NotStored | undefined>();
    this.writeUnwritten();
    const asked = { ...starter, host, command, setting, ...(approved === undefined ? {} : { approved }) };
    journal.chain({ type: 'started', run, atMs: now(), ...asked }, (chained) => {
      if ('failed' in chained) {
        recordedRun.fail(chained.failed);
        return resolve({ refused: 'not-stored', reason: chained.failed });
      }
      this.#head = chained.hash;
      recordedRun.begin(
        () => start(chained.hash),
        (result, streams) => {
          this.end({ run, start: chained.number }, result, streams);
        },
      );
      return resolve(undefined);
    });
    return { run: recordedRun, recorded };
  }

  /** Of each output. */
  get keptBytes(): number {
    return this.#world.keptBytes ?? KEPT_OUTPUT_BYTES;
  }

  /** The start of a run whose bytes do not pass here: durable, or why not. `end` follows. */
  detach(
    start: Omit<Starting, 'start' | 'approved'> & { readonly detached: DetachKey },
  ): Promise<Recorded | NotStored> {
    const { starter, ...rest } = start;
    this.writeUnwritten();
    return new Promise((resolve) => {
      this.#world.journal.chain({ type: 'started', atMs: this.#world.now(), ...starter, ...rest }, (chained) => {
        if ('failed' in chained) return resolve({ refused: 'not-stored', reason: chained.failed });
        this.#head = chained.hash;
        return resolve({ number: chained.number, head: chained.hash });
      });
    });
  }

  end(
    { run, start }: { readonly run: RunId; readonly start: EntryNumber },
    result: RecordedResult,
    streams: RunFinished['streams'],
  ): void {
    this.#write({ type: 'ended', run, start, atMs: this.#world.now(), result: shortened(result), streams });
  }

  /** Nobody waits for it, and nothing depends on it: the refusal has been told. Over the account's share it is counted. */
  refuse({ run, starter, hosts, command, setting, result, request }: Refusing): void {
    const inShort = (name: string) => name.slice(0, MAX_NAME_LENGTH);
    const entry: RunRefused = {
      type: 'refused',
      run,
      atMs: this.#world.now(),
      ...starter,
      hosts: hosts.slice(0, MAX_HOSTS_OF_RUN).map(inShort),
      command,
      setting: { ...setting, env: setting.env.map(inShort) },
      result: shortened(result),
      ...(request === undefined ? {} : { request }),
    };
    if (this.#refusals.take(entry)) this.#write(entry);
  }

  /** Of refused attempts that were over somebody's share how many they were; to be called now and then, and at the end. */
  writeLeftOut({ isLast = false } = {}): void {
    const due = this.#refusals.due(isLast ? Infinity : this.#world.now());
    for (const entry of due) this.#write({ ...entry, run: this.newRun() });
  }

  /** What another server left without an end; whether a detached one has, is for its machine to say. */
  lose({ unended }: Pick<FoundRuns, 'unended'>): void {
    const result: RunResult = { result: 'lost', status: null, reason: WAS_GONE };
    for (const one of unended) if (one.detached === undefined) this.end(one, result, undefined);
  }

  #write(entry: RunFinished | RunRefused): void {
    this.#world.journal.chain(entry, (chained) => {
      if ('failed' in chained) {
        this.#keep(entry);
        this.#world.onUnwritten(chained.failed);
        return;
      }
      this.#head = chained.hash;
      this.writeUnwritten();
    });
  }

  #keep(entry: RunFinished | RunRefused): void {
    const isFull = this.#unwritten.length >= MAX_UNWRITTEN;
    if (entry.type === 'ended') this.#unwritten.push(isFull ? withoutOutput(entry) : entry);
    else if (!isFull) this.#unwritten.push(entry);
  }

  /** Tries again what could not be written. */
  writeUnwritten(): void {
    for (const entry of this.#unwritten.splice(0)) this.#write(entry);
  }
}

function shortened<Result extends RecordedResult | Unstarted>(result: Result): Result {
  return 'reason' in result ? { ...result, reason: result.reason.slice(0, MAX_REASON_LENGTH) } : result;
}

const NOTHING = new Uint8Array(0);

function withoutOutput({ streams, ...entry }: RunFinished): RunFinished {
  if (streams === undefined) return { ...entry, streams };
  const { stdin, stdout, stderr } = streams;
  const bare = { head: NOTHING, tail: NOTHING };
  return { ...entry, streams: { stdin, stdout: { ...stdout, ...bare }, stderr: { ...stderr, ...bare } } };
}
