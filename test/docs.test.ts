// Holds the documents against the program: their links, the options they name, the dialogues they show, the table of
// rooms, the tests that guard the invariants, and the limits.

import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { HELP as CHAT } from '../src/cli/chat.ts';
import { HELP as COMPLETION } from '../src/cli/completion.ts';
import { HELP as ECHO } from '../src/cli/echo.ts';
import { HELP as BACKUP } from '../src/cli/backup.ts';
import { HELP as DOCTOR } from '../src/cli/doctor.ts';
import { HELP as EXPORT } from '../src/cli/export.ts';
import { HELP as GROUPS } from '../src/cli/groups.ts';
import { HELP as HISTORY } from '../src/cli/history.ts';
import { HELP as HOSTS } from '../src/cli/hosts.ts';
import { HELP as INVITE } from '../src/cli/invite.ts';
import { HELP as JOIN } from '../src/cli/join.ts';
import { HELP as LIST } from '../src/cli/list.ts';
import { HELP as LOGIN } from '../src/cli/login.ts';
import { HELP as LOGOUT } from '../src/cli/logout.ts';
import { HELP as MEMBERS } from '../src/cli/members.ts';
import { HELP as PASSWORD } from '../src/cli/password.ts';
import { HELP as RESTORE } from '../src/cli/restore.ts';
import { HELP as REVOKE } from '../src/cli/revoke.ts';
import { HELP as SEARCH } from '../src/cli/search.ts';
import { HELP as SEND } from '../src/cli/send.ts';
import { HELP as TOKEN } from '../src/cli/token.ts';
import { HELP as SHARE } from '../src/cli/share.ts';
import { HELP as APPROVALS } from '../src/cli/approvals.ts';
import { APPROVE_HELP, DENY_HELP } from '../src/cli/approve.ts';
import { HELP as VERIFY } from '../src/cli/verify.ts';
import { HELP as WHOAMI } from '../src/cli/whoami.ts';
import { HELP as RUN } from '../src/cli/run.ts';
import { HELP as ATTACH } from '../src/cli/attach.ts';
import { HELP as RUNS } from '../src/cli/runs.ts';
import { HELP as SERVE } from '../src/cli/serve.ts';
import { parseRequest } from '../src/protocol/line/request.ts';
import { Caller } from './kit/caller.ts';
import { LOOPBACKS, startServer, type TestServer } from './kit/server.ts';

const ROOT = join(import.meta.dirname, '..');
const DOCUMENTS = globSync(['*.md', 'docs/**/*.md', 'bench/*.md'], { cwd: ROOT }).sort();
const HELPS: ReadonlyMap<string, string> = new Map([
  ['chat', CHAT],
  ['completion', COMPLETION],
  ['send', SEND],
  ['list', LIST],
  ['history', HISTORY],
  ['search', SEARCH],
  ['export', EXPORT],
  ['groups', GROUPS],
  ['login', LOGIN],
  ['logout', LOGOUT],
  ['password', PASSWORD],
  ['hosts', HOSTS],
  ['invite', INVITE],
  ['join', JOIN],
  ['members', MEMBERS],
  ['revoke', REVOKE],
  ['token', TOKEN],
  ['backup', BACKUP],
  ['restore', RESTORE],
  ['verify', VERIFY],
  ['whoami', WHOAMI],
  ['share', SHARE],
  ['approvals', APPROVALS],
  ['approve', APPROVE_HELP],
  ['deny', DENY_HELP],
  ['doctor', DOCTOR],

  ['echo', ECHO],
  ['run', RUN],
  ['attach', ATTACH],
  ['runs', RUNS],
  ['serve', SERVE],
]);

const SUBCOMMAND = new RegExp(`\\bpartyline (${[...HELPS.keys()].join('|')})\\b([^|;]*)`, 'g');

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** The fenced blocks, without their fences. */
function blocksOf(text: string): string[] {
  return [...text.matchAll(/^```\w*\n([\s\S]*?)^```$/gm)].map((match) => match[1] ?? '');
}

