// Between the words of the native protocol and those of the core; no I/O.

import type { RunCommand, RunResult } from '../../core/ports.ts';
import type { ErrorCode, RunEnded, RunStart } from '../../protocol/native/methods.ts';
import { rpcError, type RpcError } from '../../protocol/native/rpc.ts';
import { escapeControls, shorten } from '../../protocol/text.ts';

/** UTF-16 units of a line on the server's console, all of it: it stays one line on a wide terminal. */
export const MAX_CONSOLE_LINE = 200;

export function toRunCommand(command: RunStart['command']): RunCommand {
  return 'shell' in command ? { kind: 'shell', line: command.shell } : { kind: 'argv', argv: command.argv };
}

/** Hosts as they were given, `web1,web2` or `web1 web2`; none is the server itself. */
export function toHosts(on: string | undefined): string[] {
  return (on ?? '').split(/[\s,]+/).filter((host) => host !== '');
}

export function toRunEnded(run: number, ended: RunResult, why?: string): RunEnded {
  const { result, status } = ended;
  return {
    run,
    result,
    status,
    ...('signal' in ended ? { signal: ended.signal } : {}),
    ...('reason' in ended ? { reason: ended.reason } : {}),
    ...(result === 'cancelled' && why !== undefined ? { reason: why } : {}),
  };
}

/** `Given command ls (owner from ::1)`: escaped, and cut where it is the command that is long. */
export function givenCommand(command: RunCommand, who: { name: string; address: string }): string {
  const by = ` (${escapeControls(who.name)} from ${who.address})`;
  const start = 'Given command ';
  return `${start}${shorten(commandText(command), MAX_CONSOLE_LINE - start.length - by.length)}${by}`;
}

/** The command on one line, escaped; the words of a vector are quoted where a shell would need it. */
export function commandText(command: RunCommand): string {
  return escapeControls(command.kind === 'shell' ? command.line : command.argv.map(quoteWord).join(' '));
}

function quoteWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

/** A refusal: what was attempted and what is true now, with the code that programs decide by. */
export function refusal(code: ErrorCode, message: string): RpcError {
  if (code === 'unknown-method') return rpcError('method', code, message);
  return rpcError(code === 'bad-params' ? 'params' : 'refused', code, message);
}
