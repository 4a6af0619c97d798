// What the server and its runner process say to each other, over the channel that Node gives a child (`ipc`). Output
// and input of commands never pass here: they have pipes of their own (pipes.ts).

import type { RunCommand, TerminalSize } from '../core/ports.ts';
import type { Ending } from '../core/run/result.ts';

/**
 * What keeps hold of everything that a command starts, the surest first: a cgroup of its own; a mark in the environment,
 * looked for in /proc; the process group of the command alone.
 */
export type Hold = 'cgroup' | 'mark' | 'group';

/** The variable that names the run to what it started, and to whoever looks for that. */
export const MARK_VARIABLE = 'PARTYLINE_RUN';

/** For each Node that is started here: SIGUSR1 would open its debugger on a port of loopback, for whoever is logged in. */
export const NO_DEBUGGER = '--disable-sigusr1';

/** Fixed for the life of a runner process; given as its one argument, in JSON. */
export interface Settings {
  /** Where this runner process makes its pipes. */
  readonly directory: string;
  /** In the environment of the runner process; each of its runs has it followed by `-` and the run's id. */
  readonly mark: string;
  readonly hold: Hold;
  /** Where it makes the cgroups of its runs, if that is the hold. */
  readonly cgroup?: string;
  /** Where commands start. */
  readonly cwd: string;
  /** Commands run as this user; absent: as the server does. */
  readonly identity?: Identity;
  /** From the first signal to KILL, when the server closes or is gone. */
  readonly closeGraceMs: number;
}

export interface Identity {
  readonly uid: number;
  readonly gid: number;
}

/** What is started, and how. */
export interface Spawn {
  readonly command: RunCommand;
  readonly env: Readonly<Record<string, string>>;
  /** From where commands start by themselves; there if absent. */
  readonly cwd?: string | undefined;
  /** In one of this size. */
  readonly terminal?: TerminalSize | undefined;
}

/** A run's id is the number of its set of pipes. */
export type ToProcess =
  | { do: 'make'; from: number; count: number }
  | ({ do: 'spawn'; id: number } & Spawn)
  | { do: 'end'; id: number; graceMs: number }
  | { do: 'resize'; id: number; size: TerminalSize }
  /** Are you there? */
  | { do: 'answer' }
  | { do: 'close' };

export type FromProcess =
  | { did: 'answer' }
  | { did: 'make'; count: number }
  | { did: 'fail'; reason: string }
  /** The command's ends of the pipes are open; without a pid there is no command, and words on stderr say why. */
  | { did: 'spawn'; id: number; pid: number | undefined }
  /** `pid`: and `spawn`, in one; `isFinished`: and `finish`. */
  | { did: 'exit'; id: number; pid?: number | undefined; ending: Ending; isFinished: boolean }
  | { did: 'lose'; id: number; reason: string }
  /** Nothing was started. */
  | { did: 'refuse'; id: number; reason: string }
  /** From now on the runs have a mark, and no cgroup. */
  | { did: 'loosen'; reason: string }
  /** Nothing of the run is left, or all of it was sent KILL. */
  | { did: 'finish'; id: number };

// Both sides are this program; what they say needs no more than to be told from nothing.

export function isToProcess(message: unknown): message is ToProcess {
  return typeof message === 'object' && message !== null && 'do' in message;
}

export function isFromProcess(message: unknown): message is FromProcess {
  return typeof message === 'object' && message !== null && 'did' in message;
}
