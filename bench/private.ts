// Messages from one to one, a hundred pairs at once, beside an IRC server.

import type { Scratch } from './processes.ts';
import { bestVerdict, faultVerdict, type Result } from './table.ts';
import { findTalkers, measureTalk } from './talk.ts';

const AT_LEAST = 1.2;
const NAME = 'private, 100 pairs';

export async function benchPrivate(scratch: Scratch, rounds: number): Promise<Result> {
  const { talkers, peers, notes } = findTalkers(scratch, {
    bounds: ['node-shared', 'node-durable'],
    peers: ['inspircd'],
  });
  const results = await measureTalk(scratch, { name: NAME, talkers, rounds, settings: { pairs: 100, window: 8 } });
  const best = bestVerdict(results, { what: NAME, of: 'partyline', among: peers, atLeast: AT_LEAST });
  return { rounds: results, verdicts: [...best, faultVerdict(results, NAME)], notes };
}
