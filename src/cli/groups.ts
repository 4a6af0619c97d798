// `partyline groups`: the groups that one is in, and joining and leaving them.

import { parseOnce } from './kit/arguments.ts';
import type { Client } from '../client/mod.ts';
import { escapeControls } from '../protocol/text.ts';
import { misuse, whileIn } from './kit/come-in.ts';
import { jsonLine } from './kit/json-line.ts';
import { COMMON, COMMON_HELP, CREDENTIAL_HELP, hostOf, readCommandLine } from './kit/options.ts';
import { print, table } from './kit/print.ts';

export const HELP = `List the groups that you are in, join one or leave one

Usage: partyline groups
       partyline groups join GROUP
       partyline groups leave GROUP

  --all              the groups that you are not in, too
${COMMON_HELP}

A GROUP begins with #, which a shell takes for the beginning of a comment: quote it. The first one to join makes the
group, the last one to leave ends it. What was said to it before you joined is not told.

${CREDENTIAL_HELP}

Examples:
  partyline groups
  partyline groups join '#ops'
  partyline groups --all --json | jq -r 'select(.members | length > 10).name'
`;

/** What can be done to one, and what is true then. */
const CHANGES = { join: 'joined', leave: 'left' } as const;

export async function groups(args: string[]): Promise<number> {
  const read = readCommandLine('groups', () =>
    parseOnce({ args, allowPositionals: true, options: { ...COMMON, all: { type: 'boolean', default: false } } }),
  );
  if (typeof read === 'number') return read;
  const { values, positionals } = read;
  const [change, group, ...more] = positionals;
  const going = { command: 'groups', host: hostOf(values.host) };
  if (change === undefined) return whileIn(going, (client) => list(client, values));
  if (change !== 'join' && change !== 'leave') {
    return misuse('groups', `join, leave or nothing is expected, not ${JSON.stringify(change)}`);
  }
  if (group === undefined || more.length > 0) {
    return misuse('groups', `one GROUP is expected after ${change}, not ${positionals.length - 1}; quote it: '#ops'`);
  }
  if (values.all) return misuse('groups', `--all is for the list, not for ${change}`);
  return whileIn(going, async (client) => {
    const name = change === 'join' ? await client.join(group) : await client.leave(group);
    const state = CHANGES[change];
    await print(values.json ? jsonLine({ name, state }) : `You have ${state} ${escapeControls(name)}\n`);
    return 0;
  });
}

async function list(client: Client, { all, json }: { readonly all: boolean; readonly json: boolean }): Promise<number> {
  const own = client.identity?.name ?? '';
  const found = (await client.groups()).filter(({ members }) => all || members.includes(own));
  if (json) await print(found.map(({ name, members }) => jsonLine({ name, members })).join(''));
  else if (found.length === 0) await print(all ? 'There are no groups\n' : 'You are in no group\n');
  else await print(table(found.map(({ name, members }) => [name, members.join(' ')])));
  return 0;
}
