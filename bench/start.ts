// How long a person waits: for `./partyline --help` beside an empty Node program, and for a server to be ready.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, type Scratch } from './processes.ts';
import { spreadOf } from './rounds.ts';
import { formatSpread, say, type Result } from './table.ts';

const PROGRAM = join(ROOT, 'partyline');
/** A start takes tens of milliseconds, so a round is several. */
const STARTS_PER_ROUND = 5;
const HELP_AT_MOST = 2;
const READY_AT_MOST_MS = 300;

export async function benchStart(scratch: Scratch, rounds: number): Promise<Result> {
  const empty: number[] = [];
  const help: number[] = [];
  const ready: number[] = [];
  runOnce(PROGRAM, ['--help']); // fills the compile cache
  await untilReady(scratch);
  for (let i = 0; i < rounds * STARTS_PER_ROUND; i++) {
    empty.push(runOnce(process.execPath, ['-e', '0']));
    help.push(runOnce(PROGRAM, ['--help']));
    ready.push(await untilReady(scratch));
  }
  say(`start  node -e 0          ${formatSpread(empty)} ms`);
  say(`start  partyline --help   ${formatSpread(help)} ms`);
  say(`start  server ready       ${formatSpread(ready)} ms`);
  const ratio = spreadOf(help).median / spreadOf(empty).median;
  const readyMs = spreadOf(ready).median;
  const verdicts = [
    {
      what: 'partyline --help / node -e 0',
      value: ratio.toFixed(2),
      bound: `<= ${HELP_AT_MOST}`,
      isMet: ratio <= HELP_AT_MOST,
    },
    {
      what: 'server ready, ms',
      value: readyMs.toFixed(0),
      bound: `<= ${READY_AT_MOST_MS}`,
      isMet: readyMs <= READY_AT_MOST_MS,
    },
  ];
  return { rounds: [], verdicts, notes: [] };
}

/** Milliseconds of the whole process, as seen from outside. */
function runOnce(program: string, given: readonly string[]): number {
  const from = performance.now();
  const { status } = spawnSync(program, given, { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error(`${program} ${given.join(' ')} ended with ${status}`);
  return performance.now() - from;
}

/** Milliseconds until the line `ready`, with a data directory that exists already, as on every start but the first. */
async function untilReady(scratch: Scratch): Promise<number> {
  const directory = join(scratch.path, 'start');
  const from = performance.now();
  const given = ['serve', '--listen', 'tcp://localhost:0', '--data', directory];
  const child = spawn(PROGRAM, given, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  let output = '';
  for await (const chunk of child.stdout.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    output += String(chunk);
    if (/^ready$/m.test(output)) break;
  }
  const span = performance.now() - from;
  child.stdout.resume();
  child.kill('SIGTERM');
  await ended;
  if (!/^ready$/m.test(output)) throw new Error(`The server ended before it was ready: ${output}`);
  rmSync(join(directory, 'pipes'), { recursive: true, force: true });
  return span;
}
