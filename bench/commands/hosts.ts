// One command on a hundred machines, which all are this one: `partyline run --on all` beside `clush` over ssh with a
// master connection to each, that stands already, and beside the least that Node takes for it, bare and with what a run
// must have here.

import { freemem } from 'node:os';
import { join } from 'node:path';
import { connect } from '../../src/client/mod.ts';
import { OWNER_TOKEN_FILE } from '../../src/client/on-socket.ts';
import { NODE_HOSTS, PORTS, startNodeRelay, type Scratch } from '../processes.ts';
import { say, type Result } from '../table.ts';
import { HOST, Machine, runWords, startLab, type Lab } from './lab.ts';
import { startMany } from './load.ts';
import { CLUSH_NOTE, isClushInstalled, isSshInstalled, Ssh } from './ssh.ts';
import { takeTurns, type Turn } from './turns.ts';

const HOSTS = 100;
/** A joined machine is two processes once it has run something; one of the bound is beside it. */
const BYTES_PER_HOST = 210 * 1_048_576;
const BOUNDS = ['spawn', 'posix_spawn', 'piped'] as const;
/** Joined at the same time. */
const RAMP = 4;
const PER_ROUND = 8;
/** `clush` takes so many times as long. */
const TIMES_AT_LEAST = 5;

export async function benchHosts(scratch: Scratch, rounds: number): Promise<Result> {
  const count = Math.min(HOSTS, Math.floor(freemem() / BYTES_PER_HOST));
  const names = Array.from({ length: count }, (_, i) => `h${i + 1}`);
  const isPeerThere = isClushInstalled && isSshInstalled;
  const lab = await startLab(scratch);
  const ends: (() => Promise<void>)[] = [() => lab.server.end()];
  try {
    const machines: Machine[] = [];
    ends.push(async () => void (await Promise.all(machines.map((machine) => machine.end()))));
    await joinAll(scratch, lab, { names, machines });
    say(`run, hosts  ${count} machines have joined`);
    const own: Turn = {
      name: 'partyline',
      measure: async () => {
        const words = [...runWords('--on', 'all', '--yes'), 'true'];
        return (await startMany(scratch, { words, environment: lab.owner, total: 1 })).ms;
      },
    };
    const relay = await startNodeRelay(lab.directory);
    const certificate = join(lab.directory, 'tls.crt');
    ends.push(() => relay.end());
    const ports = [String(PORTS.bound), String(PORTS.boundTls)];
    for (let i = 0; i < count; i++) {
      const machine = new Machine([process.execPath, NODE_HOSTS, 'host', ...ports, certificate]);
      machines.push(machine);
      await machine.ready();
    }
    const bounds = BOUNDS.map((how): Turn => {
      const words =
        how === 'piped'
          ? [process.execPath, '--use-openssl-ca', NODE_HOSTS, 'ask', String(PORTS.boundTls), how, certificate]
          : [process.execPath, NODE_HOSTS, 'ask', String(PORTS.bound), how];
      return {
        name: `node-hosts, ${how}`,
        measure: async () => (await startMany(scratch, { words, total: 1 })).ms,
      };
    });
    const turns = [own, ...bounds];
    if (isPeerThere) {
      const ssh = new Ssh(scratch);
      const sshd = await ssh.startServer();
      ends.push(() => sshd.end());
      const masters = await ssh.startMasters(names);
      ends.push(() => masters.end());
      const words = [...ssh.clushWords(names), 'true'];
      const environment = ssh.homeEnvironment;
      turns.push({
        name: 'clush',
        measure: async () => (await startMany(scratch, { words, environment, total: 1 })).ms,
      });
    }
    const what = `run, ${count} hosts`;
    // A hundred machines take a while to join: they stay for all rounds.
    const setUp = async () => ({ turns, end: async () => {} });
    const figures = await takeTurns({ what, unit: 'ms', rounds, perRound: PER_ROUND, setUp });
    const verdicts = [
      ...figures.verdict({ of: 'clush', to: 'partyline', atLeast: TIMES_AT_LEAST }),
      ...BOUNDS.flatMap((how) => figures.verdict({ of: 'clush', to: `node-hosts, ${how}` })),
    ];
    return { rounds: [], verdicts, notes: isPeerThere ? [] : [CLUSH_NOTE] };
  } finally {
    for (const end of ends.toReversed()) await end();
  }
}

interface Joining {
  readonly names: readonly string[];
  /** Grows as they are started. */
  readonly machines: Machine[];
}

async function joinAll(scratch: Scratch, { directory }: Lab, { names, machines }: Joining): Promise<void> {
  const trust = { meet: () => ({ met: 'again' }) as const, tell: () => {} };
  const credential = { ownerTokenFile: join(directory, OWNER_TOKEN_FILE) };
  await using owner = await connect({ host: HOST, credential, trust });
  const waiting = [...names];
  const next = async (): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      const { code } = await owner.invite(name, { kind: 'host' });
      const machine = Machine.joining(scratch, code);
      machines.push(machine);
      await machine.ready();
    }
  };
  await Promise.all(Array.from({ length: RAMP }, next));
}
