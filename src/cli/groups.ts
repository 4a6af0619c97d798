// `partyline groups`: the groups that one is in, and joining and leaving them.

import { parseOnce } from './kit/arguments.ts';
import type { Client } from '../client/mod.ts';
import { escapeControls } from '../protocol/text.ts';
import { misuse, whileIn } from './kit/come-in.ts';
import { jsonLine } from './kit/json-line.ts';
import { COMMON, COMMON_HELP, CREDENTIAL_HELP, hostOf, readCommandLine } from './kit/options.ts';
import { print, table } from './kit/print.ts';

export const HELP = `List the groups that you are in, join one or leave one; put machines into one

Usage: partyline groups
       partyline groups join GROUP [MACHINE...]
       partyline groups leave GROUP [MACHINE...]

  --all              the groups that you are not in, too
${COMMON_HELP}

A GROUP begins with #, which a shell takes for the beginning of a comment: quote it. The first one to join makes the
group, the last one to leave ends it. What was said to it before you joined is not told.

With MACHINEs it is they that join or leave, which the owner alone may say: partyline run --on '#lab' means them then, and so does
on = "#lab" in the policy. What is said to the group does not go to them.

${CREDENTIAL_HELP}

Examples:
  partyline groups
  partyline groups join '#ops'
  partyline groups join '#lab' web1 web2
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
  const [change, group, ...machines] = positionals;
  const going = { command: 'groups', host: hostOf(values.host) };
  if (change === undefined) return whileIn(going, (client) => list(client, values));
  if (change !== 'join' && change !== 'leave') {
    return misuse('groups', `join, leave or nothing is expected, not ${JSON.stringify(change)}`);
  }
  if (group === undefined) return misuse('groups', `a GROUP is expected after ${change}; quote it: '#ops'`);
  if (machines.some((machine) => machine.startsWith('#'))) {
    return misuse(
      'groups',
      `one GROUP is expected after ${change}, and MACHINEs, not ${positionals.length - 1} groups`,
    );
  }
  if (values.all) return misuse('groups', `--all is for the list, not for ${change}`);
  return whileIn(going, async (client) => {
    const state = CHANGES[change];
    // One after the other: what is refused of one is said, and those before it are in.
    for (const machine of machines.length === 0 ? [undefined] : machines) {
      const name = await client[change](group, machine);
      const who = machine === undefined ? 'You have' : `${escapeControls(machine)} has`;
      const said = { name, state, ...(machine === undefined ? {} : { machine }) };
      await print(values.json ? jsonLine(said) : `${who} ${state} ${escapeControls(name)}\n`);
    }
    return 0;
  });
}

async function list(client: Client, { all, json }: { readonly all: boolean; readonly json: boolean }): Promise<number> {
  const own = client.identity?.name ?? '';
  const found = (await client.groups()).filter(({ members }) => all || members.includes(own));
  if (json) await print(found.map(({ name, members }) => jsonLine({ name, members })).join(''));
  else if (found.length === 0)
    await print(all ? 'There are no groups\n' : 'You are in no group; --all lists the others\n');
  else await print(table(found.map(({ name, members }) => [name, members.join(' ')])));
  return 0;
}
