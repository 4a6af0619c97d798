// A command on a server, as its client sees it: bytes in, bytes out, and how it ended.

import type { LinkEvent } from '../protocol/native/link.ts';
import { MAX_CONTROL_BYTES } from '../protocol/native/limits.ts';
import { METHODS } from '../protocol/native/methods.ts';
import { parseRunEnded, parseRunStarted, RUN_ENDED, type RunStart } from '../protocol/native/methods/run.ts';
import type { NativeClient } from './native.ts';
import { shown } from './shown.ts';

export type OutputName = 'stdout' | 'stderr';

/** The part of the environment that a server may want; everything else stays here. */
const SENT = /^(?:LANG|LC_[A-Z]+|TERM|TZ)$/;
/** Bytes of a request beside its command: names, numbers, environment. */
const REQUEST_OVERHEAD_BYTES = 65_536;

export type RunEnd =
  | { end: 'ended'; result: 'exited' | 'signalled' | 'timeout' | 'cancelled'; status: number; reason?: string }
  /** It never started. */
  | { end: 'refused'; message: string }
  /** Nobody knows how it ended. */
  | { end: 'lost'; reason: string };

export interface RunListener {
  /** `done` is to be called when the bytes are out of the way: as many more may come then. */
  onOutput(name: OutputName, bytes: Uint8Array, done: () => void): void;
  onOutputEnd(name: OutputName): void;
  /** `write` may be called again. */
  onInputRoom(): void;
  /** The command takes no more input. */
  onInputClosed(): void;
}

export type RunWishes = Pick<RunStart, 'command' | 'on' | 'timeoutMs'>;

export interface RunHandle {
  /** False: wait for `onInputRoom`. */
  write(bytes: Uint8Array): boolean;
  endInput(): void;
  /** Wants no more of this output: the command meets a broken pipe. */
  dropOutput(name: OutputName): void;
  /** Asks that the command be ended; how it went comes as its end. */
  cancel(): void;
  readonly ended: Promise<RunEnd>;
}

export function sentEnvironment(environment: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const sent: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    if (value !== undefined && SENT.test(name)) sent[name] = value;
  }
  return sent;
}

/** Undefined: the command fits a request. */
export function refusalOfLength(command: RunStart['command']): string | undefined {
  const most = MAX_CONTROL_BYTES - REQUEST_OVERHEAD_BYTES;
  const length = new TextEncoder().encode(JSON.stringify(command)).length;
  return length <= most ? undefined : `the command has ${length} bytes, and ${most} are the most`;
}

/** One run at a time on a client. */
export function startRun(client: NativeClient, wishes: RunWishes, listener: RunListener): RunHandle {
  const streams = {
    stdin: client.openStream('out', onInput),
    stdout: client.openStream('in', (event) => onOutput('stdout', event)),
    stderr: client.openStream('in', (event) => onOutput('stderr', event)),
  };
  let run: number | undefined;
  let isCancelled = false;
  let settle: (end: RunEnd) => void;
  const ended = new Promise<RunEnd>((resolve) => (settle = resolve));

  client.onDrain(() => {
    if (client.canWrite(streams.stdin)) listener.onInputRoom();
  });
  client.onNotification(RUN_ENDED, (params) => {
    const end = parseRunEnded(params);
    if (end === undefined) return settle({ end: 'lost', reason: 'the server tells its end in a way not known here' });
    if (run !== undefined && end.run !== run) return;
    const { result, status } = end;
    const reason = end.reason === undefined ? undefined : shown(end.reason);
    if (result === 'lost' || status === null) settle({ end: 'lost', reason: reason ?? 'the command was lost' });
    else settle({ end: 'ended', result, status, ...(reason === undefined ? {} : { reason }) });
  });
  void client.gone.then((reason) => settle({ end: 'lost', reason }));

  const env = sentEnvironment(process.env);
  void client.request(METHODS.runStart, { ...wishes, env, ...streams }).then((answer) => {
    if ('result' in answer) {
      run = parseRunStarted(answer.result)?.run;
      if (isCancelled) sendCancel();
      return;
    }
    if ('lost' in answer) settle({ end: 'lost', reason: answer.lost });
    else settle({ end: 'refused', message: shown(answer.error.message) });
  });

  function sendCancel(): void {
    // It may have ended meanwhile, which is as good.
    if (run !== undefined) void client.request(METHODS.runCancel, { run });
  }

  function onInput(event: Extract<LinkEvent, { stream: number }>): void {
    if (event.type === 'drain' && client.canWrite(streams.stdin)) listener.onInputRoom();
    if (event.type === 'reset') listener.onInputClosed();
  }

  function onOutput(name: OutputName, event: Extract<LinkEvent, { stream: number }>): void {
    if (event.type === 'data') {
      const { length } = event.bytes;
      listener.onOutput(name, event.bytes, () => client.consume(streams[name], length));
    }
    if (event.type === 'end') listener.onOutputEnd(name);
  }

  return {
    write: (bytes) => client.write(streams.stdin, bytes),
    endInput: () => client.end(streams.stdin),
    dropOutput: (name) => client.reset(streams[name]),
    cancel() {
      isCancelled = true;
      sendCancel();
    },
    ended,
  };
}
