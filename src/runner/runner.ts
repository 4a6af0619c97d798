// Runs commands for the server: the implementation of the core's port `Runner`. The server itself starts only one
// process, at the first command, and that one starts all the others (process.ts); their output and input go past it,
// through pipes that the server reads and writes itself.

import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import type { LocalRun, LocalRunner } from '../core/ports.ts';
import type { Log } from '../log/log.ts';
import { claimDirectory, emptyDirectory, freePlace } from './directory.ts';
import { baseEnvironment, commandEnvironment } from './environment.ts';
import { wordsFor } from './errors.ts';
import { findHold, type Hold, type Holding, takeHold } from './hold.ts';
import { Link } from './link.ts';
import { LiveRun } from './live-run.ts';
import { memoryPlace, SHARED_MEMORY } from './memory.ts';
import { findOwnProgram } from './own-program.ts';
import { sweep } from './sweep.ts';
import type { User } from './user.ts';

/** Each holds descriptors here and a process or more on the machine; more at once is a mistake or an attack. */
export const MAX_RUNS = 256;
/** Of a run, here: its three pipes, and until it has started what keeps its input from ending. */
export const DESCRIPTORS_PER_RUN = 4;
/** What a command left behind may hold its output open; when the output is quiet for so long, it is over. */
const DRAIN_MS = 500;
/** From HUP to KILL: time for a command to put its things away, and well within the 10 s that are promised. */
const KILL_GRACE_MS = 5_000;
/** The same when the server closes, which has 5 s for everything. */
const CLOSE_GRACE_MS = 2_000;
/** Of a mark: as hard to guess as a key. */
const MARK_BYTES = 16;

export interface RunnerOptions {
  /** For marks, and pipes; made if need be, for this user's eyes only, and used by one server at a time. */
  readonly directory: string;
  /** A file system in memory, where pipes are made instead if it can be used for that; none if it is empty. */
  readonly memory?: string;
  /** Commands run as this user, in its home; without it as the server's own user, where the server was started. */
  readonly user?: User | undefined;
  readonly log?: Pick<Log, 'warn'>;
  readonly cwd?: string;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly drainMs?: number;
  readonly killGraceMs?: number;
  readonly maxRuns?: number;
  /** Runs are not held more surely than this; without it as surely as the machine can. */
  readonly hold?: Hold;
}

export function createRunner(options: RunnerOptions): LocalRunner {
  const { user, log, drainMs = DRAIN_MS, killGraceMs = KILL_GRACE_MS, maxRuns = MAX_RUNS } = options;
  const { cwd = user?.home ?? process.cwd(), environment: server = process.env, memory = SHARED_MEMORY } = options;
  // A slash at the end would lead through a link.
  const directory = resolve(options.directory);
  const closeGraceMs = Math.min(killGraceMs, CLOSE_GRACE_MS);
  const runs = new Set<LiveRun>();
  const base = baseEnvironment({ server, user, ownProgram: findOwnProgram(user !== undefined) });
  const swept = sweep(directory, { graceMs: closeGraceMs, memory });
  let holding: Holding | undefined;
  let link: Link | undefined;
  let places = 0;
  let isClosed = false;

  function openLink(): Link | string {
    const refusal = claimDirectory(directory);
    if (refusal !== undefined) return refusal;
    // Once only: what is there later is this server's own.
    if (places === 0) emptyDirectory(directory);
    const { path: ownPlace, next } = freePlace(directory, places);
    places = next;
    const identity = user && { identity: { uid: user.uid, gid: user.gid } };
    const mark = randomBytes(MARK_BYTES).toString('hex');
    holding ??= findHold(options.hold);
    const inMemory = memoryPlace(memory, mark);
    const opened = new Link({
      marks: directory,
      isInMemory: inMemory !== undefined,
      settings: { directory: inMemory ?? ownPlace, cwd, closeGraceMs, mark, ...takeHold(holding, mark), ...identity },
      onLoosened: (reason) => log?.warn('runs without cgroups', { reason }),
      onGone(reason) {
        if (link === opened) link = undefined;
        log?.warn('runner lost', { reason });
      },
    });
    return opened;
  }

  return {
    start({ command, env, cwd: place, terminal, timeoutMs }): LocalRun {
      let used: Link | undefined;
      const run: LiveRun = new LiveRun({
        timeoutMs,
        terminal,
        resize: (size) => used?.resize(run, size),
        drainMs,
        killGraceMs,
        endSession: (graceMs) => used?.endSession(run, graceMs),
        onSettled() {
          used?.endSession(run, killGraceMs);
          runs.delete(run);
        },
      });
      if (isClosed) run.refuse('Cannot start a command: the server is closing');
      else if (runs.size >= maxRuns)
        run.refuse(`Cannot start a command: ${maxRuns} are running, as many as may at once`);
      else {
        runs.add(run);
        try {
          const opened = link ?? openLink();
          if (typeof opened === 'string') run.refuse(opened);
          else {
            used = link = opened;
            used.start({ run, command, env: commandEnvironment(env, base), cwd: place });
          }
        } catch (error) {
          run.refuse(`Cannot start the runner process: ${wordsFor(error)}`);
        }
      }
      return run;
    },

    async close(): Promise<void> {
      isClosed = true;
      swept.close();
      for (const run of runs) run.abandon(closeGraceMs);
      await link?.close();
      await Promise.all([...runs].map((run) => run.ended));
    },
  };
}
