// Between the words of the native protocol and those of the core; no I/O.

import type { RunCommand, RunResult } from '../../core/ports.ts';
import type { RunRefusal } from '../../core/refusal.ts';
import type { ErrorCode } from '../../protocol/native/methods.ts';
import type { RunEnded, RunStart } from '../../protocol/native/methods/run.ts';
import { rpcError, type RpcError } from '../../protocol/native/rpc.ts';
import { quote } from '../../protocol/text.ts';

/** Why a run cannot have the streams that were named for it. */
export type StreamRefusal = Extract<ErrorCode, 'closing' | 'stream-number' | 'too-many-streams'>;

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

/** A refusal: what was attempted and what is true now, with the code that programs decide by. */
export function refusal(code: ErrorCode, message: string): RpcError {
  if (code === 'unknown-method') return rpcError('method', code, message);
  return rpcError(code === 'bad-params' ? 'params' : 'refused', code, message);
}

/** A command that the core refuses. */
export function wordsForRun(refused: RunRefusal, serverName: string): RpcError {
  switch (refused.refused) {
    case 'not-allowed':
      return refusal('not-allowed', 'Cannot run the command: only the owner may');
    case 'unknown-host': {
      const names = refused.names.map((name) => quote(name)).join(', ');
      return refusal('unknown-host', `Cannot run the command on ${names}: no such host has joined ${serverName}`);
    }
  }
}

/** A command that the connection has no room for. */
export function wordsForStreams(refused: StreamRefusal): RpcError {
  switch (refused) {
    case 'closing':
      return refusal(refused, 'Cannot run the command: the server is closing');
    case 'stream-number':
      return refusal(refused, 'Cannot run the command: the streams are not numbered as they must be');
    case 'too-many-streams':
      return refusal(refused, 'Cannot run the command: too many are open');
  }
}
