// How long a message takes while there is little to do: messages at a fixed rate, whatever becomes of those before them.

import type { Scratch } from './processes.ts';
import { faultVerdict, laterVerdict, type Result } from './table.ts';
import { findTalkers, measureTalk } from './talk.ts';

const AT_MOST_MS = 3;
const NAME = 'latency, 100 clients, 100 messages/s';
/** A hundred messages a second are few: a p99 needs a while. */
const SECONDS = 10;

export async function benchLatency(scratch: Scratch, rounds: number): Promise<Result> {
  const { talkers, notes } = findTalkers(scratch, { bounds: ['c-talk'] });
  const settings = { clients: 100, senders: 10, window: 64, rate: 100, seconds: SECONDS };
  const results = await measureTalk(scratch, { name: NAME, talkers, rounds, settings });
  const later = laterVerdict(results, { what: NAME, of: 'partyline', than: 'c-talk', atMostMs: AT_MOST_MS });
  return { rounds: results, verdicts: [later, faultVerdict(results, NAME)], notes };
}
