// `partyline run HOST -- true` as a person meets it: a process that starts, comes in by TLS with a key that is known, runs
// a command and ends; beside `ssh` and dropbear, which do the same.

import type { Scratch } from '../processes.ts';
import type { Result, Verdict } from '../table.ts';
import { logIn, runWords, startLab } from './lab.ts';
import { startMany } from './load.ts';
import { DROPBEAR_NOTE, isDropbearUsable, isSshInstalled, Ssh, SSH_NOTE, type Words } from './ssh.ts';
import { takeTurns, type Turn } from './turns.ts';

const PER_ROUND = 12;
/** Of what `ssh` takes. */
const OF_SSH_AT_MOST = 0.35;
const OF_DROPBEAR_AT_MOST = 2;
/** What any program on Node pays before its first line. */
const FLOOR = 'node -e 0';

export async function benchCold(scratch: Scratch, rounds: number): Promise<Result> {
  const setUp = async () => {
    const lab = await startLab(scratch);
    const servers = [lab.server];
    const member = logIn(scratch, lab);
    const turn = (name: string, words: Words, environment = {}): Turn => ({
      name,
      measure: async () => (await startMany(scratch, { words, environment, total: 1 })).ms,
    });
    const turns = [
      turn(FLOOR, [process.execPath, '-e', '0']),
      turn('owner', [...runWords(), 'true'], lab.owner),
      turn('member', [...runWords(), 'true'], member),
    ];
    const ssh = new Ssh(scratch);
    if (isSshInstalled) {
      servers.push(await ssh.startServer());
      turns.push(turn('ssh', [...ssh.words('cold'), 'true']));
    }
    if (isDropbearUsable) {
      servers.push(await ssh.startDropbear());
      turns.push(turn('dropbear', [...ssh.dropbearWords, 'true'], ssh.homeEnvironment));
    }
    return {
      turns,
      async end() {
        for (const server of servers) await server.end();
      },
    };
  };
  const figures = await takeTurns({ what: 'run, cold', unit: 'ms', rounds, perRound: PER_ROUND, setUp });
  const verdicts: Verdict[] = [];
  for (const who of ['owner', 'member']) {
    verdicts.push(...figures.verdict({ of: who, to: 'ssh', atMost: OF_SSH_AT_MOST }));
    verdicts.push(...figures.verdict({ of: who, to: 'dropbear', atMost: OF_DROPBEAR_AT_MOST }));
  }
  for (const to of ['owner', 'dropbear']) verdicts.push(...figures.verdict({ of: FLOOR, to }));
  return {
    rounds: [],
    verdicts,
    notes: [...(isSshInstalled ? [] : [SSH_NOTE]), ...(isDropbearUsable ? [] : [DROPBEAR_NOTE])],
  };
}
