// What a person may type, and what it means. One function, no state: a line in, a request out.

export type LineRequest =
  | { type: 'nothing' }
  | { type: 'get_list' }
  | { type: 'send'; to: 'all' | readonly string[]; text: string }
  | { type: 'login'; secret: string }
  | { type: 'run'; hosts: readonly string[]; command: string }
  | { type: 'help' }
  | { type: 'quit' }
  /** A known word, but not the form it takes. */
  | { type: 'misused'; word: keyof typeof FORMS }
  | { type: 'unknown'; word: string };

/** The form of each command, as the help shows it. */
export const FORMS = {
  get_list: 'get_list',
  send: 'send NAME [NAME...] : TEXT, or send all TEXT',
  login: 'login TOKEN',
  run: 'run : COMMAND',
  help: 'help',
  quit: 'quit',
} as const;

const SEND_ALL = /^send[ \t]+all(?=[ \t:]|$):?/i;

export function parseRequest(line: string): LineRequest {
  const trimmed = line.trim();
  if (trimmed === '') return { type: 'nothing' };
  const end = trimmed.search(/[ :\t]/);
  const word = end < 0 ? trimmed : trimmed.slice(0, end);
  switch (word) {
    case 'send':
      return parseSend(line.trimStart());
    case 'get_list':
    case 'help':
    case 'quit':
      return word === trimmed ? { type: word } : { type: 'misused', word };
    case 'login': {
      const secret = trimmed.slice(word.length).trim();
      return secret === '' ? { type: 'misused', word } : { type: 'login', secret };
    }
    case 'run':
      return parseRun(line.trimStart());
    default:
      return { type: 'unknown', word };
  }
}

/** The text is everything after the first colon, or after `all` and one colon directly behind it, less one space. */
function parseSend(line: string): LineRequest {
  const all = SEND_ALL.exec(line);
  if (all !== null) return { type: 'send', to: 'all', text: lessOneSpace(line.slice(all[0].length)) };
  const colon = line.indexOf(':');
  const to = namesIn(line.slice('send'.length, colon < 0 ? undefined : colon));
  if (colon < 0 || to.length === 0) return { type: 'misused', word: 'send' };
  return { type: 'send', to, text: lessOneSpace(line.slice(colon + 1)) };
}

function parseRun(line: string): LineRequest {
  const colon = line.indexOf(':');
  const command = colon < 0 ? '' : lessOneSpace(line.slice(colon + 1));
  if (command.trim() === '') return { type: 'misused', word: 'run' };
  return { type: 'run', hosts: namesIn(line.slice('run'.length, colon)), command };
}

function namesIn(text: string): string[] {
  return text.split(/[ \t]+/).filter((name) => name !== '');
}

function lessOneSpace(text: string): string {
  return text.startsWith(' ') ? text.slice(1) : text;
}
