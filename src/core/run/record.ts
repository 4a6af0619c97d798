// What is kept of a run: who started what where, and how it ended there. Each is an entry of a chain; none is changed later.

import type { MemberId } from '../journal.ts';
import type { Name } from '../name.ts';
import type { RunCommand, RunRequest } from '../ports.ts';
import type { DetachKey } from './detached.ts';
import type { Approved } from './approval.ts';
import type { AskedCommand } from './policy.ts';
import type { RecordedResult } from './why.ts';

/** Of a run, on however many hosts. Only grows. */
export type RunId = number;
/** Of an entry of the chain, without gaps; the first is 1. */
export type EntryNumber = number;
/** SHA-256, 64 hexadecimal digits. */
export type Hash = string;

/** What the first entry follows. */
export const NO_HASH: Hash = '0'.repeat(64);

/** Entries of one run: beyond it another run begins. One answer has all of it, however it ended. */
export const MAX_HOSTS_OF_RUN = 1_000;

/** Who asked for a run, and from where. */
export interface Starter {
  /** Whose rights counted: an account, except where a guest has none to show. */
  readonly by: MemberId;
  /** What the session is called. */
  readonly byName: Name;
  /** Of the account whose rights they were, where it is not called so itself. */
  readonly asName?: Name;
  readonly address: string;
}

/** How a command was to run: what can make of the same words something else. */
export interface Setting {
  /** Undefined: where commands start by themselves. */
  readonly cwd: string | undefined;
  /** Names that it was given beside the usual, sorted; what they were set to may be a secret. */
  readonly env: readonly string[];
  readonly hasTerminal: boolean;
}

export function settingOf({ cwd, env, terminal }: Partial<Pick<RunRequest, 'cwd' | 'env' | 'terminal'>>): Setting {
  return { cwd, env: Object.keys(env ?? {}).toSorted(), hasTerminal: terminal !== undefined };
}

/** As it comes without any wish. */
export const PLAIN: Setting = settingOf({});

export interface RunStarted extends Starter {
  readonly type: 'started';
  readonly run: RunId;
  readonly atMs: number;
  readonly host: string;
  readonly command: RunCommand;
  readonly setting: Setting;
  /** It goes on without whoever started it, and is known there by this. */
  readonly detached?: DetachKey;
  /** By whom else, where the policy wanted somebody, and the digest of what they saw. */
  readonly approved?: Approved;
}

/** `denied` by the server's policy, or the machine was `offline`: nothing was started there. */
export interface RunRefused extends Starter {
  readonly type: 'refused';
  readonly run: RunId;
  readonly atMs: number;
  readonly hosts: readonly string[];
  readonly command: AskedCommand;
  readonly setting: Setting;
  readonly result: Unstarted;
  /** It was a request that waited for somebody else, until `atMs`. */
  readonly request?: Unapproved;
  /** So many refused attempts of the account before this one have no record of their own. */
  readonly leftOut?: number;
}

/** What became of a request that nobody approved. */
export interface Unapproved {
  readonly askedMs: number;
  readonly how: 'denied' | 'expired' | 'withdrawn';
}

export type Unstarted =
  | { readonly result: 'denied'; readonly status: null; readonly reason: string }
  | { readonly result: 'offline'; readonly status: null };

/** What went through a stream. */
export interface StreamFacts {
  readonly bytes: number;
  readonly sha256: Hash;
}

/** The first and the last of it; together they are all of it where nothing was left out. */
export interface KeptOutput {
  readonly head: Uint8Array;
  readonly tail: Uint8Array;
}

export type OutputName = 'stdout' | 'stderr';

export interface RunFinished {
  readonly type: 'ended';
  readonly run: RunId;
  /** The entry of its start. */
  readonly start: EntryNumber;
  readonly atMs: number;
  readonly result: RecordedResult;
  /** Undefined: nobody was there to count. */
  readonly streams: Streams<StreamFacts & KeptOutput> | undefined;
}

export type Streams<Output> = { readonly stdin: StreamFacts } & Readonly<Record<OutputName, Output>>;

export type RunEntry = RunStarted | RunRefused | RunFinished;

/** Written, as this entry; or why not, in words. */
export type Chained = { readonly number: EntryNumber; readonly hash: Hash } | { readonly failed: string };

/** What a server finds at its start. */
export interface FoundRuns {
  /** 0 if there is none. */
  readonly last: RunId;
  readonly head: Hash;
  /** Started, and nobody has written how it ended. */
  readonly unended: readonly UnendedRun[];
}

export interface UnendedRun {
  readonly run: RunId;
  readonly start: EntryNumber;
  /** Somebody has ended it, and whether it was told where it runs nobody knows. */
  readonly isCondemned?: true;
  /** By this one; undefined where an earlier version wrote it down. */
  readonly condemnedBy?: Name;
  /** It may go on without the server that is gone. */
  readonly detached?: { readonly key: DetachKey; readonly host: string; readonly by: MemberId };
}

/** How it went on one host. */
export interface RunOnHost {
  readonly host: string;
  /** Or asked for, where that was all. */
  readonly startedMs: number;
  /** Undefined: it runs. */
  readonly end: RunEnd | undefined;
  readonly detached?: DetachKey;
}

export interface RunEnd {
  readonly atMs: number;
  readonly result: RecordedResult | Unstarted;
  readonly streams: Streams<StreamFacts & KeptBytes> | undefined;
}

/** How much of an output is kept. */
export interface KeptBytes {
  readonly head: number;
  readonly tail: number;
}

export interface StoredRun extends Starter {
  readonly id: RunId;
  readonly command: AskedCommand;
  /** Undefined: the record was made before that was put on record. */
  readonly setting?: Setting;
  /** It waited for somebody else to approve it, and nobody did. Undefined in records of before, too. */
  readonly request?: Unapproved;
  /** Refused attempts of the account before this one that have no record of their own. */
  readonly leftOut?: number;
  /** On the first host where somebody had to. */
  readonly approved?: Omit<Approved, 'member'>;
  /** In the order in which they were asked for. */
  readonly hosts: readonly RunOnHost[];
}

/** Whose runs may be seen; undefined: everybody's. */
export interface Seeing {
  readonly member: MemberId | undefined;
  /** Those too that this account has approved on some machine; not those of before accounts were on record for that. */
  readonly approver?: MemberId;
}

/** The newest so many, older than `before`; the first is taken whatever its size. */
export interface RunsQuery extends Seeing {
  readonly before?: RunId;
  readonly limit: number;
  readonly maxBytes: number;
}

export interface RunsPage {
  /** Oldest first. */
  readonly runs: readonly StoredRun[];
  readonly isMore: boolean;
}

export interface RunQuery extends Seeing {
  readonly id: RunId;
}

export interface OutputQuery extends RunQuery {
  /** Which of its hosts, counted from 0. */
  readonly at: number;
  readonly stream: OutputName;
}
