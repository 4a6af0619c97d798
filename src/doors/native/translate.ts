// Between the words of the native protocol and those of the core; no I/O.

import type { RunCommand, RunResult } from '../../core/ports.ts';
import type { ErrorCode, RunEnded, RunStart } from '../../protocol/native/methods.ts';
import { rpcError, type RpcError } from '../../protocol/native/rpc.ts';

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
