// The process of one terminal: starts one command in it, and carries bytes between the terminal and the pipes of the run,
// which are this process's own input and output. It is of the run (in its cgroup, with its mark), and ends with it.
//
// A process of its own, because what was opened by forkpty(3) is inherited by whatever is started later: another command
// would keep the terminal alive and could read what is typed there. Here nothing is started later.

import { chownSync, closeSync, constants, openSync, statSync, write } from 'node:fs';
import { Socket } from 'node:net';
import { setgroups } from 'node:process';
import { ReadStream } from 'node:tty';
import type { Ending } from '../core/run/result.ts';
import { codeOf, wordsFor } from './errors.ts';
import { forkPty, resizePty, type Pty } from './pty.ts';
import { type FromTerminal, isToTerminal, type TerminalStart } from './terminal-control.ts';

/** Between two attempts to write to a terminal whose command reads nothing: nobody types faster than that. */
const FULL_MS = 10;
/** What a terminal takes for the end of input, unless its command has told it otherwise. */
const END = 0x04;
const LINE_FEED = 0x0a;
const RETURN = 0x0d;

/** The command is found or not with the statuses of a shell, where execvp(3) in there would say 1. */
const EXEC = 'exec "$@"';
/** Another user's command waits until the terminal is its own, to be opened by name, as `tmux` does. */
const EXEC_AS_OTHER = 'until [ -O /dev/fd/0 ]; do :; done; exec "$@"';

let pty: Pty | undefined;
/**
 * The command's side. A command that closes all that it has before it exits (`cat`) would leave nobody there, and when
 * this process then let go of the other side, would be sent HUP in its last moment: so it is kept open until the exit.
 */
let commandSide: number | undefined;
let passesSignals = false;
let hasExited = false;
let hasHungUp = false;

const output = new Socket({ fd: 1, readable: false, writable: true });
const input = new Socket({ fd: 0, readable: true, writable: false });
let screen: ReadStream | undefined;
let isWriting = false;
let lastByte = LINE_FEED;
const waiting: Uint8Array[] = [];

process.on('message', (message) => {
  if (!isToTerminal(message)) return;
  if (message.do === 'start') start(message);
  else if (pty !== undefined && !hasHungUp) resize(message.size);
});
// Nobody asks for it any more: the terminal goes with this process, and its command is told by the system.
process.on('disconnect', () => process.exit());
for (const signal of ['SIGHUP', 'SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    if (hasExited) process.exit();
    if (passesSignals && pty !== undefined) process.kill(-pty.pid, signal);
  });
}

function tell(message: FromTerminal, done: () => void = () => {}): void {
  if (process.connected) process.send?.(message, () => done());
}

function start({ file, args, env, identity, size, passesSignals: passes }: TerminalStart): void {
  passesSignals = passes;
  try {
    // What root is in by its groups is not the user's.
    if (identity !== undefined) setgroups?.([]);
    const words = ['-c', identity === undefined ? EXEC : EXEC_AS_OTHER, 'partyline', file, ...args];
    pty = forkPty({ file: '/bin/sh', args: words, env, identity, size, onExit: exited });
    commandSide = openSync(pty.path, constants.O_RDWR | constants.O_NOCTTY);
    if (identity !== undefined) chownSync(pty.path, identity.uid, statSync(pty.path).gid);
  } catch (error) {
    tell({ did: 'fail', reason: `Cannot open a terminal: ${wordsFor(error)}` }, () => process.exit());
    return;
  }
  screen = new ReadStream(pty.fd);
  screen.on('data', (chunk) => {
    if (!output.write(chunk)) screen?.pause();
  });
  // Linux says so (EIO) once nobody has the other side open, and all that was written there has been read.
  screen.on('error', hangUp);
  screen.on('close', hangUp);
  output.on('drain', () => screen?.resume());
  output.on('error', hangUp);
  input.on('data', (chunk: Uint8Array) => {
    waiting.push(chunk);
    lastByte = chunk.at(-1) ?? lastByte;
    pass();
  });
  input.on('end', () => {
    // Within a line it only hands that over; a second one is an end.
    const isInLine = lastByte !== LINE_FEED && lastByte !== RETURN;
    waiting.push(isInLine ? Uint8Array.of(END, END) : Uint8Array.of(END));
    pass();
  });
  input.on('error', () => {});
}

function exited(code: number, signal: number): void {
  hasExited = true;
  if (commandSide !== undefined) closeSync(commandSide);
  const ending: Ending = signal > 0 ? { kind: 'signal', signal } : { kind: 'code', code };
  tell({ did: 'exit', ending }, leaveIfDone);
}

/** No byte comes from the terminal any more, or nobody wants one. */
function hangUp(): void {
  if (hasHungUp) return;
  hasHungUp = true;
  screen?.destroy();
  input.destroy();
  output.end(() => leaveIfDone());
  leaveIfDone();
}

function leaveIfDone(): void {
  if (hasExited && hasHungUp && (output.writableFinished || output.destroyed)) process.exit();
}

function resize(size: TerminalStart['size']): void {
  try {
    if (pty !== undefined) resizePty(pty, size);
  } catch {
    // It is going away.
  }
}

function pass(): void {
  if (isWriting || hasHungUp || pty === undefined) return;
  const [chunk] = waiting;
  if (chunk === undefined) {
    input.resume();
    return;
  }
  input.pause();
  isWriting = true;
  write(pty.fd, chunk, (error, written) => {
    isWriting = false;
    if (error !== null && codeOf(error) !== 'EAGAIN') return;
    if (error === null) taken(chunk, written);
    if (error === null) pass();
    else setTimeout(pass, FULL_MS);
  });
}

function taken(chunk: Uint8Array, count: number): void {
  if (count < chunk.length) waiting[0] = chunk.subarray(count);
  else waiting.shift();
}
