// Who is in the session of a command. `timeout 9 sleep 99` or an interactive shell makes process groups of its own, out
// of reach of a signal to the group of the command; they stay in its session, and Linux tells the session of everyone.

import { closeSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs';
import { codeOf } from './errors.ts';

export interface Member {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
}

/** A line of /proc/PID/stat up to the session is 16 characters of name and five numbers. */
const MAX_STAT_BYTES = 256;
const statBytes = Buffer.alloc(MAX_STAT_BYTES);
/** Whoever KILL has not ended after so many looks is started faster than it is ended, by somebody out of reach. */
const MAX_KILLING_LOOKS = 16;

/** Whether /proc is there and tells of this process's own namespace. */
export const tellsSessions: boolean = isOwnProc();

/** The first five fields of proc_pid_stat(5); undefined for zombies too, who need no signal and stay until reaped. */
export function parseStat(line: string): Member | undefined {
  // The name is in parentheses and may itself have some, and spaces.
  const [state, parent, group, session] = line.slice(line.lastIndexOf(')') + 2).split(' ', 4);
  if (state === 'Z' || state === 'X' || session === undefined) return undefined;
  return { pid: Number.parseInt(line, 10), parent: Number(parent), group: Number(group), session: Number(session) };
}

/** Everyone alive on this machine, at about 10 µs each; nobody where it is not told. */
export function everyone(): Member[] {
  if (!tellsSessions) return [];
  const found: Member[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d/.test(name)) continue;
    const member = memberAt(`/proc/${name}/stat`);
    if (member !== undefined) found.push(member);
  }
  return found;
}

/** Everyone in the sessions of these leaders is sent KILL, and whoever they started meanwhile, until nobody is new. */
export function killSessions(leaders: ReadonlySet<number>): void {
  for (const leader of leaders) errorOfKill(-leader, 'SIGKILL');
  const killed = new Set<number>();
  for (let look = 0; look < MAX_KILLING_LOOKS && leaders.size > 0; look++) {
    const left = everyone().filter(({ pid, session }) => leaders.has(session) && !killed.has(pid));
    if (left.length === 0) return;
    for (const { pid } of left) {
      killed.add(pid);
      errorOfKill(pid, 'SIGKILL');
    }
  }
}

type Listener = (sessions: ReadonlyMap<number, readonly Member[]>) => void;

/** From one look to the next at least, so that commands in quick succession share one. */
const MIN_REST_MS = 50;
/** And so many times as long as the look took: a tenth of the time is spent on it, on the largest machine too. */
const REST_FACTOR = 9;
let restsUntil = 0;
let listeners: Listener[] = [];

/** Says soon, and to all who ask meanwhile in one look, who is in which session. */
export function lookAtSessions(listener: Listener): void {
  listeners.push(listener);
  if (listeners.length === 1) setTimeout(look, Math.max(0, restsUntil - performance.now()));
}

function look(): void {
  const began = performance.now();
  const sessions = Map.groupBy(everyone(), ({ session }) => session);
  const ended = performance.now();
  restsUntil = ended + Math.max(MIN_REST_MS, REST_FACTOR * (ended - began));
  const told = listeners;
  listeners = [];
  for (const listener of told) listener(sessions);
}

/** The sessions of the children of a process: of each command that it started, told of or not. */
export function sessionsOfChildren(parent: number): number[] {
  return everyone()
    .filter((member) => member.parent === parent)
    .map(({ session }) => session);
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

function memberAt(path: string): Member | undefined {
  let descriptor: number | undefined;
  try {
    // Three calls where readFileSync makes five, for hundreds of files.
    descriptor = openSync(path, 'r');
    return parseStat(statBytes.toString('latin1', 0, readSync(descriptor, statBytes, 0, MAX_STAT_BYTES, 0)));
  } catch {
    // Gone between the listing and now.
    return undefined;
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
