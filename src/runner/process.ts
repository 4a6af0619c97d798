// The process that starts processes. Where Node starts one it copies the page tables of whoever does it (1 ms at 80 MB, 25 ms
// at 760 MB), so a small process does it for the server. It outlives nothing: when the channel to the server closes,
// however the server died, it ends every run and itself.

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { closeSync, existsSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import { resolve } from 'node:path';
import { getgid, getuid } from 'node:process';
import type { RunCommand } from '../core/ports.ts';
import { A_LOGIN_SHELL, isLoginShell } from '../core/run/login-shell.ts';
import { NOT_EXECUTABLE_STATUS, NOT_FOUND_STATUS } from '../core/run/result.ts';
import { type FromProcess, isToProcess, MARK_VARIABLE, type Settings, type ToProcess } from './control.ts';
import { removePlace } from './directory.ts';
import { codeOf, wordsFor } from './errors.ts';
import { closeInherited } from './inherited.ts';
import { type Born, findQuickStarts } from './libc.ts';
import { killRuns, tellsSessions } from './members.ts';
import { openCommandEnds, pathsOf, type Three, unlinkPipes } from './pipes.ts';
import { doneIn, dropGroups } from './place.ts';
import { CgroupReach, MarkReach, type Reach } from './reach.ts';
import { type Seat, Seats } from './seats.ts';
import { Session } from './session.ts';
import { Terminal } from './terminal-child.ts';

/** The machine is short of something, for now: the command did not fail, it never started. */
const EXHAUSTED = new Set(['EAGAIN', 'EMFILE', 'ENFILE', 'ENOMEM']);
const MISSING = new Set(['ENOENT', 'ENOTDIR']);
/** Words about a command are written before anyone reads, so they must fit into the pipe. */
const MAX_SHOWN_CHARACTERS = 200;
/** What KILL does not end within this time hangs in the kernel and is not waited for. */
const UNKILLABLE_MS = 500;
/** Most commands on many machines are over by then, and their start and their end are one message. Nobody feels so long a wait. */
const HELD_START_MS = 2;

const settings: Settings = JSON.parse(process.argv[2] ?? '');
closeInherited();
dropGroups(settings.identity);
const quick = isOwn(settings.identity) ? await findQuickStarts() : undefined;
const sessions = new Map<number, Session>();
/** Runs whose leader has not been reaped: its status is still to be told. */
const leaders = new Set<number>();
const terminals = new Map<number, Terminal>();
let isMaking = false;
let isClosing = false;
/** This process, and the mkfifo(1) that it has started. */
const own = new Set([process.pid]);
/** The last command was over before its start was told. */
let wasQuick = true;
/** What came while there was no place yet for the next command to be born in. */
let unheard: ToProcess[] = [];
const seats =
  settings.cgroup === undefined
    ? undefined
    : new Seats({
        tree: settings.cgroup,
        onSettled: hearMore,
        onFailed: (reason) => tell({ did: 'loosen', reason }),
      });

// Terminals and service managers signal all they know; ending the runs in order is the server's decision.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
process.on('message', (message) => isToProcess(message) && hear(message));
process.on('exit', () => {
  seats?.remove();
  // A server that was killed does not do it, and may never start again.
  removePlace(settings.directory);
});
process.on('disconnect', () => {
  // Nobody waits for what was not started yet.
  unheard = [];
  close();
});

function hear(message: ToProcess): void {
  if (message.do === 'answer') return obey(message);
  unheard.push(message);
  hearMore();
}

function hearMore(): void {
  while (unheard.length > 0) {
    if (unheard[0]?.do === 'spawn' && seats?.isTaken === true) seats.moveOn();
    if (seats?.isMoving === true) return;
    // To fail to move is known at once, and by then others may have been heard.
    const message = unheard.shift();
    if (message !== undefined) obey(message);
  }
}

function obey(message: ToProcess): void {
  switch (message.do) {
    case 'make':
      return makePipes(message.from, message.count);
    case 'spawn':
      return start(message);
    case 'resize':
      return terminals.get(message.id)?.resize(message.size);
    case 'end':
      return sessions.get(message.id)?.end(message.graceMs);
    case 'answer':
      return tell({ did: 'answer' });
    case 'close':
      return close();
  }
}

function tell(message: FromProcess): void {
  // A server that is gone is told nothing; `disconnect` follows.
  if (process.connected) process.send?.(message, () => {});
}

function makePipes(from: number, count: number): void {
  const sets = Array.from({ length: count }, (_, index) => pathsOf(settings.directory, from + index));
  isMaking = true;
  // It is started beside the next command.
  const seat = seats?.current;
  if (seat !== undefined) seat.ours += 1;
  const { pid } = execFile('mkfifo', ['-m', '600', ...sets.flat()], (error, _, words) => {
    isMaking = false;
    if (seat !== undefined) seat.ours -= 1;
    if (pid !== undefined) own.delete(pid);
    leaveIfDone();
    if (error === null) return tell({ did: 'make', count });
    // Some may have been made, and what they take may be what the machine is short of.
    for (const paths of sets) unlinkPipes(paths);
    tell({ did: 'fail', reason: `Cannot make pipes in ${settings.directory}: ${whyOf(error, words)}` });
  });
  if (pid !== undefined) own.add(pid);
}

/** mkfifo(1) says a line for each pipe, and the reason at the end of each. */
function whyOf(error: Error, words: string): string {
  const why = words.trim().split(': ').at(-1);
  if (why) return why.charAt(0).toLowerCase() + why.slice(1);
  return MISSING.has(codeOf(error)) ? 'there is no mkfifo here' : wordsFor(error);
}

function start({ id, command, env, cwd: place, terminal }: Extract<ToProcess, { do: 'spawn' }>): void {
  const { cwd, identity } = settings;
  let ends: Three<number>;
  try {
    ends = openCommandEnds(pathsOf(settings.directory, id), identity);
  } catch (error) {
    return tell({ did: 'refuse', id, reason: `Cannot open the command's pipes: ${wordsFor(error)}` });
  }
  const release = (): void => ends.forEach((end) => closeSync(end));
  const refuseAll = (reason: string): void => {
    tell({ did: 'refuse', id, reason });
    release();
  };
  // Said here, because spawning into a missing directory fails with the same ENOENT as a missing command.
  if (identity === undefined && !existsSync(cwd))
    return refuseAll(`Cannot run commands in ${cwd}: the directory is gone`);
  const [file = '', ...args] = command.kind === 'shell' ? ['/bin/sh', '-c', command.line] : command.argv;
  const refuse = (error: unknown): void => {
    // What is missing then is no command.
    if (terminal !== undefined) return refuseAll(`Cannot open a terminal: ${process.execPath}: ${wordsFor(error)}`);
    if (EXHAUSTED.has(codeOf(error))) return refuseAll(`Cannot start ${shortened(file)}: ${wordsFor(error)}`);
    const isMissing = file === '' || MISSING.has(codeOf(error));
    return say(`${shortened(file)}: ${isMissing ? 'not found' : wordsFor(error)}`, isMissing);
  };
  /** The status says the same of a directory as of a command: not there, or not to be used. */
  const refusePlace = (error: unknown): void => {
    const isMissing = codeOf(error) === 'ENOENT';
    const why = isMissing ? 'there is no such directory' : wordsFor(error);
    say(
      `Cannot run ${shortened(nameOf(command))} in ${shortened(place ?? '')}: ${why}; nothing was started`,
      isMissing,
    );
  };
  const say = (why: string, isMissing: boolean): void => {
    sayTo(ends[2], `partyline: ${why}\n`);
    tell({ did: 'spawn', id, pid: undefined });
    const code = isMissing ? NOT_FOUND_STATUS : NOT_EXECUTABLE_STATUS;
    tell({ did: 'exit', id, ending: { kind: 'code', code }, isFinished: true });
    release();
  };
  const mark = `${settings.mark}-${id}`;
  const seat = seats?.current;
  const marked = { ...env, [MARK_VARIABLE]: mark };
  const spawnIt = (home?: string): Born | undefined => {
    isThere = true;
    const there = home === undefined ? {} : { cwd: home };
    if (terminal === undefined) {
      const quickly = quick?.start({ ...there, file, args, env: marked, ends });
      if (quickly !== undefined) return quickly;
      const how = { ...there, ...identity, env: marked, detached: true };
      return bornOf(spawn(file, args, { ...how, stdio: [...ends] }), refuse);
    }
    const passesSignals = settings.hold === 'group';
    const asked = { file, args, env: marked, identity, size: terminal, passesSignals };
    const started = Terminal.start(asked, { ...there, mark }, ends);
    const itself = bornOf(started.child, refuse);
    if (itself !== undefined) terminals.set(id, started);
    return itself;
  };
  const home = existsSync(cwd) ? cwd : '/';
  let born: Born | undefined;
  let isThere = false;
  try {
    born = place === undefined ? spawnIt(home) : doneIn(resolve(home, place), identity, spawnIt);
  } catch (error) {
    return isThere ? refuse(error) : refusePlace(error);
  }
  if (born === undefined) return;
  release();
  seats?.take();
  follow({ id, born, mark, seat });
}

/** As whoever asked for it calls it: of a line its first, and no shell that they never named. */
function nameOf(command: RunCommand): string {
  if (isLoginShell(command)) return A_LOGIN_SHELL;
  return (command.kind === 'shell' ? command.line.trim().split('\n')[0] : command.argv[0]) ?? '';
}

function shortened(text: string): string {
  return text.slice(0, MAX_SHOWN_CHARACTERS);
}

/** To whoever reads what the command would have said. */
function sayTo(stderr: number, words: string): void {
  try {
    writeSync(stderr, words);
  } catch {
    // Nobody does any more: the run was cancelled meanwhile, and that is no matter of the others.
  }
}

/** Undefined: it is not there, and `refuse` is told why. */
function bornOf(child: ChildProcess, refuse: (error: Error) => void): Born | undefined {
  const { pid } = child;
  if (pid === undefined) {
    child.once('error', refuse);
    return undefined;
  }
  return {
    pid,
    onExit(tell) {
      // Never 'close': that waits for whoever inherited the pipes.
      child.once('exit', (code, signal) => {
        tell(signal ? { kind: 'signal', signal: constants.signals[signal] } : { kind: 'code', code: code ?? 0 });
      });
    },
  };
}

/** Commands run as whom this process runs as. */
function isOwn(identity: Settings['identity']): boolean {
  return identity === undefined || (identity.uid === getuid?.() && identity.gid === getgid?.());
}

interface Followed {
  readonly id: number;
  readonly born: Born;
  readonly mark: string;
  readonly seat: Seat | undefined;
}

function follow({ id, born, mark, seat }: Followed): void {
  const leader = born.pid;
  /** Its end; what is told before would be of a command that still runs. */
  let isTold = false;
  const session = new Session({
    leader,
    reach: reachOf({ born, mark, seat }),
    onFinished() {
      if (seat !== undefined) seats?.release(seat);
      sessions.delete(id);
      if (isTold) tell({ did: 'finish', id });
      leaveIfDone();
    },
  });
  sessions.set(id, session);
  leaders.add(id);
  const terminal = terminals.get(id);
  /** Until it is told that there is one. */
  let pid: number | undefined = leader;
  const moveOn = (): void => {
    if (seat !== undefined) seats?.leave(seat);
  };
  const tellStart = (): void => {
    tell({ did: 'spawn', id, pid });
    pid = undefined;
    wasQuick = false;
    moveOn();
  };
  let held: NodeJS.Timeout | undefined;
  // Whoever cannot find it by its mark has to know its number.
  if (terminal === undefined && settings.hold !== 'group') held = setTimeout(tellStart, HELD_START_MS);
  else tellStart();
  // Where others run the next command is not far; nor is a command quick where the last one was not.
  if (sessions.size > 1 || !wasQuick) moveOn();
  terminal?.onEnded((ended) => {
    terminals.delete(id);
    tell('reason' in ended ? { did: 'lose', id, ...ended } : { did: 'exit', id, ending: ended, isFinished: false });
  });
  born.onExit((ending) => {
    session.leaderExited();
    // Where nobody was left, which a cgroup tells at once, the one message says both.
    queueMicrotask(() => {
      const isFinished = !sessions.has(id);
      clearTimeout(held);
      if (pid !== undefined) wasQuick = true;
      if (!isFinished) moveOn();
      // Of one in a terminal its terminal tells.
      if (terminal === undefined) tell({ did: 'exit', id, pid, ending, isFinished });
      else if (isFinished) tell({ did: 'finish', id });
      isTold = true;
      leaders.delete(id);
      leaveIfDone();
    });
  });
}

function reachOf({ born, mark, seat }: Omit<Followed, 'id'>): Reach | undefined {
  if (settings.hold === 'group' || !tellsSessions) return undefined;
  const byMark = new MarkReach({ mark, leader: born.pid });
  return seat === undefined ? byMark : new CgroupReach({ seat, byMark, own });
}

function close(): void {
  if (!isClosing) {
    isClosing = true;
    for (const session of sessions.values()) session.end(settings.closeGraceMs);
    setTimeout(leave, settings.closeGraceMs + UNKILLABLE_MS).unref();
  }
  leaveIfDone();
}

/** Whoever was too quick for every look so far is looked for once more, without anything in between. */
function leave(): void {
  killRuns({ mark: settings.mark, leaders: new Set() });
  seats?.kill();
  process.exit();
}

function leaveIfDone(): void {
  // Pipes made later would be left behind: the server removes the directory next.
  const isBusy = isMaking || sessions.size > 0 || leaders.size > 0;
  if (isClosing && !isBusy && process.connected) process.disconnect?.();
}
