// One reader that takes nothing while 50 MB are said: what the others notice, what the server keeps, and whether the one
// that was stuck gets everything in the end, once and in order.

import { PORTS, startPartyline, type Scratch } from './processes.ts';
import { countedOf, spreadOf, type Round } from './rounds.ts';
import { faultVerdict, p99Of, wordsOn, type Result, type Verdict } from './table.ts';
import { measureTalk } from './talk.ts';

const NAME = 'stuck reader, 50 MB';
const WITHOUT = 'all read';
const WITH = 'one is stuck';
/** Bytes of text × messages/s × seconds: 50 MB, which all but their sender get. */
const SETTINGS = { clients: 20, senders: 2, window: 2_048, rate: 5_000, bytes: 1_000, seconds: 10 };
const P99_AT_MOST = 1.1;
/** A third of what was not read: so much comes and goes with the garbage of any busy second. */
const TALKING_AT_MOST_MIB = 16;
/** Reading on is work as well: pages of the journal, on their way. It is done when the others are silent. */
const READING_ON_AT_MOST_MIB = 32;

export async function benchStuck(scratch: Scratch, rounds: number): Promise<Result> {
  const own = { protocol: 'line', port: PORTS.line, start: () => startPartyline(scratch) };
  const talkers = [
    { name: WITHOUT, settings: [], ...own },
    { name: WITH, settings: ['stuck=1'], ...own },
  ];
  const results = await measureTalk(scratch, { name: NAME, talkers, rounds, settings: SETTINGS, looksAtMemory: true });
  const ratio = p99Of(results, WITH) / p99Of(results, WITHOUT);
  const before = residentMib(results, WITHOUT, 'talkingKib');
  const talking = residentMib(results, WITH, 'talkingKib') - before;
  const readingOn = residentMib(results, WITH, 'readingOnKib') - before;
  const verdicts = [
    {
      what: `${NAME}: p99 of the others / without it`,
      value: ratio.toFixed(2) + wordsOn(results, [WITHOUT, WITH]),
      bound: `<= ${P99_AT_MOST}`,
      isMet: ratio <= P99_AT_MOST,
    },
    memoryVerdict('MiB more than without it', talking, TALKING_AT_MOST_MIB),
    memoryVerdict('MiB more while it reads on', readingOn, READING_ON_AT_MOST_MIB),
    faultVerdict(results, NAME),
  ];
  const notes = [`The server had ${before.toFixed(0)} MiB resident at most where all read`];
  return { rounds: results, verdicts, notes };
}

function residentMib(rounds: readonly Round[], name: string, when: 'talkingKib' | 'readingOnKib'): number {
  return spreadOf(countedOf(rounds, name).map((round) => round[when])).median / 1_024;
}

function memoryVerdict(what: string, value: number, atMost: number): Verdict {
  const isMet = value <= atMost;
  return { what: `${NAME}: ${what}`, value: value.toFixed(0), bound: `<= ${atMost}`, isMet };
}
