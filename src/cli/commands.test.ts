import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HELP as ATTACH } from './attach.ts';
import { HELP as CHAT } from './chat.ts';
import { COMMANDS, optionsOf } from './commands.ts';
import { HELP as COMPLETION } from './completion.ts';
import { HELP as ECHO } from './echo.ts';
import { HELP as BACKUP } from './backup.ts';
import { HELP as DOCTOR } from './doctor.ts';
import { HELP as EXPORT } from './export.ts';
import { HELP as GROUPS } from './groups.ts';
import { HELP as HISTORY } from './history.ts';
import { HELP as INVITE } from './invite.ts';
import { HELP as LIST } from './list.ts';
import { HELP as LOGIN } from './login.ts';
import { HELP as LOGOUT } from './logout.ts';
import { HELP as MEMBERS } from './members.ts';
import { HELP as PASSWORD } from './password.ts';
import { HELP as RESTORE } from './restore.ts';
import { HELP as REVOKE } from './revoke.ts';
import { HELP as SEARCH } from './search.ts';
import { HELP as JOIN } from './join.ts';
import { HELP as HOSTS } from './hosts.ts';
import { HELP as SEND } from './send.ts';
import { HELP as TOKEN } from './token.ts';
import { HELP as VERIFY } from './verify.ts';
import { HELP as WHOAMI } from './whoami.ts';
import { HELP as RUN } from './run.ts';
import { HELP as SHARE } from './share.ts';
import { HELP as APPROVALS } from './approvals.ts';
import { APPROVE_HELP, DENY_HELP } from './approve.ts';
import { HELP as RUNS } from './runs.ts';
import { HELP as SERVE } from './serve.ts';

const HELPS: Readonly<Record<string, string>> = {
  serve: SERVE,
  chat: CHAT,
  echo: ECHO,
  run: RUN,
  attach: ATTACH,
  runs: RUNS,
  share: SHARE,
  approvals: APPROVALS,
  approve: APPROVE_HELP,
  deny: DENY_HELP,
  join: JOIN,
  hosts: HOSTS,
  send: SEND,
  list: LIST,
  history: HISTORY,
  search: SEARCH,
  export: EXPORT,
  groups: GROUPS,
  whoami: WHOAMI,
  login: LOGIN,
  logout: LOGOUT,
  password: PASSWORD,
  invite: INVITE,
  members: MEMBERS,
  revoke: REVOKE,
  token: TOKEN,
  backup: BACKUP,
  restore: RESTORE,
  verify: VERIFY,
  doctor: DOCTOR,
  completion: COMPLETION,
};

/** What a help explains: the lines that begin with an option, `-4, -6` being two. */
function explainedBy(help: string): string[] {
  const lines = help.matchAll(/^ {2,4}(-\S(?:\S| (?! ))*)/gm);
  return Array.from(lines, ([, options = '']) => options.split(', ')).flat();
}

test('the table has every command, and every option that its help explains, with its value', () => {
  assert.deepEqual(Object.keys(COMMANDS), Object.keys(HELPS));
  for (const [name, entry] of Object.entries(COMMANDS)) {
    const held = optionsOf(entry).map(({ flag, value }) => (value === undefined ? flag : `${flag} ${value}`));
    const explained = explainedBy(HELPS[name] ?? '').filter((option) => option !== '--help');
    assert.doesNotMatch(entry.does, /['\\\n]/);
    assert.deepEqual(held.sort(), [...explained, '--help'].sort(), name);
  }
});

test('each help says what the command does, how it is called, and gives examples of it', () => {
  for (const [name, help] of Object.entries(HELPS)) {
    const [first = '', blank, usage = ''] = help.split('\n');
    assert.match(first, /^[A-Z].*[^.]$/, name);
    assert.equal(blank, '', name);
    assert.ok(usage.startsWith(`Usage: partyline ${name}`), usage);
    assert.match(help, new RegExp(`^Examples:\\n(?:  .*\\n)*  .*partyline ${name}\\b.*\\n`, 'm'), name);
  }
  // What scripts go by.
  for (const name of ['run', 'attach', 'chat', 'echo']) assert.match(HELPS[name] ?? '', /[Ss]tatus.*255/s, name);
});

test('an option is read with the word for its value, if it has one', () => {
  assert.deepEqual(optionsOf({ does: '', options: '--run-as USER -4 --json' }), [
    { flag: '--run-as', value: 'USER' },
    { flag: '-4', value: undefined },
    { flag: '--json', value: undefined },
    { flag: '--help', value: undefined },
  ]);
});
