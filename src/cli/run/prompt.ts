// `partyline run` without a command, at a terminal: a prompt. Each line is run by this very program, so that it is what
// `partyline run -- LINE` would be, with its output, its questions and its Ctrl-C, and nothing of it can hurt the prompt.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import type { NativeClient } from '../../client/native.ts';
import { UnreachableError } from '../../client/errors.ts';
import { listHosts, type AskList } from '../../client/pages.ts';
import { readResult } from '../../client/requests.ts';
import { shown } from '../../client/shown.ts';
import { stateDirectory } from '../../config/state.ts';
import { History } from './history.ts';
import {
  completions,
  MAX_HISTORY_LINES,
  parsePromptLine,
  PROMPT_HELP,
  targetsOf,
  type PromptLine,
} from './prompt-line.ts';
import { say } from './outlet.ts';
import { resolveTargets, wordsForTargets } from './targets.ts';
import { INTERRUPTED } from '../kit/interruption.ts';
import { UNREACHED_STATUS } from '../kit/status.ts';

export interface Prompting {
  readonly client: NativeClient;
  /** As they were given: each command is run with them. */
  readonly args: readonly string[];
  readonly on: string | undefined;
}

/** The status to end with: leaving is no failure, and what names nobody opens no prompt. */
export async function prompt({ client, args, on }: Prompting): Promise<number> {
  if (on !== undefined) {
    const resolved = await resolveTargets(client, { targets: on, command: undefined });
    if ('refused' in resolved) {
      say(resolved.refused);
      return UNREACHED_STATUS;
    }
  }
  const history = new History(stateDirectory(), (text) => say(text));
  const ahead: Ahead = { lines: [], rest: '' };
  let targets = on;
  process.stderr.write('help lists what can be typed here; Ctrl-D leaves\n');
  for (;;) {
    const line = await ask(`${targets ?? client.serverName}> `, {
      history,
      ahead,
      targets: () => targetsThere(client),
    });
    if (line === undefined) return 0;
    history.keep(line);
    const meant = parsePromptLine(line);
    switch (meant.kind) {
      case 'nothing':
        break;
      case 'leave':
        return 0;
      case 'help':
        process.stderr.write(PROMPT_HELP);
        break;
      case 'on':
        targets = meant.targets === undefined ? undefined : await known(client, meant.targets, targets);
        break;
      case 'run':
        await carryOut(meant, [...args, '--on', targets ?? client.serverName]);
    }
  }
}

/** The new ones, or those that there were: what names nobody changes nothing. */
async function known(client: NativeClient, wanted: string, before: string | undefined): Promise<string | undefined> {
  const resolved = await resolveTargets(client, { targets: wanted, command: undefined });
  if ('refused' in resolved) {
    say(resolved.refused);
    return before;
  }
  process.stderr.write(`${wordsForTargets(resolved.hosts)}\n`);
  return wanted;
}

async function targetsThere(client: NativeClient): Promise<string[]> {
  const ask: AskList = async (method, page) => {
    const answer = await client.request(method.name, page);
    if (!('result' in answer)) throw new UnreachableError('the server names no machines');
    return readResult(method, answer.result);
  };
  const hosts = await listHosts(ask).catch(() => []);
  return targetsOf(hosts.map(({ name, labels }) => ({ name: shown(name), labels })));
}

/** What was typed, or pasted, before it was asked for. */
interface Ahead {
  readonly lines: string[];
  /** Of the line that had no end yet. */
  rest: string;
}

interface Asking {
  readonly history: History;
  readonly ahead: Ahead;
  readonly targets: () => Promise<string[]>;
}

/** Undefined: whoever sits there has left. */
async function ask(text: string, { history, ahead, targets }: Asking): Promise<string | undefined> {
  const next = ahead.lines.shift();
  if (next !== undefined) return next;
  const { promise, resolve } = Promise.withResolvers<void>();
  const lines: Interface = createInterface({
    input: process.stdin,
    output: process.stdout,
    prompt: text,
    history: [...history.lines],
    historySize: MAX_HISTORY_LINES,
    completer: (line: string, done: (error: null, result: [string[], string]) => void) => {
      void targets().then((all) => done(null, completions(line, all)));
    },
  });
  lines.on('line', (line) => {
    ahead.lines.push(line);
    resolve();
  });
  lines.on('close', () => resolve());
  // The line is thrown away, as in a shell.
  lines.on('SIGINT', () => {
    process.stdout.write('^C\n');
    lines.write(null, { ctrl: true, name: 'u' });
    lines.prompt();
  });
  lines.prompt();
  if (ahead.rest !== '') lines.write(ahead.rest);
  await promise;
  ahead.rest = lines.line;
  lines.close();
  const line = ahead.lines.shift();
  if (line === undefined) process.stdout.write('\n');
  return line;
}

async function carryOut(
  { options, words }: Extract<PromptLine, { kind: 'run' }>,
  args: readonly string[],
): Promise<void> {
  const launcher = process.argv[1] ?? '';
  const command = words.length === 0 ? [] : ['--', ...words];
  // What Ctrl-C is typed for is the command; it has the terminal, and so has whoever it runs in.
  const ignore = (): void => {};
  process.on('SIGINT', ignore);
  try {
    const all = [...process.execArgv, launcher, 'run', ...args, ...options, ...command];
    const child = spawn(process.execPath, all, { stdio: 'inherit' });
    const [status, signal]: unknown[] = await once(child, 'close');
    if (status !== 0 && status !== INTERRUPTED.SIGINT && signal !== 'SIGINT') {
      process.stderr.write(`status ${typeof status === 'number' ? status : String(signal)}\n`);
    }
  } catch (error) {
    say(`Cannot run the command: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    process.off('SIGINT', ignore);
  }
}
