// Much output and much input of one command, each byte compared at its end; beside `ssh` with the cipher that it takes
// by itself, and with the fastest that it has, and beside what Node leaves, with and without the digest of each byte.

import { NODE_TLS, PORTS, residentBytes, startNodeTls, type Scratch, type Server } from '../processes.ts';
import type { Result, Verdict } from '../table.ts';
import { runWords, startLab } from './lab.ts';
import { runBulk } from './load.ts';
import { isSshInstalled, Ssh, SSH_NOTE, type Words } from './ssh.ts';
import { takeTurns, type Figures, type Turn } from './turns.ts';

const BYTES = 512 * 1_048_576;
const PER_ROUND = 2;
const OF_SSH_AT_LEAST = 1.3;
const OF_AES_AT_LEAST = 1;
/** Above what the server has after the first time; a tenth of what flows would be over it. */
const GROWTH_AT_MOST_MIB = 32;
const SAMPLE_MS = 50;
/** By what the server does with each byte. */
const NODE = { plain: 'node-tls', sha256: 'node-tls, sha256' } as const;
const PEERS = ['ssh', 'ssh, aes128-gcm'];

export async function benchBulk(scratch: Scratch, rounds: number): Promise<Result> {
  const bulk = scratch.program('bulk');
  /** The shell's own words; what carries the command is put before the last one. */
  const out = `"$0" "$@" "${bulk} write ${BYTES}" | ${bulk} check ${BYTES}`;
  const into = `${bulk} write ${BYTES} | "$0" "$@" "${bulk} check ${BYTES}"`;
  const growth: number[] = [];
  const compare = (what: string, line: string, does: 'write' | 'check'): Promise<Figures> =>
    takeTurns({
      what,
      unit: 'MB/s',
      rounds,
      perRound: PER_ROUND,
      setUp: async () => {
        const lab = await startLab(scratch);
        const servers: Server[] = [lab.server];
        if (isSshInstalled) servers.push(await new Ssh(scratch).startServer());
        servers.push(await startNodeTls(lab.directory, [bulk, does, String(BYTES)]));
        const turn = (name: string, words: Words, environment = {}): Turn => ({
          name,
          measure: () => runBulk(line, words, environment),
        });
        let before: number | undefined;
        const own = turn('partyline', runWords(), lab.owner);
        const watched = async () => {
          const { result, mostBytes } = await whileWatching(lab.server.pid, own.measure);
          // The first time, what it needs anyway is still being made.
          if (before !== undefined) growth.push((mostBytes - before) / 1_048_576);
          before ??= mostBytes;
          return result;
        };
        const ssh = new Ssh(scratch);
        return {
          turns: [
            { name: own.name, measure: watched },
            ...(['plain', 'sha256'] as const).map((how) =>
              turn(NODE[how], [process.execPath, NODE_TLS, String(PORTS.bound), how]),
            ),
            ...(isSshInstalled ? [turn('ssh', ssh.words('cold')), turn('ssh, aes128-gcm', ssh.words('gcm'))] : []),
          ],
          async end() {
            for (const server of servers.toReversed()) await server.end();
          },
        };
      },
    });
  const verdictsOf = (figures: Figures): Verdict[] => [
    ...figures.verdict({ of: 'partyline', to: 'ssh', atLeast: OF_SSH_AT_LEAST }),
    ...figures.verdict({ of: 'partyline', to: 'ssh, aes128-gcm', atLeast: OF_AES_AT_LEAST }),
    ...Object.values(NODE).flatMap((of) => PEERS.flatMap((to) => figures.verdict({ of, to }))),
    ...figures.verdict({ of: 'partyline', to: NODE.sha256 }),
  ];
  const verdicts = [
    ...verdictsOf(await compare('run, bulk out', out, 'write')),
    ...verdictsOf(await compare('run, bulk in', into, 'check')),
  ];
  const most = Math.max(...growth);
  verdicts.push({
    what: 'run, bulk: memory of the server beyond the first time, MiB at most',
    value: most.toFixed(0),
    bound: `<= ${GROWTH_AT_MOST_MIB}`,
    isMet: most <= GROWTH_AT_MOST_MIB,
  });
  return { rounds: [], verdicts, notes: isSshInstalled ? [] : [SSH_NOTE] };
}

async function whileWatching<Value>(pid: number, work: () => Promise<Value>) {
  let mostBytes = residentBytes(pid);
  const timer = setInterval(() => (mostBytes = Math.max(mostBytes, residentBytes(pid))), SAMPLE_MS);
  try {
    return { result: await work(), mostBytes };
  } finally {
    clearInterval(timer);
  }
}
