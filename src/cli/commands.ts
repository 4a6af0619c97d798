// The subcommands: what each does and which options it takes. The help of the program, the completion of the shells and
// the tests read it here; a new subcommand is one entry, and one in `main.ts` that loads it.

export interface CommandEntry {
  /** One line of `partyline --help`, without quotes: it stands between them in the scripts of the shells. */
  readonly does: string;
  /**
   * As its help has them, each followed by the word for its value if it takes one: after DIR, FILE and USER a shell
   * offers those, after a word of `VALUES` what it stands for. `--help` goes without saying.
   */
  readonly options: string;
  /** What the first argument may be. */
  readonly words?: string;
  /** The first argument is a file. */
  readonly takesFile?: true;
}

export const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  serve: {
    does: 'start a server: echo, run and chat on one port, IPv4 and IPv6',
    options:
      '--name NAME --owner NAME --listen URL --tls-cert FILE --tls-key FILE --data DIR --open --run-as USER --keep-output BYTES --json --verbose',
  },
  chat: { does: 'come in by name, read and write messages', options: '--name NAME --json' },
  echo: {
    does: 'is a host reachable, over which family, how well',
    options:
      '--name NAME -4 -6 --raw --json --probe --count N --interval MS --size BYTES --connect --watch --every SECONDS --tell NAMES --host HOST --from MACHINES --yes --batch N --timeout SECONDS --measure WISHES',
  },
  run: {
    does: 'execute a command on the server, or on machines that joined',
    options:
      '--on TARGETS --host HOST --cwd PATH --env NAME=VALUE -t --tty -n --no-stdin --timeout SECONDS --detach --wait SECONDS --yes --dry-run --batch N --stop-after N --stdin --out DIR --no-fold --json',
  },
  attach: {
    does: 'watch a run that was left, and give it input',
    options: '--from CURSOR --on NAMES --stdin --no-fold --host HOST --json',
  },
  runs: {
    does: 'what was run: who, where, what, and how it ended',
    options: '--limit N --before ID --stdout --stderr --host HOST --json',
    words: 'show cancel',
  },
  share: { does: 'tell others of a run on record', options: '--host HOST --json' },
  approvals: {
    does: 'commands that wait for somebody to approve them',
    options: '--host HOST --json',
  },
  approve: {
    does: 'look at one of them and say yes to it',
    options: '--yes HASH --deny --host HOST --json',
  },
  deny: { does: 'say no to one of them, or take your own back', options: '--host HOST --json' },
  join: {
    does: 'let a server run commands on this machine',
    options: '--code CODE --label NAME=VALUE --policy FILE --allow-env NAME --json',
  },
  hosts: { does: 'the machines that have joined', options: '--host HOST --json' },
  send: {
    does: 'send a message to one, several, a group or everyone',
    options: '--to NAMES --key KEY --host HOST --json',
  },
  list: { does: 'who is here', options: '--host HOST --json' },
  history: {
    does: 'what you said and were told, oldest first',
    options: '--with NAME --limit N --before ID --after ID --host HOST --json',
  },
  search: { does: 'the same, by words', options: '--limit N --before ID --host HOST --json' },
  export: {
    does: 'all that you said and were told, for keeping',
    options: '--with NAME --before ID --after ID --host HOST --json',
  },
  groups: {
    does: 'the groups you are in; join one, leave one',
    options: '--all --host HOST --json',
    words: 'join leave',
  },
  whoami: { does: 'who you are to a server', options: '--host HOST --json' },
  login: {
    does: 'come in with a code or a password, and keep a token',
    options: '--code CODE --name NAME --host HOST --json',
  },
  logout: { does: 'forget the token', options: '--yes --host HOST --json' },
  password: { does: 'set your password', options: '--host HOST --json' },
  invite: { does: 'invite somebody, or a machine, under a name', options: '--role ROLE --as KIND --host HOST --json' },
  members: { does: 'accounts and invitations', options: '--host HOST --json' },
  revoke: { does: 'end an account, or take an invitation back', options: '--host HOST --json' },
  token: {
    does: 'tokens of your own, for programs: make one, list them, remove one',
    options: '--out FILE --host HOST --json',
    words: 'new list remove',
  },
  backup: {
    does: 'copy the journal of a server, while it runs or not',
    options: '--salvage --data DIR --json',
    takesFile: true,
  },
  restore: { does: 'put a copy of a journal into a new directory', options: '--data DIR --json', takesFile: true },
  verify: { does: 'is a journal whole, or a copy of one', options: '--head HASH --data DIR --json', takesFile: true },
  doctor: {
    does: 'what this machine gives a server, and what is in its way',
    options: '--data DIR --host HOST --json',
  },
  completion: { does: 'print what makes a shell complete all this', options: '--json', words: 'bash zsh fish' },
};

/** What a word for a value stands for, where it is one of a few. */
export const VALUES: Readonly<Record<string, string>> = { ROLE: 'member operator', KIND: 'person bot host' };

export interface Option {
  /** `--data`, `-4`. */
  readonly flag: string;
  /** The word for its value; undefined: it takes none. */
  readonly value: string | undefined;
}

/** The options of an entry, `--help` at the end. */
export function optionsOf({ options }: CommandEntry): readonly Option[] {
  const found = options.matchAll(/(?<flag>-\S+)(?: (?<value>[^-\s]\S*))?/g);
  const own = Array.from(found, ([, flag = '', value]): Option => ({ flag, value }));
  return [...own, { flag: '--help', value: undefined }];
}
