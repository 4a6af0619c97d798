// One reader that takes nothing while 50 MB are said: what the others notice, what the server keeps, and whether the one
// that was stuck gets everything in the end, once and in order.

import { PORTS, residentBytes, startPartyline, type Scratch, type Server } from './processes.ts';
import { spreadOf } from './rounds.ts';
import { faultVerdict, p99Of, say, wordsOn, type Result } from './table.ts';
import { measureTalk } from './talk.ts';

const NAME = 'stuck reader, 50 MB';
const ALONE = 'all read';
const STUCK = 'one is stuck';
const SECONDS = 10;
const WARMUP = 1;
/** Bytes of text × messages/s × seconds: 50 MB, which all but their sender get. */
const SETTINGS = {
  clients: 20,
  senders: 2,
  window: 2_048,
  rate: 5_000,
  bytes: 1_000,
  seconds: SECONDS,
  warmup: WARMUP,
};
const P99_AT_MOST = 1.1;
/** A third of what was not read: less than that comes and goes with the garbage of any busy second. */
const MEMORY_AT_MOST = 16 * 1_048_576;
const LOOK_MS = 50;

export async function benchStuck(scratch: Scratch, rounds: number): Promise<Result> {
  const line = { protocol: 'line', port: PORTS.line };
  const peaks = { [ALONE]: new Array<number>(), [STUCK]: new Array<number>() };
  const talkers = [
    { name: ALONE, settings: [], start: () => startWatched(scratch, peaks[ALONE]), ...line },
    { name: STUCK, settings: ['stuck=1'], start: () => startWatched(scratch, peaks[STUCK]), ...line },
  ];
  const results = await measureTalk(scratch, { name: NAME, talkers, rounds, settings: SETTINGS });
  for (const name of [ALONE, STUCK] as const) say(`${NAME}  ${name}  at most ${mib(spreadOf(peaks[name]).median)} MiB`);
  const ratio = p99Of(results, STUCK) / p99Of(results, ALONE);
  const more = spreadOf(peaks[STUCK]).median - spreadOf(peaks[ALONE]).median;
  const verdicts = [
    {
      what: `${NAME}: p99 of the others / without it`,
      value: ratio.toFixed(2) + wordsOn(results, [ALONE, STUCK]),
      bound: `<= ${P99_AT_MOST}`,
      isMet: ratio <= P99_AT_MOST,
    },
    {
      what: `${NAME}: more memory than without it, MiB`,
      value: mib(more),
      bound: `<= ${mib(MEMORY_AT_MOST)}`,
      isMet: more <= MEMORY_AT_MOST,
    },
    faultVerdict(results, NAME),
  ];
  return { rounds: results, verdicts, notes: [] };
}

/** Adds the most memory that it had to `peaks`, when it is ended. */
async function startWatched(scratch: Scratch, peaks: number[]): Promise<Server> {
  const server = await startPartyline(scratch);
  let peak = 0;
  const timer = setInterval(() => (peak = Math.max(peak, residentBytes(server.pid))), LOOK_MS);
  return {
    pid: server.pid,
    end: async () => {
      clearInterval(timer);
      peaks.push(peak);
      await server.end();
    },
  };
}

function mib(bytes: number): string {
  return (bytes / 1_048_576).toFixed(0);
}
