// What a person may type, and what it means. One function, no state: a line in, a request out.

import { parsePaging, type Paging } from './paging.ts';

export type LineRequest =
  | { type: 'nothing' }
  | { type: 'get_list' | 'groups' | 'runs' | 'whoami' | 'limits' | 'password' | 'quit' }
  | { type: 'send'; to: 'all' | readonly string[]; text: string; key?: string }
  | ({ type: 'history' } & Paging)
  | { type: 'search'; words: string }
  | { type: 'join' | 'leave'; group: string; machine?: string }
  | { type: 'receipts'; isOn: boolean }
  | { type: 'login'; secret: string }
  /** `targets`: as they were written; empty is the server itself. */
  | { type: 'run'; targets: string; command: string }
  /** So many machines are meant. */
  | { type: 'confirm'; count: number }
  | { type: 'approvals' }
  | { type: 'share'; id: number; to: 'all' | readonly string[] }
  /** Without a hash it is shown. */
  | { type: 'approve'; id: number; hash?: string }
  | { type: 'deny'; id: number }
  | { type: 'help'; about?: Word }
  /** A known word, but not the form it takes. */
  | { type: 'misused'; word: Word }
  | { type: 'unknown'; word: string };

export type Word = keyof typeof FORMS;

/** The form of each command, as the help shows it. */
export const FORMS = {
  get_list: 'get_list',
  send: 'send NAME [NAME...] : TEXT, or send all TEXT',
  history: 'history [with NAME] [before ID] [after ID] [limit N]',
  search: 'search WORDS',
  join: 'join #GROUP [MACHINE]',
  leave: 'leave #GROUP [MACHINE]',
  groups: 'groups',
  receipts: 'receipts on, or receipts off',
  login: 'login TOKEN',
  password: 'password',
  run: 'run [HOSTS] : COMMAND',
  confirm: 'confirm COUNT',
  runs: 'runs',
  share: 'share ID NAME [NAME...], or share ID all',
  approvals: 'approvals',
  approve: 'approve ID [HASH]',
  deny: 'deny ID',
  whoami: 'whoami',
  limits: 'limits',
  help: 'help [COMMAND]',
  quit: 'quit',
} as const;

const SPACE = 0x20;
const SEND_ALL = /^[ \t]+all(?=[ \t:]|$):?/i;

export function parseRequest(line: string): LineRequest {
  // What nearly every line is, and most of what a busy server does.
  if (line.startsWith('send ')) return parseSend(line.slice('send'.length), undefined);
  const trimmed = line.trim();
  if (trimmed === '') return { type: 'nothing' };
  const end = trimmed.search(/[ :\t]/);
  const given = end < 0 ? trimmed : trimmed.slice(0, end);
  const hash = given.startsWith('send#') ? given.slice('send#'.length) : undefined;
  const word = hash === undefined ? given : 'send';
  const rest = trimmed.slice(given.length).trim();
  switch (word) {
    case 'send':
      return parseSend(line.trimStart().slice(given.length), hash);
    case 'get_list':
    case 'groups':
    case 'approvals':
    case 'runs':
    case 'whoami':
    case 'limits':
    case 'password':
    case 'quit':
      return rest === '' ? { type: word } : { type: 'misused', word };
    case 'login':
      return rest === '' ? { type: 'misused', word } : { type: 'login', secret: rest };
    case 'search':
      return rest === '' ? { type: 'misused', word } : { type: 'search', words: rest };
    case 'join':
    case 'leave':
      return parseMembership(word, rest);
    case 'receipts':
      return rest === 'on' || rest === 'off' ? { type: word, isOn: rest === 'on' } : { type: 'misused', word };
    case 'history': {
      const paging = parsePaging(rest);
      return paging === undefined ? { type: 'misused', word } : { type: word, ...paging };
    }
    case 'confirm':
      return /^[1-9]\d{0,8}$/.test(rest) ? { type: word, count: Number(rest) } : { type: 'misused', word };
    case 'share':
      return parseShare(rest);
    case 'approve':
    case 'deny':
      return parseApproval(word, rest);
    case 'help':
      if (rest === '') return { type: 'help' };
      return isWord(rest) ? { type: 'help', about: rest } : { type: 'unknown', word: rest };
    case 'run':
      return parseRun(line.trimStart());
    default:
      return { type: 'unknown', word };
  }
}

export function isWord(text: string): text is Word {
  return Object.hasOwn(FORMS, text);
}

/** The text is everything after the first colon, or after `all` and one colon directly behind it, less one space. */
function parseSend(rest: string, key: string | undefined): LineRequest {
  if (key === '') return { type: 'misused', word: 'send' };
  const all = mayBeAll(rest) ? SEND_ALL.exec(rest) : null;
  const colon = rest.indexOf(':');
  const to = all === null ? namesIn(rest, colon) : 'all';
  if (to.length === 0) return { type: 'misused', word: 'send' };
  const text = textFrom(rest, all === null ? colon + 1 : all[0].length);
  return key === undefined ? { type: 'send', to, text } : { type: 'send', to, text, key };
}

function parseRun(line: string): LineRequest {
  const colon = line.indexOf(':');
  const command = colon < 0 ? '' : textFrom(line, colon + 1);
  if (command.trim() === '') return { type: 'misused', word: 'run' };
  return { type: 'run', targets: line.slice('run'.length, colon).trim(), command };
}

function parseShare(rest: string): LineRequest {
  const [id = '', ...to] = rest.split(/[ \t,]+/).filter((word) => word !== '');
  if (!/^[1-9]\d{0,14}$/.test(id) || to.length === 0) return { type: 'misused', word: 'share' };
  const isForAll = to.length === 1 && to[0]?.toLowerCase() === 'all';
  return { type: 'share', id: Number(id), to: isForAll ? 'all' : to };
}

function parseMembership(word: 'join' | 'leave', rest: string): LineRequest {
  const [group = '', machine, ...more] = rest.split(/[ \t]+/);
  if (group === '' || more.length > 0) return { type: 'misused', word };
  return machine === undefined ? { type: word, group } : { type: word, group, machine };
}

function parseApproval(word: 'approve' | 'deny', rest: string): LineRequest {
  const [, id, hash] = /^([1-9]\d{0,9})(?:[ \t]+([0-9a-f]{1,64}))?$/i.exec(rest) ?? [];
  if (id === undefined || (word === 'deny' && hash !== undefined)) return { type: 'misused', word };
  if (word === 'deny') return { type: word, id: Number(id) };
  return { type: word, id: Number(id), ...(hash === undefined ? {} : { hash: hash.toLowerCase() }) };
}

/** Far cheaper than the expression, and true of few names. */
function mayBeAll(rest: string): boolean {
  const first = rest.charCodeAt(1) | 0x20;
  return first === 0x61 || first === 0x20 || first === 0x29;
}

/** Before `end`; none if that is nowhere. */
function namesIn(text: string, end: number): string[] {
  const from = text.startsWith(' ') ? 1 : 0;
  const upTo = end > from && text.charCodeAt(end - 1) === SPACE ? end - 1 : end;
  const only = text.slice(from, Math.max(from, upTo));
  // No name has a comma in it: whoever separates by it, as for run and on the command line, means the same.
  if (only !== '' && !only.includes(' ') && !only.includes('\t') && !only.includes(',')) return [only];
  return only.split(/[ \t,]+/).filter((name) => name !== '');
}

/** From there to the end, less one space. */
function textFrom(text: string, at: number): string {
  return text.slice(text.charCodeAt(at) === SPACE ? at + 1 : at);
}
