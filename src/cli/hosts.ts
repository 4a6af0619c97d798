// `partyline hosts`: the machines that have joined.

import { parseOnce } from './kit/arguments.ts';
import type { Host } from '../client/mod.ts';
import { whileIn } from './kit/come-in.ts';
import { jsonLine } from './kit/json-line.ts';
import { COMMON, COMMON_HELP, CREDENTIAL_HELP, hostOf, readOptions } from './kit/options.ts';
import { print, table } from './kit/print.ts';
import { localTime } from './kit/time.ts';

export const HELP = `List the machines that have joined, connected or not

Usage: partyline hosts

${COMMON_HELP}

Each with its state, the family it is connected over, the time of a round trip in milliseconds, its labels, and when one that
is not connected was last seen; its labels are those that it had then. After a server was killed that time may be some 70
seconds early.

${CREDENTIAL_HELP}

Examples:
  partyline hosts
  partyline hosts --json | jq -r 'select(.state == "offline").name'
`;

export async function hosts(args: string[]): Promise<number> {
  const values = readOptions('hosts', () => parseOnce({ args, allowPositionals: true, options: COMMON }));
  if (typeof values === 'number') return values;
  return whileIn({ command: 'hosts', host: hostOf(values.host) }, async (client) => {
    const found = await client.hosts();
    if (values.json)
      await print(found.map((host) => jsonLine({ ...host, labels: Object.fromEntries(host.labels) })).join(''));
    else if (found.length === 0) process.stderr.write('No machine has joined: partyline invite NAME --as host\n');
    else await print(table(found.map(inColumns)));
    return 0;
  });
}

function inColumns({ name, state, family, rttMs, labels, lastSeen }: Host): string[] {
  const shownLabels = Array.from(labels, ([label, value]) => `${label}=${value}`);
  const rtt = rttMs === null ? '-' : `${rttMs.toFixed(1)} ms`;
  const seen = lastSeen === null ? 'never seen' : `last seen ${localTime(lastSeen)}`;
  return [name, state, family ?? '-', rtt, shownLabels.join(',') || '-', state === 'online' ? '' : seen];
}
