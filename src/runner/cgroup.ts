// Control groups, version 2 (cgroups(7)). Whatever a process starts is in its cgroup, and no setsid, double fork or
// empty environment leads out of it; one write ends all that is in it. Used where one may be made inside our own.

import {
  accessSync,
  constants,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname } from 'node:path';
import { codeOf, wordsFor } from './errors.ts';

/** A command that makes cgroups in its own may make them one in the other; nobody needs more. */
const MAX_DEPTH = 16;
/** Of a directory with none in it: its name, and its own `.`. */
const OWN_LINKS = 2;

/** What is looked at; a test brings its own. */
export interface World {
  /** The text of a file under /proc/self; undefined: there is none. */
  readonly read: (name: 'mountinfo' | 'cgroup') => string | undefined;
  /** Why runs cannot be held in cgroups made there; undefined: they can. */
  readonly whyNot: (directory: string) => string | undefined;
}

export type Found = { readonly directory: string } | { readonly reason: string };

/** The cgroup that we are in, if others can be made inside. */
export function findCgroup({ read, whyNot }: World = REAL): Found {
  const own = /^0::(\/.*)$/m.exec(read('cgroup') ?? '')?.[1];
  if (own === undefined) return { reason: 'there is no cgroup v2' };
  const reasons: string[] = [];
  for (const line of (read('mountinfo') ?? '').split('\n')) {
    const directory = placeIn(line, own);
    if (directory === undefined) continue;
    const reason = whyNot(directory);
    if (reason === undefined) return { directory };
    reasons.push(`${directory}: ${reason}`);
  }
  return { reason: reasons[0] ?? 'no cgroup v2 is mounted' };
}

/** Where a cgroup is, by one line of proc_pid_mountinfo(5). */
function placeIn(line: string, own: string): string | undefined {
  const [before = '', after = ''] = line.split(' - ');
  if (!after.startsWith('cgroup2 ')) return undefined;
  const [, , , root = '', mount = ''] = before.split(' ').map(unescape);
  if (root === '/') return own === '/' ? mount : `${mount}${own}`;
  if (own === root) return mount;
  return own.startsWith(`${root}/`) ? `${mount}${own.slice(root.length)}` : undefined;
}

/** Spaces and the like are three octal digits there. */
function unescape(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

const REAL: World = {
  read(name) {
    try {
      return readFileSync(`/proc/self/${name}`, 'utf8');
    } catch {
      return undefined;
    }
  },
  whyNot(directory) {
    const trial = `${directory}/partyline-trial-${process.pid}`;
    const reason = makeCgroup(trial);
    if (reason === undefined) removeCgroup(trial);
    return reason;
  },
};

/** Of one runner process: the cgroups of its runs are in it, and nothing else. */
export function treeIn(directory: string, mark: string): string {
  return `${directory}/partyline-${mark}`;
}

/** Whether that is what `treeIn` makes for the mark, wherever. */
export function isTreeOf(mark: string, path: string): boolean {
  return path.startsWith('/') && basename(path) === `partyline-${mark}`;
}

/** Makes one that can be killed as a whole and entered from the one around it, or says why it cannot be. */
export function makeCgroup(path: string): string | undefined {
  try {
    // To move from one to the other takes the right to write to what is around both.
    accessSync(`${dirname(path)}/cgroup.procs`, constants.W_OK);
    mkdirSync(path);
  } catch (error) {
    return wordsFor(error);
  }
  const reason = whyUnfit(path);
  if (reason !== undefined) removeCgroup(path);
  return reason;
}

function whyUnfit(path: string): string | undefined {
  try {
    accessSync(`${path}/cgroup.kill`, constants.W_OK);
    const type = readFileSync(`${path}/cgroup.type`, 'utf8').trim();
    return type === 'domain' ? undefined : `what is made there is ${type}`;
  } catch (error) {
    return codeOf(error) === 'ENOENT' ? 'cgroup.kill is missing (Linux 5.14 has it)' : wordsFor(error);
  }
}

/** Everyone in it and in what it contains is sent KILL at once, and so is whoever is being started meanwhile. */
export function killCgroup(path: string): boolean {
  try {
    writeFileSync(`${path}/cgroup.kill`, '1');
    return true;
  } catch {
    return false;
  }
}

/** With those that were made in it. False while somebody is in there. */
export function removeCgroup(path: string, depth = 0): boolean {
  const code = codeOfRemoval(path);
  if (code === undefined || code === 'ENOENT') return true;
  const inner = depth < MAX_DEPTH ? cgroupsIn(path) : [];
  if (inner.length === 0 || !inner.every((each) => removeCgroup(each, depth + 1))) return false;
  return codeOfRemoval(path) === undefined;
}

function codeOfRemoval(path: string): string | undefined {
  try {
    rmdirSync(path);
    return undefined;
  } catch (error) {
    return codeOf(error) || 'unknown';
  }
}

/** Everyone in it, and in what it contains. */
export function pidsIn(path: string, depth = 0): number[] {
  let text: string;
  try {
    text = readFileSync(`${path}/cgroup.procs`, 'utf8');
  } catch {
    return [];
  }
  const own = text.split('\n').flatMap((line) => (line === '' ? [] : [Number(line)]));
  const inner = depth < MAX_DEPTH ? cgroupsIn(path) : [];
  return [...own, ...inner.flatMap((each) => pidsIn(each, depth + 1))];
}

function cgroupsIn(path: string): string[] {
  try {
    // Most have none, and then only the two links that any directory has.
    if (statSync(path).nlink === OWN_LINKS) return [];
    const entries = readdirSync(path, { withFileTypes: true });
    return entries.flatMap((entry) => (entry.isDirectory() ? [`${path}/${entry.name}`] : []));
  } catch {
    return [];
  }
}
