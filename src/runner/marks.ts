// The marks of runner processes, kept in a file each for as long as something of them may be alive. When a runner process
// and its server are killed in one moment nobody is left to end what ran: the next server finds the file, and by it what
// is still there.

import { lstatSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { getuid } from 'node:process';
import { isTreeOf, killCgroup, removeCgroup } from './cgroup.ts';
import { codeOf } from './errors.ts';
import { everyone, killRuns, memberOf } from './members.ts';

const FILE = /^mark-([0-9a-f]{32})$/;
/** What KILL ended is out of its cgroup within milliseconds, and what hangs in the kernel is left to the next start. */
const FIRST_REMOVAL_MS = 5;
const MAX_REMOVAL_MS = 2_000;

export interface Mark {
  readonly mark: string;
  readonly cgroup?: string | undefined;
}

/** Kept before anything is started. Fails as writing to a file does. */
export function keepMark(directory: string, { mark, cgroup }: Mark): void {
  // A machine that starts anew may give the number of a server to anybody; hardly ever at the same tick.
  const keeper = { pid: process.pid, started: memberOf(process.pid)?.started };
  try {
    writeFileSync(`${directory}/mark-${mark}`, JSON.stringify({ ...keeper, cgroup }), { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
}

/** All of it has been sent KILL: what was kept for it goes as soon as it is gone. */
export function dropMark(directory: string, { mark, cgroup }: Mark, againMs = FIRST_REMOVAL_MS): void {
  if (cgroup === undefined || removeCgroup(cgroup)) return removeMark(`${directory}/mark-${mark}`);
  killCgroup(cgroup);
  if (againMs > MAX_REMOVAL_MS) return;
  setTimeout(() => dropMark(directory, { mark, cgroup }, againMs * 2), againMs).unref();
}

function removeMark(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // A disk that has become read-only, say, ends no server: the next start finds the mark, and nobody with it.
  }
}

/** Everything of a runner process that is dead, or is to be. */
export function killMarked({ mark, cgroup }: Mark, leaders: ReadonlySet<number>): void {
  if (cgroup !== undefined) killCgroup(cgroup);
  killRuns({ mark, leaders });
}

/** Those of earlier servers: whoever kept them is gone. */
export function orphansIn(directory: string): Mark[] {
  if (!isOwn(directory)) return [];
  return readdirSync(directory).flatMap((name) => {
    const mark = FILE.exec(name)?.[1];
    if (mark === undefined) return [];
    const { pid, started, cgroup } = readMark(`${directory}/${name}`);
    if (pid !== undefined && started !== undefined && memberOf(pid)?.started === started) return [];
    return [{ mark, cgroup: cgroup !== undefined && isTreeOf(mark, cgroup) ? cgroup : undefined }];
  });
}

/** Whether its runner process is still there, which ends by itself what it has started. */
export function isBeingEnded({ mark }: Mark): boolean {
  return everyone().some(({ marks }) => marks.includes(mark));
}

/** Marks that others could have put there would have this server kill what they like. */
function isOwn(directory: string): boolean {
  const found = lstatSync(directory, { throwIfNoEntry: false });
  return found?.isDirectory() === true && (getuid === undefined || found.uid === getuid());
}

interface Kept {
  readonly pid?: number;
  readonly started?: number;
  readonly cgroup?: string;
}

/** A file that is cut short says nothing but its name. */
function readMark(path: string): Kept {
  try {
    const kept: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof kept !== 'object' || kept === null) return {};
    const { pid, started, cgroup } = { pid: undefined, started: undefined, cgroup: undefined, ...kept };
    return {
      ...(typeof pid === 'number' ? { pid } : {}),
      ...(typeof started === 'number' ? { started } : {}),
      ...(typeof cgroup === 'string' ? { cgroup } : {}),
    };
  } catch {
    return {};
  }
}
