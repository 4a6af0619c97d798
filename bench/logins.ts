// Coming in: how many guests a second are let in over the line protocol, counted when they have the server's answer.

import { PORTS, startPartyline, type Scratch } from './processes.ts';
import { measure, ratesOf, spreadOf } from './rounds.ts';
import { faultVerdict, sayRound, type Result } from './table.ts';

const NAME = 'logins';
const GUESTS = 10_000;
/** Under way at once. */
const RAMP = 64;
const AT_LEAST = 3_000;

export async function benchLogins(scratch: Scratch, rounds: number): Promise<Result> {
  const program = scratch.program('login-load');
  const results = await measure({
    name: NAME,
    contestants: [{ name: 'partyline', port: PORTS.line, start: () => startPartyline(scratch) }],
    rounds,
    load: ({ port }) => ({ program, arguments: ['127.0.0.1', port, GUESTS, RAMP] }),
    onRound: sayRound,
  });
  const { median } = spreadOf(ratesOf(results, 'partyline').rates);
  const bound = `>= ${AT_LEAST}`;
  const enough = { what: `${NAME}/s`, value: median.toFixed(0), bound, isMet: median >= AT_LEAST };
  return {
    rounds: results,
    verdicts: [enough, faultVerdict(results, NAME)],
    notes: [],
  };
}
