// The benchmarks: `npm run bench -- WORKLOAD [--rounds N] [--json]`. What they measure and how: bench/README.md. Status 1 when a bound is missed or anything was lost, repeated or altered.

import { parseArgs } from 'node:util';
import { benchBroadcast } from './broadcast.ts';
import { benchBulk } from './commands/bulk.ts';
import { benchCold } from './commands/cold.ts';
import { benchHosts } from './commands/hosts.ts';
import { benchStanding } from './commands/standing.ts';
import { benchEcho } from './echo.ts';
import { benchHistory } from './history.ts';
import { benchIdle } from './idle.ts';
import { benchLatency } from './latency.ts';
import { benchLogins } from './logins.ts';
import { benchPrivate } from './private.ts';
import { Scratch } from './processes.ts';
import { benchStart } from './start.ts';
import { benchStuck } from './stuck.ts';
import { formatResult, type Result } from './table.ts';

type Bench = (scratch: Scratch, rounds: number) => Promise<Result>;
const BENCHES: Readonly<Record<string, { run: Bench; rounds: number }>> = {
  broadcast: { run: benchBroadcast, rounds: 5 },
  private: { run: benchPrivate, rounds: 5 },
  latency: { run: benchLatency, rounds: 5 },
  logins: { run: benchLogins, rounds: 5 },
  history: { run: benchHistory, rounds: 3 },
  stuck: { run: benchStuck, rounds: 5 },
  echo: { run: benchEcho, rounds: 5 },
  start: { run: benchStart, rounds: 4 },
  run: { run: inTurn(benchCold, benchStanding, benchBulk, benchHosts), rounds: 3 },
  'run-cold': { run: benchCold, rounds: 5 },
  'run-standing': { run: benchStanding, rounds: 5 },
  'run-bulk': { run: benchBulk, rounds: 3 },
  'run-hosts': { run: benchHosts, rounds: 3 },
  idle: { run: benchIdle, rounds: 3 },
};
const USAGE = `usage: npm run bench -- ${Object.keys(BENCHES).join('|')} [--rounds N] [--json]\n`;
const USAGE_STATUS = 64;

function inTurn(...benches: readonly Bench[]): Bench {
  return async (scratch, rounds) => {
    const results: Result[] = [];
    for (const bench of benches) results.push(await bench(scratch, rounds));
    return {
      rounds: results.flatMap((result) => result.rounds),
      verdicts: results.flatMap((result) => result.verdicts),
      notes: [...new Set(results.flatMap((result) => result.notes))],
    };
  };
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: { rounds: { type: 'string' }, json: { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  const bench = BENCHES[positionals[0] ?? ''];
  const rounds = values.rounds === undefined ? bench?.rounds : Number(values.rounds);
  if (bench === undefined || positionals.length !== 1 || !Number.isInteger(rounds) || Number(rounds) < 1) {
    process.stderr.write(USAGE);
    return USAGE_STATUS;
  }
  using scratch = new Scratch();
  const result = await bench.run(scratch, Number(rounds));
  process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : formatResult(result));
  return result.verdicts.every(({ isMet }) => isMet) ? 0 : 1;
}

process.exitCode = await main();
