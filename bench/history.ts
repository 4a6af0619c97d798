// Looking back over ten million messages: a page of a hundred, a search, and for how long either holds the server's main
// loop. Asked through the client library, over loopback, as the owner.

import { hash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type Client } from '../src/client/mod.ts';
import { distribution } from '../src/client/stats.ts';
import { chance, fill } from './fill.ts';
import { startProbed, type Probed } from './probe.ts';
import { PORTS, startPartyline, type Scratch } from './processes.ts';
import { PAGES, SEARCHES, type Question } from './questions.ts';
import { isDisturbed, watchCpu } from './rounds.ts';
import { formatCpu, say, type Result, type Verdict } from './table.ts';

const MESSAGES = 10_000_000;
/** Of each kind in a round. */
const QUESTIONS = 40;
/**
 * Each question is asked so often. How long it takes is taken from the first time. The loop is late for many reasons, a
 * busy machine above all; a question that holds it does so every time, so the least of all times is the question's own.
 */
const TIMES = 3;
const PAGE_AT_MOST_MS = 5;
const SEARCH_AT_MOST_MS = 50;
const LOOP_AT_MOST_MS = 5;

export async function benchHistory(scratch: Scratch, rounds: number): Promise<Result> {
  const directory = await makeOnce(scratch);
  const pages = PAGES.map((question) => ({ question, atMostMs: PAGE_AT_MOST_MS, tookMs: [], heldMs: [] }));
  const searches = SEARCHES.map((question) => ({ question, atMostMs: SEARCH_AT_MOST_MS, tookMs: [], heldMs: [] }));
  const all: Asked[] = [...pages, ...searches];
  let disturbed = 0;
  for (let round = 0; round < rounds; round++) {
    await using server = await startProbed(scratch, directory);
    const used = watchCpu(server.pid);
    await using client = await connect({
      host: `127.0.0.1:${PORTS.line}`,
      credential: { ownerTokenFile: join(directory, 'owner.token') },
    });
    const next = chance(round);
    for (let i = 0; i < QUESTIONS; i++) for (const asked of all) await ask({ asked, client, server, next });
    const cpu = used();
    if (isDisturbed(cpu)) disturbed++;
    say(`history  round ${round + 1}  ${formatCpu(cpu)}`);
  }
  for (const { question, tookMs, heldMs } of all) {
    say(`history  ${question.name.padEnd(52)}${inMs(tookMs)}  loop held at most ${Math.max(...heldMs).toFixed(1)} ms`);
  }
  return {
    rounds: [],
    verdicts: all.flatMap(verdictsOf),
    notes: [`The journal is kept for the next run: ${directory}`],
  };
}

interface Asked {
  readonly question: Question;
  readonly atMostMs: number;
  readonly tookMs: number[];
  readonly heldMs: number[];
}

interface Asking {
  readonly asked: Asked;
  readonly client: Client;
  readonly server: Probed;
  readonly next: () => number;
}

async function ask({ asked: { question, tookMs, heldMs }, client, server, next }: Asking): Promise<void> {
  const once = question.make({ next, head: MESSAGES });
  let held = Number.POSITIVE_INFINITY;
  for (let time = 0; time < TIMES; time++) {
    await server.heldMs();
    const from = performance.now();
    const wrong = await once(client);
    const span = performance.now() - from;
    held = Math.min(held, await server.heldMs());
    if (time === 0) tookMs.push(span);
    if (wrong !== undefined) throw new Error(`${question.name}: ${wrong}`);
  }
  heldMs.push(held);
}

function verdictsOf({ question, atMostMs, tookMs, heldMs }: Asked): Verdict[] {
  const p99 = distribution(tookMs)?.p99 ?? Number.POSITIVE_INFINITY;
  const held = Math.max(...heldMs);
  return [
    { what: `${question.name}: p99, ms`, value: p99.toFixed(1), bound: `< ${atMostMs}`, isMet: p99 < atMostMs },
    {
      what: `${question.name}: main loop held, ms`,
      value: held.toFixed(1),
      bound: `<= ${LOOP_AT_MOST_MS}`,
      isMet: held <= LOOP_AT_MOST_MS,
    },
  ];
}

function inMs(values: readonly number[]): string {
  const { p50, p99, max } = distribution(values) ?? { p50: 0, p99: 0, max: 0 };
  return `p50 ${p50.toFixed(1)} ms  p99 ${p99.toFixed(1)} ms  max ${max.toFixed(1)} ms`;
}

/** The data directory of a server with all those messages, made where there is none of this seed and this way. */
async function makeOnce(scratch: Scratch): Promise<string> {
  const way = hash('sha256', readFileSync(join(import.meta.dirname, 'fill.ts'), 'utf8')).slice(0, 8);
  const directory = join(tmpdir(), `partyline-bench-history-${way}`);
  const mark = join(directory, 'filled');
  if (existsSync(mark)) return directory;
  say(`history  makes ${MESSAGES / 1e6} M messages in ${directory}, once; this takes minutes`);
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { mode: 0o700 });
  const server = await startPartyline(scratch, directory);
  await server.end();
  fill(join(directory, 'journal.db'), MESSAGES);
  writeFileSync(mark, '');
  return directory;
}
