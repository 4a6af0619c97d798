// Detached runs as the server sees them: which are open, where, and what is to become of them when a machine comes back, an
// account is revoked, or somebody ends them. An open one is lost only when it is known that nobody runs it any more.

import type { Directory } from '../directory.ts';
import type { Hosts } from '../hosts.ts';
import type { Change, Journal, MemberId, Recorded } from '../journal.ts';
import { isSameName, parseName, type Name } from '../name.ts';
import type { RunCommand, RunResult } from '../ports.ts';
import type { NotStored } from '../refusal.ts';
import type {
  DetachedEnd,
  DetachedRequest,
  DetachedRunner,
  DetachKey,
  DetachRefusal,
  StartFailed,
} from './detached.ts';
import { settingOf, type EntryNumber, type FoundRuns, type KeptOutput, type RunId, type Starter } from './record.ts';
import type { Records } from './records.ts';
import { NEVER_BEGAN } from './result.ts';
import { endedBy, REVOKED, SERVER_CLOSED, withWhy } from './why.ts';

/** Commands of one account that go on at once: each of a thousand machines has one. */
const MAX_OPEN_OF_ACCOUNT = 1_000;
const PROGRAM_GONE = 'the program that ran it has ended since, and nobody saw how';
const MACHINE_REVOKED = 'the machine was revoked, and nobody saw how';

export interface DetachmentsWorld {
  readonly journal: Pick<Journal, 'record'>;
  readonly records: Pick<Records, 'detach' | 'end' | 'keptBytes'>;
  readonly newKey: () => DetachKey;
  /** Of the machine of that name, or the server itself. `away`: it is not connected; `nowhere`: there is no such machine. */
  readonly runnerAt: (host: string) => DetachedRunner | 'away' | 'nowhere';
  readonly isRevoked: (account: MemberId) => boolean;
  /** Whether the server itself is called so. */
  readonly isOwn: (host: string) => boolean;
}

interface DetachedPlaces {
  readonly serverName: string;
  /** Of the server itself. */
  readonly own: DetachedRunner;
  readonly hosts: Pick<Hosts, 'of'>;
  readonly directory: Pick<Directory, 'byId'>;
}

export function placesOfDetached(places: DetachedPlaces): Pick<DetachmentsWorld, 'runnerAt' | 'isRevoked' | 'isOwn'> {
  const { serverName, own, hosts, directory } = places;
  return {
    runnerAt: (host) => {
      if (isSameName(host, serverName)) return own;
      const parsed = parseName(host);
      const found = 'refused' in parsed ? undefined : hosts.of(parsed.key);
      return found === undefined ? 'nowhere' : (found.machine?.detached ?? 'away');
    },
    isOwn: (host) => isSameName(host, serverName),
    isRevoked: (id) => directory.byId(id)?.account?.revokedAtMs !== undefined,
  };
}

export interface Detaching {
  readonly run: RunId;
  readonly starter: Starter;
  readonly host: string;
  readonly command: RunCommand;
  readonly wishes: Pick<DetachedRequest, 'env' | 'cwd' | 'timeoutMs' | 'takesInput'>;
  /** Its start is on record. */
  readonly onRecorded: () => void;
}

interface Open {
  readonly key: DetachKey;
  readonly run: RunId;
  readonly host: string;
  readonly by: MemberId;
  /** Undefined: not on record yet. */
  entry: EntryNumber | undefined;
  /** The same; undefined while it is being started, too. */
  start: EntryNumber | undefined;
  /** To be ended as soon as somebody can be told. */
  isCondemned: boolean;
  /** By whom, or for what, as far as it is known. */
  why: string | undefined;
  /** That is on record. */
  isKept: boolean;
}

/** What was done about a run that is to end, on one of its hosts. */
export type Ending = 'ending' | 'away';

export class Detachments {
  readonly #world: DetachmentsWorld;
  readonly #open = new Map<DetachKey, Open>();

  /** With what another server has left. */
  constructor(world: DetachmentsWorld, { unended }: Pick<FoundRuns, 'unended'>) {
    this.#world = world;
    for (const { run, start, detached, isCondemned = false, condemnedBy } of unended) {
      if (detached === undefined) continue;
      const why = condemnedBy === undefined ? undefined : endedBy(condemnedBy);
      const open: Open = { ...detached, run, entry: start, start, isCondemned, why, isKept: isCondemned };
      this.#open.set(open.key, open);
      const runner = world.runnerAt(open.host);
      if (runner === 'nowhere') this.#lose(open, MACHINE_REVOKED);
      else if (runner !== 'away') this.#takeUp(open, runner);
    }
  }

  runnerAt(host: string): DetachedRunner | 'away' | 'nowhere' {
    return this.#world.runnerAt(host);
  }

