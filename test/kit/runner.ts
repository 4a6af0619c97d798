// What the runner's tests share: a runner of their own, whole outputs, and lifelines that show when processes are gone.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { constants, openSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import type { ByteSource, LocalRunner, Run, RunCommand, RunResult } from '../../src/core/ports.ts';
import { createRunner, type RunnerOptions } from '../../src/runner/runner.ts';
import { aDirectory, type Cleanup } from './directory.ts';

export function aRunner(t: Cleanup, options: Partial<RunnerOptions> = {}): LocalRunner {
  const runner = createRunner({ directory: join(aDirectory(t), 'run'), killGraceMs: 100, ...options });
  t.after(() => runner.close());
  return runner;
}

export const sh = (line: string): RunCommand => ({ kind: 'shell', line });
export const argv = (...words: string[]): RunCommand => ({ kind: 'argv', argv: words });
export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Everything that a source brings, as text. */
export function textOf(source: ByteSource): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const chunks: Uint8Array[] = [];
  source.onData((chunk) => chunks.push(chunk));
  source.onEnd(() => resolve(Buffer.concat(chunks).toString()));
  source.resume();
  return promise;
}

/** Resolves with the first line of a source, which goes on being read. */
export function firstLineOf(source: ByteSource): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let text = '';
  source.onData((chunk) => {
    text += Buffer.from(chunk).toString();
    if (text.includes('\n')) resolve(text.slice(0, text.indexOf('\n')));
  });
  source.onEnd(() => reject(new Error(`ended before a line: ${JSON.stringify(text)}`)));
  source.resume();
  return promise;
}

/** What a run has until its time is over, at first: an idle machine starts a command in a hundredth of it. */
const FIRST_TIMEOUT_MS = 600;

/** A run that has said its first line before its time was over: where it could not it is started again, with more time. */
export async function upInTime(start: (timeoutMs: number) => Run): Promise<Run> {
  for (let timeoutMs = FIRST_TIMEOUT_MS; ; timeoutMs *= 4) {
    const run = start(timeoutMs);
    run.stderr.resume();
    const isUp = await firstLineOf(run.stdout).then(
      () => true,
      () => false,
    );
    if (isUp) return run;
    assert.equal((await run.ended).result, 'timeout');
  }
}

export interface Finished {
  readonly result: RunResult;
  readonly stdout: string;
  readonly stderr: string;
}

export async function finish(run: Run, input = ''): Promise<Finished> {
  const texts = Promise.all([textOf(run.stdout), textOf(run.stderr)]);
  if (input !== '') run.stdin.write(bytes(input));
  run.stdin.end();
  const result = await run.ended;
  const [stdout, stderr] = await texts;
  return { result, stdout, stderr };
}

/** A pipe that commands hold open (`exec 9>PATH`): it ends when the last of them is gone. */
export function lifeline(t: Cleanup): { path: string; gone: () => Promise<void> } {
  const path = join(aDirectory(t), 'lifeline');
  execFileSync('mkfifo', [path]);
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const socket = { opened: undefined as Socket | undefined };
  t.after(() => {
    socket.opened?.destroy();
  });
  return {
    path,
    /** To be asked when somebody holds it, for it would end at once before. */
    async gone() {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      socket.opened = new Socket({ fd: descriptor, readable: true, writable: false });
      socket.opened.on('data', () => reject(new Error('nobody writes to a lifeline')));
      socket.opened.on('end', resolve);
      await promise;
    },
  };
}

/** A pipe that a command writes a line to (`echo >PATH`) when it has come so far. */
export function milestone(t: Cleanup): { path: string; passed: () => Promise<void> } {
  const path = join(aDirectory(t), 'milestone');
  execFileSync('mkfifo', [path]);
  // To read alone would be to meet an end while nobody writes.
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  const socket = new Socket({ fd, readable: true, writable: false });
  const passed = new Promise<void>((resolve) => socket.once('data', () => resolve()));
  t.after(() => {
    socket.destroy();
  });
  return { path, passed: () => passed };
}