/** Spans of code and the lines of blocks: where commands stand. */
function codeOf(text: string): string[] {
  const prose = text.replace(/^```[\s\S]*?^```$/gm, '');
  const spans = [...prose.matchAll(/`([^`]+)`/g)].map((match) => (match[1] ?? '').replaceAll('\n', ' '));
  return [...spans, ...blocksOf(text).flatMap((block) => block.split('\n'))];
}

/** As the sites that show Markdown make an anchor of a heading. */
function anchorsOf(text: string): string[] {
  const headings = [...text.replace(/^```[\s\S]*?^```$/gm, '').matchAll(/^#+ (.+)$/gm)].map((match) => match[1] ?? '');
  return headings.map((heading) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-'),
  );
}

function brokenLinks(path: string, text: string): string[] {
  const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? '');
  return targets.filter((target) => {
    if (/^[a-z]+:/.test(target)) return false;
    const [file = '', anchor] = target.split('#');
    const found = file === '' ? path : join(dirname(path), file);
    if (!existsSync(join(ROOT, found))) return true;
    return anchor !== undefined && !anchorsOf(found === path ? text : read(found)).includes(anchor);
  });
}

/** Options in `partyline SUBCOMMAND …`, up to a bare `--`, that its help does not explain; `command --option`. */
function unknownOptions(text: string): string[] {
  const unknown: string[] = [];
  for (const code of codeOf(text)) {
    for (const [, name = '', rest = ''] of code.matchAll(SUBCOMMAND)) {
      const own = rest.split(/ -- /)[0] ?? '';
      for (const [option] of own.matchAll(/(?<=^|[\s[|])--?[a-z0-9][a-z-]*/g)) {
        const isExplained = new RegExp(`(?<![\\w-])${option}(?![\\w-])`).test(`${HELPS.get(name)} --help`);
        if (!isExplained) unknown.push(`${name} ${option}`);
      }
    }
  }
  return unknown;
}

interface Dialogue {
  readonly lines: readonly { readonly by: 'C' | 'S'; readonly text: string }[];
}

/** Blocks whose every line begins with `C:` or `S:`. */
function dialoguesOf(text: string): Dialogue[] {
  return blocksOf(text)
    .map((block) => block.trimEnd().split('\n'))
    .filter((lines) => lines.every((line) => /^[CS]:/.test(line)))
    .map((lines) => ({
      lines: lines.map((line) => ({ by: line.startsWith('C') ? 'C' : 'S', text: line.slice(3).replace('␠', '') })),
    }));
}

/** The cells of each row of the tables under a heading, the first row being the head. */
function rowsUnder(text: string, heading: string): string[][] {
  const section = text.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? '';
  const rows = section.split('\n').filter((line) => line.startsWith('|') && !line.startsWith('| -'));
  return rows.map((row) => row.split(/(?<!\\)\|/).slice(1, -1)).map((cells) => cells.map((cell) => cell.trim()));
}

function spansIn(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '');
}

test('every relative link in the documents leads somewhere', () => {
  assert.ok(DOCUMENTS.length > 10, `only ${DOCUMENTS.length} documents found`);
  for (const path of DOCUMENTS) assert.deepEqual(brokenLinks(path, read(path)), [], path);
  assert.deepEqual(brokenLinks('README.md', '[a](none.md) [b](README.md#none) [c](#who-may-do-what) [d](https://a)'), [
    'none.md',
    'README.md#none',
    '#who-may-do-what',
  ]);
});

test('every option that the documents name is one that the command explains', () => {
  for (const path of DOCUMENTS) assert.deepEqual(unknownOptions(read(path)), [], path);
  const wrong = '`partyline serve --opened --open`\n```\npartyline run -x -- ls -l\npartyline echo a -6 --prob\n```\n';
  assert.deepEqual(unknownOptions(wrong), ['serve --opened', 'run -x', 'echo --prob']);
});

test('the table of directives has every option of serve, and no other', () => {
  const [, ...rows] = rowsUnder(read('docs/operating.md'), '`partyline serve`');
  const described = rows.flatMap(([cell = '']) => (cell.startsWith('`--') ? spansIn(cell) : []));
  const explained = [...SERVE.matchAll(/^ {2}(--[a-z-]+(?: [A-Z]+)?)/gm)].map((match) => match[1] ?? '');
  assert.ok(explained.length > 5);
  assert.deepEqual(described, explained);
});

test('the table of commands for scripts has each of them, with every option', () => {
  const [, ...rows] = rowsUnder(read('docs/operating.md'), 'Commands for scripts');
  const described = new Map(rows.map(([command = '', options = '']) => [spansIn(command)[0] ?? '', spansIn(options)]));
  const elsewhere = new Set(['serve', 'chat', 'echo', 'run', 'join', 'completion']);
  const wanted = [...HELPS.keys()].filter((name) => !elsewhere.has(name));
  assert.deepEqual([...described.keys()].sort(), wanted.sort());
  for (const [name, options] of described) {
    const lines = (HELPS.get(name) ?? '').matchAll(/^ {2}(--[a-z-]+(?: [A-Z]+)?)/gm);
    const explained = Array.from(lines, (match) => match[1] ?? '').filter((option) => option !== '--json');
    assert.deepEqual(options.sort(), explained.sort(), name);
  }
});

