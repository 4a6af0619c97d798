// Looking back over ten million messages: a page of a hundred, a search, and for how long either holds the server's main
// loop. Asked through the client library, over loopback, as the owner.

import { hash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type Client } from '../src/client/mod.ts';
import { distribution } from '../src/client/stats.ts';
import { MIGRATIONS } from '../src/journal/migrations/list.ts';
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
  const questions = [...PAGES, ...SEARCHES];
  const answers: Answer[] = [];
  const quiet = new Set<number>();
  for (let round = 0; round < rounds; round++) {
    await using server = await startProbed(scratch, directory);
    const used = watchCpu(server.pid);
    await using client = await connect({
      host: `127.0.0.1:${PORTS.line}`,
      credential: { ownerTokenFile: join(directory, 'owner.token') },
    });
    const next = chance(round);
    for (let i = 0; i < QUESTIONS; i++) {
      for (const question of questions)
        answers.push({ question, round, ...(await ask({ question, client, server, next })) });
    }
    const cpu = used();
    if (!isDisturbed(cpu)) quiet.add(round);
    say(`history  round ${round + 1}  ${formatCpu(cpu)}`);
  }
  const counted = quiet.size === 0 ? answers : answers.filter(({ round }) => quiet.has(round));
  const notes = [
    `${quiet.size} of ${rounds} rounds were quiet; ${quiet.size === 0 ? 'repeat on a quiet machine' : 'the others do not count'}`,
    `The journal is kept for the next run: ${directory}`,
  ];
  return { rounds: [], verdicts: questions.flatMap((question) => verdictsOn(question, counted)), notes };
}

interface Answer {
  readonly question: Question;
  readonly round: number;
  readonly tookMs: number;
  readonly heldMs: number;
}

interface Asking {
  readonly question: Question;
  readonly client: Client;
  readonly server: Probed;
  readonly next: () => number;
}

async function ask({ question, client, server, next }: Asking): Promise<{ tookMs: number; heldMs: number }> {
  const once = question.make({ next, head: MESSAGES });
  let tookMs: number | undefined;
  let heldMs = Number.POSITIVE_INFINITY;
  for (let time = 0; time < TIMES; time++) {
    await server.heldMs();
    const from = performance.now();
    const wrong = await once(client);
    tookMs ??= performance.now() - from;
    heldMs = Math.min(heldMs, await server.heldMs());
    if (wrong !== undefined) throw new Error(`${question.name}: ${wrong}`);
  }
  return { tookMs: tookMs ?? 0, heldMs };
}

function verdictsOn(question: Question, answers: readonly Answer[]): Verdict[] {
  const own = answers.filter((answer) => answer.question === question);
  const { p50, p99, max } = distribution(own.map(({ tookMs }) => tookMs)) ?? { p50: 0, p99: 0, max: 0 };
  const atMost = PAGES.includes(question) ? PAGE_AT_MOST_MS : SEARCH_AT_MOST_MS;
  const held = Math.max(...own.map(({ heldMs }) => heldMs));
  return [
    {
      what: `${question.name}: median, ms`,
      value: `${p50.toFixed(1)} (p99 ${p99.toFixed(1)}, worst ${max.toFixed(1)})`,
      bound: `< ${atMost}`,
      isMet: p50 < atMost,
    },
    {
      what: `${question.name}: main loop held, ms`,
      value: held.toFixed(1),
      bound: `<= ${LOOP_AT_MOST_MS}`,
      isMet: held <= LOOP_AT_MOST_MS,
    },
  ];
}

/** The data directory of a server with all those messages, made where there is none of this seed, this way and this schema. */
async function makeOnce(scratch: Scratch): Promise<string> {
  const made = [readFileSync(join(import.meta.dirname, 'fill.ts'), 'utf8'), ...MIGRATIONS].join('');
  const way = hash('sha256', made).slice(0, 8);
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
