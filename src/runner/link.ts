// The server's end of one runner process: asks it for pipes and commands, tells the runs what became of them, and
// cleans up after it when it dies.

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { TerminalSize } from '../core/ports.ts';
import {
  type FromProcess,
  isFromProcess,
  MARK_VARIABLE,
  NO_DEBUGGER,
  type Settings,
  type Spawn,
  type ToProcess,
} from './control.ts';
import { claimDirectory, claimPlace, removePlace } from './directory.ts';
import { wordsFor } from './errors.ts';
import type { LiveRun } from './live-run.ts';
import { dropMark, keepMark, killMarked } from './marks.ts';
import { errorOfKill } from './members.ts';
import { claimMemory } from './memory.ts';
import { openServerEnds, pathsOf, unlinkPipes } from './pipes.ts';
import { NOWHERE } from './place.ts';
import { Watch } from './watch.ts';

const ENTRY = fileURLToPath(new URL('./process.mjs', import.meta.url));
/** It holds a few hundred small objects; a bound keeps what is forked small. */
const MAX_HEAP_MB = 64;
/** What it says on standard error are its last words: that `node:ffi` is experimental is none of them. */
const NO_WARNINGS = '--disable-warning=ExperimentalWarning';
/** Sets of pipes made by one mkfifo(1), which costs about as much as one command. */
const BATCH = 32;
/** Fewer unused sets than this, and the next batch is asked for: what starts while it is being made. */
const LOW = 16;
/** Of what a dying runner process said, the end that goes into the reason. */
const MAX_LAST_WORDS = 1_000;
/** Added to its grace: what a runner process may take to leave before it is killed. */
const LEAVE_MS = 700;

/** To make pipes or to start a command takes milliseconds; a machine that needs so long has other troubles. */
const START_MS = 10_000;
/** Added to its grace: what a runner process may take to end a session before it is asked whether it is there. */
const FINISH_MS = 800;

/** Its terminal is the run's. */
export interface Started extends Omit<Spawn, 'terminal'> {
  readonly run: LiveRun;
  /** The pipes that it was to have were gone; once is enough. */
  readonly isSecondTry?: true;
}

export interface LinkOptions {
  /** Its directory is of this link alone; made here and removed at its end. */
  readonly settings: Settings;
  /** Where its mark is kept. */
  readonly marks: string;
  /** The pipes are not in there, but where nothing but its own place may be touched. */
  readonly isInMemory: boolean;
  /** Runs that it had are lost by then. Not called when it was closed. */
  readonly onGone: (reason: string) => void;
  /** Its runs have a mark from now on, and no cgroup. */
  readonly onLoosened: (reason: string) => void;
}

export class Link {
  readonly #settings: Settings;
  readonly #onGone: (reason: string) => void;
  readonly #onLoosened: (reason: string) => void;
  readonly #marks: string;
  readonly #isInMemory: boolean;
  readonly #child: ChildProcess;
  readonly #watch: Watch;
  readonly #left = Promise.withResolvers<void>();
  readonly #waiting: Started[] = [];
  readonly #runs = new Map<number, LiveRun>();
  /** The commands whose sessions may still have somebody in them, by run. */
  readonly #leaders = new Map<number, { readonly pid: number; isReaped: boolean }>();
  #phase: 'open' | 'closing' | 'gone' = 'open';
  #taken = 0;
  #made = 0;
  #asked = 0;
  #lastWords = '';

