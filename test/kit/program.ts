// The real program as a test's own process: started, fed, watched, and ended with the test.

import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { Transcript } from './transcript.ts';

export const ROOT = join(import.meta.dirname, '..', '..');
export const PARTYLINE = join(ROOT, 'partyline');

export interface Program extends AsyncDisposable {
  readonly pid: number;
  readonly stdout: Transcript;
  readonly stderr: Transcript;
  readonly stdin: Writable;
  /** The status once it has ended and all output has come; 128+N after signal N, as a shell has it. */
  readonly ended: Promise<number>;
  kill(signal: NodeJS.Signals): void;
}

const SIGNALS: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };

export interface ProgramOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Our descriptor that it gets as its own `PASSED`, as from a shell that has a lock or a file open. */
  readonly passes?: number;
}

/** Far behind the others, where Node does not look for what it was given. */
export const PASSED = 77;

/** Runs a file with arguments; `partyline(...)` is what most tests want. */
export function start(file: string, args: readonly string[], { env = {}, cwd, passes }: ProgramOptions = {}): Program {
  const stdio: ['pipe', 'pipe', 'pipe', ...(number | 'ignore')[]] = ['pipe', 'pipe', 'pipe'];
  if (passes !== undefined) stdio.push(...Array<'ignore'>(PASSED - stdio.length).fill('ignore'), passes);
  const child: ChildProcessByStdio<Writable, Readable, Readable> = spawn(file, args, {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- of those behind the three there is no stream
    stdio: stdio as ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
    ...(cwd === undefined ? {} : { cwd }),
  });
  child.stdin.on('error', () => {});
  const ended = once(child, 'close').then(([code, signal]: unknown[]) =>
    typeof code === 'number' ? code : 128 + (SIGNALS[String(signal)] ?? 0),
  );
  return {
    pid: child.pid ?? 0,
    stdout: follow(child.stdout),
    stderr: follow(child.stderr),
    stdin: child.stdin,
    ended,
    kill: (signal) => void child.kill(signal),
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await ended;
    },
  };
}

export function partyline(args: readonly string[], options: ProgramOptions = {}): Program {
  return start(PARTYLINE, args, options);
}

export interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program to its end, with so much on its standard input. */
export async function outcomeOf(program: Program, input: string | Uint8Array = ''): Promise<Outcome> {
  program.stdin.end(input);
  const status = await program.ended;
  return { status, stdout: program.stdout.text, stderr: program.stderr.text };
}

function follow(stream: Readable): Transcript {
  const transcript = new Transcript();
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => transcript.add(chunk));
  stream.on('close', () => transcript.end());
  return transcript;
}
