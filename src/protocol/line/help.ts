// What `help` says: every command in one line, or one of them with what it does and an example to copy.

import { FORMS, isWord, type Word } from './request.ts';

/** Of these the first help shows the whole form: with them somebody talks. The others are a word each. */
const FIRST_FORMS: ReadonlySet<string> = new Set(['get_list', 'send', 'help', 'quit'] satisfies Word[]);
const OVERVIEW = Object.entries(FORMS)
  .map(([word, form]) => (FIRST_FORMS.has(word) ? form : word))
  .join(' | ');

interface Explanation {
  readonly does: string;
  readonly example: string;
}

const EXPLANATIONS = {
  get_list: { does: 'Lists who is here, in order of arrival', example: 'get_list' },
  send: {
    does: 'Sends TEXT to one, several, a #group or everyone; no answer means that it was sent',
    example: 'send bob #ops : see you at 7',
  },
  history: {
    does: 'Shows the newest 20 messages that you sent or were sent, or as many as limit says, oldest first',
    example: 'history with bob limit 50',
  },
  search: {
    does: 'Shows the newest 20 messages with all these words; a * at its end finds what begins so',
    example: 'search disk back*',
  },
  join: {
    does: 'Makes you one of a group, and makes the group if there is none; of the owner: a machine',
    example: 'join #ops',
  },
  leave: { does: 'Takes you out of a group; of the owner: a machine', example: 'leave #ops' },
  groups: { does: 'Lists the groups, each with its members', example: 'groups' },
  receipts: {
    does: 'Answers each of your messages with its id and what became of it for whom: delivered or stored',
    example: 'receipts on',
  },
  login: {
    does: 'Gives you the rights of whoever has the token, until you leave; your name stays',
    example: 'login pl_x5Jd…',
  },
  password: { does: 'Asks for a new password of your account, on the next line', example: 'password' },
  run: {
    does: 'Gives COMMAND to a shell, on machines that have joined or, without HOSTS, on the server; each line comes as HOST| text, and HOST exited 0 ends it',
    example: 'run web1 web2 : uptime',
  },
  confirm: { does: 'Says that so many machines are meant by the run before it', example: 'confirm 12' },
  runs: { does: 'Lists the newest 20 of your runs, of the owner everybody’s', example: 'runs' },
  share: { does: 'Sends others a run, by its number in runs, with its output', example: 'share 17 bob #ops' },
  approvals: { does: 'Lists the commands that wait for somebody to approve them', example: 'approvals' },
  approve: {
    does: 'Shows a command that waits, and with the first 8 digits of its hash approves it',
    example: 'approve 3 9f86d081',
  },
  deny: { does: 'Says no to a command that waits; your own is taken back', example: 'deny 3' },
  whoami: { does: 'Says who you are here, and whose rights you have', example: 'whoami' },
  limits: { does: 'Lists the bounds that one may meet here', example: 'limits' },
  help: { does: 'Lists the commands, or explains one of them', example: 'help send' },
  quit: { does: 'Leaves; what you have running is waited for', example: 'quit' },
} as const satisfies Record<Word, Explanation>;

/** A blank line, the help, a blank line. */
export function formatHelp(about?: Word): string {
  if (about === undefined) return `\nFormat: ${OVERVIEW}\n\n`;
  const { does, example } = EXPLANATIONS[about];
  return `\nFormat: ${FORMS[about]}\n${does}\nExample: ${example}\n\n`;
}

/** What people type who come from elsewhere, or have not read the help. */
const MEANT: Readonly<Record<string, Word>> = {
  ...byWord('get_list', ['list', 'ls', 'who', 'users', 'names', 'get']),
  ...byWord('send', ['msg', 'say', 'tell', 'whisper', 'w', 'all', 'hi', 'hello', 'hey']),
  ...byWord('help', ['?', 'h', 'commands', 'man', 'info']),
  ...byWord('quit', ['exit', 'bye', 'q', 'close', 'logout']),
  ...byWord('join', ['subscribe']),
  ...byWord('leave', ['part', 'unsubscribe']),
  ...byWord('run', ['exec', 'sh']),
};

function byWord(word: Word, others: readonly string[]): Record<string, Word> {
  return Object.fromEntries(others.map((other) => [other, word]));
}

/** The command that somebody meant who wrote it in capitals, with a slash, or as other programs have it. */
export function meantBy(text: string): Word | undefined {
  const word = text.replace(/^\//, '').toLowerCase();
  return isWord(word) ? word : Object.hasOwn(MEANT, word) ? MEANT[word] : undefined;
}