  constructor({ settings, marks, isInMemory, onGone, onLoosened }: LinkOptions) {
    this.#settings = settings;
    this.#onGone = onGone;
    this.#onLoosened = onLoosened;
    this.#marks = marks;
    this.#isInMemory = isInMemory;
    const options = [NO_DEBUGGER, `--max-old-space-size=${MAX_HEAP_MB}`, NO_WARNINGS];
    this.#child = spawn(process.execPath, [...options, ENTRY, JSON.stringify(settings)], {
      // A session of its own: Ctrl-C at the server's terminal is the server's to handle.
      detached: true,
      cwd: NOWHERE,
      env: { PATH: process.env['PATH'], [MARK_VARIABLE]: settings.mark },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#lastWords = (this.#lastWords + text).slice(-MAX_LAST_WORDS);
    });
    this.#watch = new Watch({
      ask: () => this.#tell({ do: 'answer' }),
      onSilent: () => this.#condemn(),
    });
    this.#child.on('message', (message) => isFromProcess(message) && this.#hear(message));
    this.#child.on('error', (error) => {
      this.#end(`Cannot start the runner process: ${wordsFor(error)}`);
      this.#left.resolve();
    });
    this.#child.on('exit', () => this.#left.resolve());
    // After 'disconnect' no message follows; after 'exit' some still may.
    this.#child.on('disconnect', () => {
      const words = this.#lastWords.trim();
      this.#end(words === '' ? 'The runner process died' : `The runner process died: ${words}`);
    });
  }

  start(started: Started): void {
    this.#waiting.push(started);
    this.#serve();
  }

  /** One that has not been asked for yet is asked for with its last size. */
  resize(run: LiveRun, size: TerminalSize): void {
    for (const [id, candidate] of this.#runs) if (candidate === run) this.#tell({ do: 'resize', id, size });
  }

  /** The run's session is ended, if the command was started at all. */
  endSession(run: LiveRun, graceMs: number): void {
    for (const [id, candidate] of this.#runs) {
      const isStarting = this.#watch.expects(`spawn ${id}`);
      if (candidate !== run || !(isStarting || this.#leaders.has(id))) continue;
      this.#tell({ do: 'end', id, graceMs });
      if (this.#phase === 'open') this.#watch.expect(`finish ${id}`, graceMs + FINISH_MS);
    }
  }

  /** Ends every run, then the process. */
  async close(): Promise<void> {
    if (this.#phase === 'open') {
      this.#phase = 'closing';
      this.#tell({ do: 'close' });
    }
    const { pid } = this.#child;
    const kill = setTimeout(
      () => pid !== undefined && errorOfKill(pid, 'SIGKILL'),
      this.#settings.closeGraceMs + LEAVE_MS,
    );
    await this.#left.promise;
    clearTimeout(kill);
    this.#end('The runner process was closed');
  }

  #tell(message: ToProcess): void {
    if (this.#phase !== 'gone' && this.#child.connected) this.#child.send(message, () => {});
  }

  #hear(message: FromProcess): void {
    if (this.#phase === 'gone') return;
    this.#watch.hear();
    switch (message.did) {
      case 'answer':
        return;
      case 'make':
        this.#watch.fulfil('make');
        this.#made += message.count;
        return this.#serve();
      case 'fail':
        this.#watch.fulfil('make');
        // None of them exist. The next command asks again.
        this.#asked = this.#made;
        return this.#refuse(message.reason);
      case 'spawn':
        this.#begun(message.id, message.pid);
        return this.#runs.get(message.id)?.started(message.pid !== undefined);
      case 'exit':
        return this.#exited(message);
      case 'lose':
        this.#watch.fulfil(`spawn ${message.id}`);
        this.#watch.fulfil(`finish ${message.id}`);
        return this.#runs.get(message.id)?.lose(message.reason);
      case 'refuse':
        this.#watch.fulfil(`spawn ${message.id}`);
        this.#watch.fulfil(`finish ${message.id}`);
        return this.#runs.get(message.id)?.refuse(message.reason);
      case 'finish':
        return this.#finished(message.id);
      case 'loosen':
        return this.#onLoosened(message.reason);
    }
  }

  #begun(id: number, pid: number | undefined): void {
    this.#watch.fulfil(`spawn ${id}`);
    if (pid !== undefined) this.#leaders.set(id, { pid, isReaped: false });
  }

  #exited({ id, pid, ending, isFinished }: Extract<FromProcess, { did: 'exit' }>): void {
    const run = this.#runs.get(id);
    if (pid !== undefined) this.#begun(id, pid);
    const leader = this.#leaders.get(id);
    if (leader !== undefined) leader.isReaped = true;
    if (isFinished) this.#finished(id);
    if (pid !== undefined && isFinished) run?.passed();
    else if (pid !== undefined) run?.started();
    run?.exited(ending);
  }

  #finished(id: number): void {
    this.#watch.fulfil(`finish ${id}`);
    this.#leaders.delete(id);
  }

  /** Gives sets of pipes to those who wait, and asks for more in time. */
  #serve(): void {
    while (this.#taken < this.#made) {
      const started = this.#waiting.shift();
      if (started === undefined) break;
      // One that was cancelled while it waited is started no more.
      if (started.run.isWaiting) this.#begin(started);
    }
    // One batch at a time, so that they are made in the order of their numbers.
    if (this.#asked > this.#made) return;
    const wanted = this.#taken + this.#waiting.length + LOW;
    if (this.#asked >= wanted) return;
    // Somebody may have removed it since the last batch.
    const refusal = this.#isInMemory ? claimDirectory(this.#marks) : claimPlace(this.#settings.directory);
    if (refusal !== undefined) return this.#refuse(refusal);
    try {
      keepMark(this.#marks, this.#settings);
    } catch (error) {
      return this.#refuse(`Cannot keep the mark of runs in ${this.#marks}: ${wordsFor(error)}`);
    }
    // By the mark that is kept it is found again, whatever happens now.
    const unclaimed = this.#isInMemory ? claimMemory(this.#settings.directory) : undefined;
    if (unclaimed !== undefined) return this.#refuse(unclaimed);
    const count = Math.ceil((wanted - this.#asked) / BATCH) * BATCH;
    this.#tell({ do: 'make', from: this.#asked, count });
    this.#watch.expect('make', START_MS);
    this.#asked += count;
  }

  #refuse(reason: string): void {
    for (const { run } of this.#waiting.splice(0)) run.refuse(reason);
  }

  #begin(started: Started): void {
    const { run, command, env, cwd, isSecondTry } = started;
    const { terminal } = run;
    const id = this.#taken++;
    const paths = pathsOf(this.#settings.directory, id);
    try {
      run.begin(openServerEnds(paths));
    } catch (error) {
      if (isSecondTry === undefined && !existsSync(paths[0])) {
        // So are the others that were made with it.
        this.#taken = this.#made;
        this.#waiting.unshift({ ...started, isSecondTry: true });
        return;
      }
      run.refuse(`Cannot open the command's pipes: ${wordsFor(error)}`);
      return;
    }
    this.#runs.set(id, run);
    void run.ended.then(() => {
      this.#runs.delete(id);
      unlinkPipes(paths);
    });
    this.#tell({ do: 'spawn', id, command, env, cwd, terminal });
    this.#watch.expect(`spawn ${id}`, START_MS);
  }

  /** Stopped and not dead: it will not end anything. */
  #condemn(): void {
    this.#end('The runner process did not answer and was killed');
  }

  #end(reason: string): void {
    if (this.#phase === 'gone') return;
    const wasClosing = this.#phase === 'closing';
    this.#phase = 'gone';
    this.#watch.close();
    if (!wasClosing) this.#child.kill('SIGKILL');
    // A process with the number of one that was reaped is a stranger's.
    const own = [...this.#leaders.values()].filter((it) => !it.isReaped || errorOfKill(it.pid, 0) === 'ESRCH');
    // What it had no time to tell of has its mark.
    killMarked(this.#settings, new Set(own.map(({ pid }) => pid)));
    removePlace(this.#settings.directory);
    void this.#left.promise.then(() => dropMark(this.#marks, this.#settings));
    for (const { run } of this.#waiting.splice(0)) run.refuse(reason);
    for (const run of this.#runs.values()) run.lose(reason);
    if (!wasClosing) this.#onGone(reason);
  }
}
