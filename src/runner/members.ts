// Who was started by a run, as Linux tells it in /proc. `timeout 9 sleep 99` leaves the process group of the command,
// `setsid` its session too; what it cannot leave is the environment that it was started with, unless it empties that.

import { closeSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs';
import { MARK_VARIABLE } from './control.ts';
import { codeOf } from './errors.ts';

export interface Member {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  /** In ticks since the machine's start: with the pid, this process and no other. */
  readonly started: number;
}

export interface Marked extends Member {
  /** Of the runs that it belongs to by its environment: one at most, unless it wrote others there itself. */
  readonly marks: readonly string[];
}

/** A line of /proc/PID/stat up to the start is 16 characters of name and twenty numbers. */
const MAX_STAT_BYTES = 512;
const statBytes = Buffer.alloc(MAX_STAT_BYTES);
/** Arguments and environment together take no more where the stack has its usual 8 MiB. */
const MAX_ENVIRONMENT_BYTES = 2_097_152;
let environmentBytes = Buffer.alloc(65_536);
/** Whoever KILL has not ended after so many looks is started faster than it is ended, by somebody out of reach. */
const MAX_KILLING_LOOKS = 16;
/** Of a field of proc_pid_stat(5) among those after the name: 22 there. */
const STARTED_INDEX = 19;

/** Whether /proc is there and tells of this process's own namespace. */
export const tellsSessions: boolean = isOwnProc();

/** What proc_pid_stat(5) says; undefined for zombies too, who need no signal and stay until reaped. */
export function parseStat(line: string): Member | undefined {
  // The name is in parentheses and may itself have some, and spaces.
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ', STARTED_INDEX + 1);
  const [state, parent, group, session] = fields;
  const started = fields[STARTED_INDEX];
  if (state === 'Z' || state === 'X' || started === undefined) return undefined;
  return {
    pid: Number.parseInt(line, 10),
    parent: Number(parent),
    group: Number(group),
    session: Number(session),
    started: Number(started),
  };
}

/** Undefined where it is not told, too. */
export function memberOf(pid: number): Member | undefined {
  const bytes = tellsSessions ? readProc(`${pid}/stat`, statBytes) : 0;
  return bytes === 0 ? undefined : parseStat(statBytes.toString('latin1', 0, bytes));
}

/** Which a process keeps, whatever it executes, as far as this program is concerned: found once, and not read again. */
let knownMarks = new Map<number, { readonly started: number; readonly marks: readonly string[] }>();

/** Everyone alive on this machine, at about 10 µs each, and 20 more at the first look; nobody where it is not told. */
export function everyone(): Marked[] {
  if (!tellsSessions) return [];
  const found: Marked[] = [];
  const marksOf = new Map<number, { readonly started: number; readonly marks: readonly string[] }>();
  for (const name of readdirSync('/proc')) {
    const member = /^\d/.test(name) ? memberOf(Number(name)) : undefined;
    if (member === undefined) continue;
    const { pid, started } = member;
    const known = knownMarks.get(pid);
    const marks = known?.started === started ? known.marks : readMarks(pid);
    // Between two programs a process has no environment for a moment.
    if (marks !== undefined) marksOf.set(pid, { started, marks });
    found.push({ ...member, marks: marks ?? NONE });
  }
  knownMarks = marksOf;
  return found;
}

const NONE: readonly string[] = [];
const NAME = `${MARK_VARIABLE}=`;

/** The values of the variable in an environment as /proc has it. */
export function parseMarks(environment: Buffer): readonly string[] {
  let found: string[] | undefined;
  for (let at = environment.indexOf(NAME); at !== -1; at = environment.indexOf(NAME, at + 1)) {
    if (at > 0 && environment[at - 1] !== 0) continue;
    const end = environment.indexOf(0, at);
    (found ??= []).push(environment.toString('latin1', at + NAME.length, end === -1 ? environment.length : end));
  }
  return found ?? NONE;
}

/** Undefined: it has no environment, as the kernel's own threads, and programs that are only being loaded. */
function readMarks(pid: number): readonly string[] | undefined {
  const length = readProc(`${pid}/environ`, environmentBytes);
  if (length === environmentBytes.length && length < MAX_ENVIRONMENT_BYTES) {
    environmentBytes = Buffer.alloc(MAX_ENVIRONMENT_BYTES);
    return readMarks(pid);
  }
  return length === 0 ? undefined : parseMarks(environmentBytes.subarray(0, length));
}

/** Everyone at one moment, by what binds them to each other. */
export class Snapshot {
  readonly #all: readonly Marked[];
  readonly #byParent: ReadonlyMap<number, readonly Marked[]>;
  readonly #bySession: ReadonlyMap<number, readonly Marked[]>;

  constructor(all: readonly Marked[] = everyone()) {
    this.#all = all;
    this.#byParent = Map.groupBy(all, ({ parent }) => parent);
    this.#bySession = Map.groupBy(all, ({ session }) => session);
  }

  /**
   * All whom `isOne` points out, whoever is in their sessions or in these, and whomever any of them started: a child
   * that emptied its environment has a parent for a while, or company in its session.
   */
  of({ isOne, sessions }: Wanted): Marked[] {
    const seen = new Set<number>([process.pid]);
    const found: Marked[] = [];
    const own = this.#sessionOf(process.pid);
    const looked = new Set<number | undefined>([own]);
    const add = (members: readonly Marked[] = []): void => {
      for (const member of members) {
        if (seen.has(member.pid)) continue;
        seen.add(member.pid);
        found.push(member);
      }
    };
    add(this.#all.filter(isOne));
    for (const session of sessions) add(this.#bySession.get(session));
    // Those who are found on the way are gone through as well.
    for (const { pid, session } of found) {
      add(this.#byParent.get(pid));
      if (!looked.has(session)) add(this.#bySession.get(session));
      looked.add(session);
    }
    return found;
  }

  #sessionOf(pid: number): number | undefined {
    return this.#all.find((member) => member.pid === pid)?.session;
  }
}

export interface Wanted {
  readonly isOne: (member: Marked) => boolean;
  readonly sessions: Iterable<number>;
}

/** Whether somebody is of a runner process, or of one of its runs. */
export function isOfMark(mark: string, { marks }: Marked): boolean {
  return marks.some((each) => each === mark || each.startsWith(`${mark}-`));
}

/**
 * Everyone in the sessions of these leaders, and all with the mark of their runner process, are sent KILL, and whoever they
 * started meanwhile, until nobody is new.
 */
export function killRuns({ mark, leaders }: { mark: string; leaders: ReadonlySet<number> }): void {
  for (const leader of leaders) errorOfKill(-leader, 'SIGKILL');
  if (!tellsSessions) return;
  const killed = new Set<string>();
  for (let look = 0; look < MAX_KILLING_LOOKS; look++) {
    const all = new Snapshot().of({ sessions: leaders, isOne: (member) => isOfMark(mark, member) });
    const left = all.filter((member) => !killed.has(keyOf(member)));
    if (left.length === 0) return;
    for (const member of left) {
      killed.add(keyOf(member));
      errorOfKill(member.pid, 'SIGKILL');
    }
  }
}

/** Tells one process from all others, those too that come to have its number. */
export function keyOf({ pid, started }: Member): string {
  return `${pid} ${started}`;
}

type Listener = (snapshot: Snapshot) => void;

/** From one look to the next at least, so that commands in quick succession share one. */
const MIN_REST_MS = 50;
/** And so many times as long as the look took: a tenth of the time is spent on it, on the largest machine too. */
const REST_FACTOR = 9;
let restsUntil = 0;
let listeners: Listener[] = [];
let pending: NodeJS.Timeout | undefined;

/** Says soon, and to all who ask meanwhile in one look, who is there. What is urgent does not wait for a rest. */
export function lookAtEveryone(listener: Listener, { isUrgent = false } = {}): void {
  listeners.push(listener);
  if (listeners.length > 1 && !isUrgent) return;
  clearTimeout(pending);
  pending = setTimeout(look, isUrgent ? 0 : Math.max(0, restsUntil - performance.now()));
}

function look(): void {
  const began = performance.now();
  const snapshot = new Snapshot();
  const ended = performance.now();
  restsUntil = ended + Math.max(MIN_REST_MS, REST_FACTOR * (ended - began));
  const told = listeners;
  listeners = [];
  for (const listener of told) listener(snapshot);
}

/** The code of what kill(2) says, or undefined when it did as asked. */
export function errorOfKill(id: number, signal: NodeJS.Signals | 0): string | undefined {
  try {
    process.kill(id, signal);
    return undefined;
  } catch (error) {
    return codeOf(error) || 'unknown';
  }
}

/** How many bytes there are, at most as many as fit; 0 as well for what is gone and what may not be read. */
function readProc(name: string, into: Buffer): number {
  let descriptor: number | undefined;
  let length = 0;
  try {
    // Three calls where readFileSync makes five, for hundreds of files.
    descriptor = openSync(`/proc/${name}`, 'r');
    for (let more = 1; more > 0 && length < into.length; length += more) {
      more = readSync(descriptor, into, length, into.length - length, null);
      // A line of `stat` comes whole; an environment in pages.
      if (into === statBytes) return more;
    }
    return length;
  } catch {
    // Gone between the listing and now.
    return 0;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

function isOwnProc(): boolean {
  try {
    return readlinkSync('/proc/self') === String(process.pid);
  } catch {
    return false;
  }
}
