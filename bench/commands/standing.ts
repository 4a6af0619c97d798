// Commands over a connection that stands: the library's, by TLS, beside `ssh` with ControlMaster, one at a time and eight
// at once.

import { join } from 'node:path';
import type { NativeClient } from '../../src/client/native.ts';
import { enterAsOwner, OWNER_TOKEN_FILE } from '../../src/client/on-socket.ts';
import { Runs, type RunListener } from '../../src/client/run.ts';
import type { Scratch } from '../processes.ts';
import type { Result } from '../table.ts';
import { HOST, startLab } from './lab.ts';
import { spawnRate, startMany } from './load.ts';
import { isSshInstalled, Ssh, SSH_NOTE } from './ssh.ts';
import { takeTurns, type Turn } from './turns.ts';

const LATENCY_AT_MOST = 0.5;
const RATE_AT_LEAST = 2;
const AT_ONCE = 8;
/** Of a turn. */
const IN_A_ROW = 10;
const IN_PARALLEL = 80;
const PER_ROUND = 6;

const QUIET: RunListener = {
  onOutput: (_name, _bytes, done) => done(),
  onOutputEnd: () => {},
  onInputRoom: () => {},
  onInputClosed: () => {},
};

export async function benchStanding(scratch: Scratch, rounds: number): Promise<Result> {
  const ssh = new Ssh(scratch);
  const setUp = async (turnsOf: (client: NativeClient) => readonly Turn[]) => {
    const lab = await startLab(scratch);
    const trust = { meet: () => ({ met: 'again' }) as const, tell: () => {} };
    const entering = await enterAsOwner(HOST, { tokenFile: join(lab.directory, OWNER_TOKEN_FILE), trust });
    if ('refused' in entering) throw new Error(entering.refused);
    const { client } = entering;
    const sshd = isSshInstalled ? await ssh.startServer() : undefined;
    const masters = sshd && (await ssh.startMasters(['mux']));
    return {
      turns: turnsOf(client),
      async end() {
        client.close();
        await masters?.end();
        await sshd?.end();
        await lab.server.end();
      },
    };
  };
  const muxed = { words: [...ssh.words('mux'), 'true'] };
  const latency = await takeTurns({
    what: 'run, standing',
    unit: 'ms',
    rounds,
    perRound: PER_ROUND,
    setUp: () =>
      setUp((client) => [
        { name: 'library', measure: async () => (await runMany(client, { atOnce: 1, total: IN_A_ROW })).ms },
        ...(isSshInstalled
          ? [{ name: 'ssh', measure: async () => (await startMany(scratch, { ...muxed, total: IN_A_ROW })).ms }]
          : []),
      ]),
  });
  const parallel = { atOnce: AT_ONCE, total: IN_PARALLEL };
  const rate = await takeTurns({
    what: `run, standing, ${AT_ONCE} at once`,
    unit: 'a second',
    rounds,
    perRound: PER_ROUND,
    setUp: () =>
      setUp((client) => [
        { name: 'library', measure: async () => (await runMany(client, parallel)).perSecond },
        { name: 'node-spawn', measure: () => spawnRate(parallel) },
        ...(isSshInstalled
          ? [{ name: 'ssh', measure: async () => (await startMany(scratch, { ...muxed, ...parallel })).perSecond }]
          : []),
      ]),
  });
  const verdicts = [
    ...latency.verdict({ of: 'library', to: 'ssh', atMost: LATENCY_AT_MOST }),
    ...rate.verdict({ of: 'library', to: 'ssh', atLeast: RATE_AT_LEAST }),
    ...rate.verdict({ of: 'node-spawn', to: 'ssh' }),
  ];
  return { rounds: [], verdicts, notes: isSshInstalled ? [] : [SSH_NOTE] };
}

/** As `startMany`, over one connection. */
async function runMany(client: NativeClient, { atOnce, total }: { atOnce: number; total: number }) {
  const runs = new Runs(client);
  const ms: number[] = [];
  let begun = 0;
  const next = async (): Promise<void> => {
    while (begun < total) {
      begun += 1;
      const from = performance.now();
      const handle = runs.start({ command: { shell: 'true' } }, QUIET);
      handle.endInput();
      const ended = await handle.ended;
      if (ended.end !== 'ended' || ended.status !== 0) throw new Error(`A command ended as ${JSON.stringify(ended)}`);
      ms.push(performance.now() - from);
    }
  };
  const from = performance.now();
  await Promise.all(Array.from({ length: atOnce }, next));
  return { ms, perSecond: (total / (performance.now() - from)) * 1_000 };
}