test('the dialogues of the line protocol use commands that there are', () => {
  const dialogues = dialoguesOf(read('docs/protocol/line.md'));
  assert.ok(dialogues.length >= 4, `only ${dialogues.length} dialogues found`);
  const used = new Set<string>();
  for (const { lines } of dialogues) {
    for (const [at, { by, text }] of lines.entries()) {
      const isAnswerToPrompt = lines[at - 1]?.text === 'Enter your name: ';
      if (by === 'S' || (isAnswerToPrompt && !text.startsWith('login '))) continue;
      const { type } = parseRequest(text);
      const isRefused = lines[at + 1]?.text.startsWith('error: ') === true;
      assert.ok((type !== 'unknown' && type !== 'misused') || isRefused, `${text} is ${type}`);
      used.add(type);
    }
  }
  assert.deepEqual([...used].sort(), [
    'get_list',
    'groups',
    'help',
    'history',
    'join',
    'login',
    'misused',
    'quit',
    'receipts',
    'run',
    'search',
    'send',
    'unknown',
    'whoami',
  ]);
});

/** Plays the client's part and compares what the server says, dates aside. */
async function replay({ lines }: Dialogue, host: string, server: TestServer): Promise<void> {
  await using caller = await Caller.connect(host, server.port);
  const token = await server.token();
  for (let at = 0; at < lines.length;) {
    const start = at;
    while (lines[at]?.by === 'S') at++;
    const said = lines.slice(start, at).map(({ text }) => (text === 'Enter your name: ' ? text : `${text}\n`));
    const pattern = said
      .join('')
      .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
      .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, '\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d');
    await caller.until(new RegExp(`^${pattern}`));
    for (; lines[at]?.by === 'C'; at++) caller.type((lines[at]?.text ?? '').replace('TOKEN', token));
  }
  assert.equal(await caller.heard.rest(), '');
}

for (const host of LOOPBACKS) {
  test(`the dialogues of the line protocol go as they stand there: ${host}`, async () => {
    await using server = await startServer();
    for (const dialogue of dialoguesOf(read('docs/protocol/line.md'))) await replay(dialogue, host, server);
  });
}

test('the table of rooms is the one that the imports are held against', () => {
  const source = /MAY_IMPORT[^=]*= \{\n([\s\S]*?)\n\};/.exec(read('test/layers.test.ts'))?.[1] ?? '';
  const held = new Map<string, string>();
  for (const [, room = '', targets = ''] of source.matchAll(/^ {2}'([^']+)': \[([^\]]*)\],$/gm)) {
    const names = [...targets.matchAll(/'([^']*)'/g)].map((match) => match[1] ?? '');
    if (existsSync(join(ROOT, 'src', room))) held.set(room, names.join(' '));
  }
  assert.ok(held.size > 8, 'the table in test/layers.test.ts was not found');
  const [, ...rows] = rowsUnder(read('ARCHITECTURE.md'), 'Who may import whom');
  const written = rows.map(([room = '', targets = '']): [string, string] => [
    spansIn(room)[0] ?? '',
    spansIn(targets.replace('everything', '``').replace('``', '` `')).join(' ').replace(/^ {2}/, ' '),
  ]);
  assert.deepEqual(new Map(written), held);
});

test('every invariant is guarded by tests that there are', () => {
  const [, ...rows] = rowsUnder(read('ARCHITECTURE.md'), 'What must always hold');
  assert.ok(rows.length > 10);
  assert.deepEqual(
    rows.map(([number]) => number),
    rows.map((_, at) => `${at + 1}`),
  );
  for (const [number, , guards = ''] of rows) {
    assert.ok(spansIn(guards).length > 0, `invariant ${number} has no test`);
    for (const file of spansIn(guards)) assert.ok(existsSync(join(ROOT, file)), `invariant ${number}: ${file}`);
  }
});

test('every limit stands, with its number, in the file that is named for it', () => {
  const [, ...rows] = rowsUnder(read('docs/operating.md'), 'Limits');
  assert.ok(rows.length > 15);
  for (const [what = '', limit = '', , where = ''] of rows) {
    const [path = ''] = spansIn(where);
    if (path.endsWith('/')) continue;
    const source = read(path).replaceAll(/(?<=\d)_/g, '');
    const [, number = '', unit] = /(\d[\d,]*)(?: (s|ms)\b)?/.exec(limit) ?? [];
    const amount = Number(number.replaceAll(',', ''));
    const written = unit === 's' ? amount * 1_000 : amount;
    assert.ok(new RegExp(`(?<!\\d)${written}(?!\\d)`).test(source), `${what}: ${limit} is not in ${path}`);
  }
});
