// The program: which subcommand, and nothing else. Each is loaded when it is asked for, so that asking for help costs
// little more than starting Node.

import { COMMANDS } from './commands.ts';
import { leave } from './kit/leave.ts';
import { USAGE_STATUS } from './kit/status.ts';

export const VERSION = '0.1.0';

interface Subcommand {
  /** Carries out the subcommand; the status it ends with. */
  run(args: string[]): Promise<number>;
  readonly help: string;
}

const LOADERS: Readonly<Record<string, () => Promise<Subcommand>>> = {
  serve: async () => {
    const { HELP, serve } = await import('./serve.ts');
    return { run: serve, help: HELP };
  },
  chat: async () => {
    const { HELP, chat } = await import('./chat.ts');
    return { run: chat, help: HELP };
  },
  echo: async () => {
    const { HELP, echo } = await import('./echo.ts');
    return { run: echo, help: HELP };
  },
  run: async () => {
    const { HELP, run } = await import('./run.ts');
    return { run, help: HELP };
  },
  attach: async () => {
    const { HELP, attach } = await import('./attach.ts');
    return { run: attach, help: HELP };
  },
  runs: async () => {
    const { HELP, runs } = await import('./runs.ts');
    return { run: runs, help: HELP };
  },
  share: async () => {
    const { HELP, share } = await import('./share.ts');
    return { run: share, help: HELP };
  },
  approvals: async () => {
    const { HELP, approvals } = await import('./approvals.ts');
    return { run: approvals, help: HELP };
  },
  approve: async () => {
    const { APPROVE_HELP, approve } = await import('./approve.ts');
    return { run: approve, help: APPROVE_HELP };
  },
  deny: async () => {
    const { DENY_HELP, deny } = await import('./approve.ts');
    return { run: deny, help: DENY_HELP };
  },
  join: async () => {
    const { HELP, join } = await import('./join.ts');
    return { run: join, help: HELP };
  },
  hosts: async () => {
    const { HELP, hosts } = await import('./hosts.ts');
    return { run: hosts, help: HELP };
  },
  send: async () => {
    const { HELP, send } = await import('./send.ts');
    return { run: send, help: HELP };
  },
  list: async () => {
    const { HELP, list } = await import('./list.ts');
    return { run: list, help: HELP };
  },
  history: async () => {
    const { HELP, history } = await import('./history.ts');
    return { run: history, help: HELP };
  },
  search: async () => {
    const { HELP, search } = await import('./search.ts');
    return { run: search, help: HELP };
  },
  export: async () => {
    const { HELP, exportPast } = await import('./export.ts');
    return { run: exportPast, help: HELP };
  },
  groups: async () => {
    const { HELP, groups } = await import('./groups.ts');
    return { run: groups, help: HELP };
  },
  invite: async () => {
    const { HELP, invite } = await import('./invite.ts');
    return { run: invite, help: HELP };
  },
  members: async () => {
    const { HELP, members } = await import('./members.ts');
    return { run: members, help: HELP };
  },
  revoke: async () => {
    const { HELP, revoke } = await import('./revoke.ts');
    return { run: revoke, help: HELP };
  },
  whoami: async () => {
    const { HELP, whoami } = await import('./whoami.ts');
    return { run: whoami, help: HELP };
  },
  login: async () => {
    const { HELP, login } = await import('./login.ts');
    return { run: login, help: HELP };
  },
  logout: async () => {
    const { HELP, logout } = await import('./logout.ts');
    return { run: logout, help: HELP };
  },
  password: async () => {
    const { HELP, password } = await import('./password.ts');
    return { run: password, help: HELP };
  },
  token: async () => {
    const { HELP, token } = await import('./token.ts');
    return { run: token, help: HELP };
  },
  backup: async () => {
    const { HELP, backup } = await import('./backup.ts');
    return { run: backup, help: HELP };
  },
  restore: async () => {
    const { HELP, restore } = await import('./restore.ts');
    return { run: restore, help: HELP };
  },
  verify: async () => {
    const { HELP, verify } = await import('./verify.ts');
    return { run: verify, help: HELP };
  },
  doctor: async () => {
    const { HELP, doctor } = await import('./doctor.ts');
    return { run: doctor, help: HELP };
  },
  completion: async () => {
    const { HELP, completion } = await import('./completion.ts');
    return { run: completion, help: HELP };
  },
};

/** With what stands above it, from the command on that it begins with. */
const SECTIONS: Readonly<Record<string, string>> = {
  serve: 'To begin with',
  attach: 'Runs, and who approves them',
  join: 'Machines',
  send: 'Messages',
  whoami: 'Accounts',
  backup: 'For whoever keeps a server',
};

const SUMMARY = Object.entries(COMMANDS).flatMap(([name, { does }]) => {
  const section = SECTIONS[name];
  const line = `  ${name.padEnd(12)}${does}`;
  return section === undefined ? [line] : ['', `${section}:`, line];
});

const HELP = `Partyline: reach a machine, run something on it, talk to everyone on it

Usage: partyline COMMAND [ARGUMENT...]
${SUMMARY.join('\n')}

Each command explains itself with --help. --version prints the version. The server is PARTYLINE_HOST, else localhost, where
none is named; what a server or a client keeps is in PARTYLINE_DATA, else in the platform's state directory.

Examples:
  partyline serve
  partyline chat localhost --name Vamshi
  partyline run localhost -- uptime
  partyline echo ::1

Plain tools work as well: nc localhost 7270
`;

export async function main(args: string[]): Promise<void> {
  let unwritten: NodeJS.ErrnoException | undefined;
  // A reader that has seen enough (partyline … piped to head) ends us quietly; the subcommands see it on their writes.
  const onOutputError = (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') unwritten ??= error;
  };
  process.stdout.on('error', onOutputError);
  process.stderr.on('error', onOutputError);
  const status = await dispatch(args);
  // All that was said leaves; standard input that somebody still holds open is not waited for.
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  // A server outlives its console; of everything else the output is the point.
  if (unwritten !== undefined && status === 0 && args[0] !== 'serve') {
    process.stderr.write(`partyline: Cannot write the output: ${unwritten.message}\n`);
    return leave(1);
  }
  leave(status);
}

function flushed(output: NodeJS.WriteStream): Promise<void> {
  if (output.writableLength === 0 || output.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    output.once('close', resolve);
    output.once('error', () => resolve());
    output.write('', () => resolve());
  });
}

async function dispatch([command, ...rest]: string[]): Promise<number> {
  if (command === undefined || command === '--help' || command === '-h' || command === 'help') {
    return command === 'help' && rest[0] !== undefined ? dispatch([rest[0], '--help']) : print(HELP);
  }
  if (command === '--version' || command === '-V') return print(`${VERSION}\n`);
  const load = Object.hasOwn(LOADERS, command) ? LOADERS[command] : undefined;
  if (load === undefined) {
    const known = Object.keys(COMMANDS).join(', ');
    process.stderr.write(`partyline: no command ${JSON.stringify(command)}: the commands are ${known}\n`);
    return USAGE_STATUS;
  }
  const subcommand = await load();
  const end = rest.indexOf('--');
  const own = end < 0 ? rest : rest.slice(0, end);
  if (own.includes('--help') || own.includes('-h')) return print(subcommand.help);
  return subcommand.run(rest);
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}
