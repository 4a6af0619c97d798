// What the generators of this folder print, read: `c/spawn-load.c` starts programs, `c/bulk.c` has much to say.

import { join } from 'node:path';
import { runLoad, type Scratch } from '../processes.ts';
import type { Environment } from './lab.ts';
import type { Words } from './ssh.ts';

export interface Starts {
  readonly perSecond: number;
  /** Each of them, from its start to its end. */
  readonly ms: readonly number[];
}

export interface Starting {
  readonly words: Words;
  readonly environment?: Environment;
  readonly atOnce?: number;
  readonly total: number;
}

/** Throws unless all of them ended with status 0. */
export async function startMany(scratch: Scratch, starting: Starting): Promise<Starts> {
  const { words, environment = {}, atOnce = 1, total } = starting;
  const given = [atOnce, total, ...words];
  const report = fieldsOf(await runLoad(scratch.program('spawn-load'), given, environment));
  const { us } = report;
  if (report['ended'] !== 0 || !Array.isArray(us))
    throw new Error(`${words.join(' ')} failed ${String(report['ended'])} times`);
  return { perSecond: Number(report['rate']), ms: us.map((one) => Number(one) / 1_000) };
}

/** Commands a second that a small Node process starts, and does nothing else. */
export async function spawnRate({ atOnce, total }: { atOnce: number; total: number }): Promise<number> {
  const program = join(import.meta.dirname, '..', 'bounds', 'node-spawn.mjs');
  return Number(fieldsOf(await runLoad(process.execPath, [program, atOnce, total]))['rate']);
}

/** Megabytes a second of a shell's line that ends in `bulk check`. Throws if one byte was lost or altered. */
export async function runBulk(line: string, words: Words, environment: Environment): Promise<number> {
  const report = fieldsOf(await runLoad('/bin/sh', ['-c', line, ...words], environment));
  if (report['lost'] !== 0 || report['wrong'] !== 0) {
    throw new Error(`${words.join(' ')}: ${String(report['lost'])} bytes lost, ${String(report['wrong'])} altered`);
  }
  return Number(report['rate']);
}

function fieldsOf(json: unknown): Record<string, unknown> {
  return typeof json === 'object' && json !== null ? { ...json } : {};
}