  /** Undefined: it is on record, and has been started. */
  async start(detaching: Detaching): Promise<DetachRefusal | StartFailed | NotStored | undefined> {
    const { records, newKey, runnerAt } = this.#world;
    const { run, starter, host, command, wishes, onRecorded } = detaching;
    const count = this.#open.values().reduce((sum, { by }) => sum + (by === starter.by ? 1 : 0), 0);
    if (count >= MAX_OPEN_OF_ACCOUNT) {
      return { refused: 'too-many-runs', reason: `${count} detached commands of this account go on, as many as may` };
    }
    const key = newKey();
    const open: Open = {
      key,
      run,
      host,
      by: starter.by,
      entry: undefined,
      start: undefined,
      isCondemned: false,
      why: undefined,
      isKept: false,
    };
    this.#open.set(key, open);
    const setting = settingOf(wishes);
    const recorded = await records.detach({ run, starter, host, command, setting, detached: key });
    if ('refused' in recorded) {
      this.#open.delete(key);
      return recorded;
    }
    open.entry = recorded.number;
    if (this.#isToEnd(open)) {
      open.start = recorded.number;
      this.#finish(open, NEVER_BEGAN, undefined);
      return { refused: 'not-kept', reason: 'it was ended before it had begun; nothing was started' };
    }
    onRecorded();
    const runner = runnerAt(host);
    const answer =
      typeof runner === 'string'
        ? ({ refused: 'not-kept', reason: 'it has gone meanwhile' } as const)
        : await runner.start({ key, command, keptBytes: records.keptBytes, recordsHead: recorded.head, ...wishes });
    open.start = recorded.number;
    const refused = answer !== undefined && 'refused' in answer ? answer : undefined;
    // Whether it was started is seen when the machine is there again, which may be by now.
    if (this.#world.runnerAt(host) === 'nowhere') this.#lose(open, MACHINE_REVOKED);
    else if (refused?.refused === 'away') this.came(host);
    else if (refused !== undefined) this.#finish(open, deniedFor(refused), undefined);
    else if (typeof runner !== 'string') this.#takeUp(open, runner);
    return answer;
  }

  /** The machine is there, perhaps again. */
  came(host: string): void {
    const runner = this.#world.runnerAt(host);
    if (typeof runner === 'string') return;
    for (const open of this.#open.values()) {
      if (open.host === host && open.start !== undefined) this.#takeUp(open, runner);
    }
  }

  /**
   * Ends a run wherever it is open; what is not in the answer is open no more. Where the machine is away it is on record that it
   * is to end, for the next server as well, or that is refused, and nothing has changed there.
   */
  async end(run: RunId, by: Name): Promise<ReadonlyMap<DetachKey, Ending> | NotStored> {
    const all = [...this.#open.values()].filter((open) => open.run === run);
    const wanted = all.filter(({ isKept }) => !isKept);
    const ending = new Map(all.map((open) => [open.key, this.#condemn(open, endedBy(by))]));
    const changes = wanted.flatMap(({ entry }): Change[] => {
      return entry === undefined ? [] : [{ type: 'run-condemned', start: entry, by }];
    });
    if (changes.length === 0) return ending;
    const recorded = await new Promise<Recorded>((done) => this.#world.journal.record(changes, done));
    if (recorded === undefined) {
      for (const open of wanted) open.isKept = true;
      return ending;
    }
    const forgotten = wanted.filter(({ key, isKept }) => !isKept && ending.get(key) === 'away');
    for (const open of forgotten) {
      open.isCondemned = false;
      open.why = undefined;
    }
    return forgotten.length === 0 ? ending : { refused: 'not-stored', reason: recorded.failed };
  }

  /** An account that is no more: what it has started ends; a machine that is: nobody will know. */
  revoked({ id, name }: { readonly id: MemberId; readonly name: string }): void {
    for (const open of this.#open.values()) {
      if (open.by === id) this.#condemn(open, REVOKED);
      if (open.host === name) this.#lose(open, MACHINE_REVOKED);
    }
  }

  #condemn(open: Open, why: string): Ending {
    open.isCondemned = true;
    open.why ??= why;
    const runner = this.#world.runnerAt(open.host);
    if (typeof runner === 'string') return 'away';
    runner.cancel(open.key);
    return 'ending';
  }

  #isToEnd(open: Open): boolean {
    if (!open.isCondemned && this.#world.isRevoked(open.by)) open.why ??= REVOKED;
    return open.isCondemned || this.#world.isRevoked(open.by);
  }

  #takeUp(open: Open, runner: DetachedRunner): void {
    if (this.#isToEnd(open)) runner.cancel(open.key);
    void runner.ended(open.key).then((end) => {
      switch (end) {
        case 'away':
          return undefined;
        case 'unknown':
          return this.#lose(open, PROGRAM_GONE);
      }
      return this.#finish(open, end.result, end.streams);
    });
  }

  #lose(open: Open, reason: string): void {
    this.#finish(open, { result: 'lost', status: null, reason }, undefined);
  }

  #finish(open: Open, result: RunResult, streams: DetachedEnd['streams'] | undefined): void {
    const { key, run, start } = open;
    // It may be told twice, by two connections of a machine.
    if (start === undefined || !this.#open.delete(key)) return;
    const { records, isOwn } = this.#world;
    // What nobody has ended and was on the server itself ends with the server.
    const why = open.why ?? (isOwn(open.host) ? SERVER_CLOSED : undefined);
    records.end({ run, start }, withWhy(result, why), streams && bounded(streams, records.keptBytes));
  }
}

/** Nothing was started, and that is known. */
function deniedFor({ reason }: DetachRefusal): RunResult {
  return { result: 'denied', status: null, reason };
}

/** A machine may say more than it was asked for. */
function bounded({ stdin, stdout, stderr }: DetachedEnd['streams'], keptBytes: number): DetachedEnd['streams'] {
  const most = Math.ceil(keptBytes / 2);
  const cut = <Output extends KeptOutput>(output: Output): Output => ({
    ...output,
    head: output.head.subarray(0, most),
    tail: output.tail.subarray(0, most),
  });
  return { stdin, stdout: cut(stdout), stderr: cut(stderr) };
}
