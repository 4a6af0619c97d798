// What Linux tells about a process: whether it is there, its memory, its descriptors, how much it has written.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { leaveOut } from './needs.ts';

/** Between two looks at something that tells nobody when it changes. */
const LOOK_MS = 10;
/** A wait that takes longer has failed. */
const PATIENCE_MS = 20_000;
const KIB = 1_024;

/** False: the test has been marked as left out and returns at once. */
export function hasProc(t: Pick<TestContext, 'skip'>, proc = '/proc'): boolean {
  if (existsSync(`${proc}/self/io`)) return true;
  leaveOut(t, 'this machine lacks Linux’s /proc');
  return false;
}

export function isRunning(pid: number): boolean {
  return existsSync(`/proc/${pid}`);
}

/** Memory that a process really occupies. */
export function residentBytes(pid: number): number {
  return numberIn(`/proc/${pid}/status`, /^VmRSS:\s+(\d+) kB$/m) * KIB;
}

export function openDescriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** It waits for something: for bytes, for room, for a time. */
export function isAsleep(pid: number): boolean {
  return /^State:\s+S /m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
}

/** All that a process has written so far, to whatever. */
export function writtenBytes(pid: number): number {
  return numberIn(`/proc/${pid}/io`, /^wchar: (\d+)$/m);
}

/** Looks again and again until it is so. */
export async function until(isSo: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await pause(LOOK_MS);
  }
}

function numberIn(path: string, pattern: RegExp): number {
  const found = pattern.exec(readFileSync(path, 'utf8'))?.[1];
  if (found === undefined) throw new Error(`${path} does not say ${pattern}`);
  return Number(found);
}
