// The server's end of one runner process: asks it for pipes and commands, tells the runs what became of them, and
// cleans up after it when it dies.

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { RunCommand } from '../core/ports.ts';
import { type FromProcess, isFromProcess, type Settings, type ToProcess } from './control.ts';
import { claimPlace } from './directory.ts';
import { wordsFor } from './errors.ts';
import type { LiveRun } from './live-run.ts';
import { errorOfKill, killSessions } from './members.ts';
import { openServerEnds, pathsOf, unlinkPipes } from './pipes.ts';

const ENTRY = fileURLToPath(new URL('./process.mjs', import.meta.url));
/** It holds a few hundred small objects; a bound keeps what is forked small. */
const MAX_HEAP_MB = 64;
/** Sets of pipes made by one mkfifo(1), which costs about as much as one command. */
const BATCH = 32;
/** Fewer unused sets than this, and the next batch is asked for: what starts while it is being made. */
const LOW = 16;
/** Of what a dying runner process said, the end that goes into the reason. */
const MAX_LAST_WORDS = 1_000;
/** Added to its grace: what a runner process may take to leave before it is killed. */
const LEAVE_MS = 700;

export interface Started {
  readonly run: LiveRun;
  readonly command: RunCommand;
  readonly env: Readonly<Record<string, string>>;
  /** The pipes that it was to have were gone; once is enough. */
  readonly isSecondTry?: true;
}

export interface LinkOptions {
  /** Of this link alone; made here and removed at its end. */
  readonly settings: Settings;
  /** Runs that it had are lost by then. Not called when it was closed. */
  readonly onGone: (reason: string) => void;
}

export class Link {
  readonly #settings: Settings;
  readonly #onGone: (reason: string) => void;
  readonly #child: ChildProcess;
  readonly #left = Promise.withResolvers<void>();
  readonly #waiting: Started[] = [];
  readonly #runs = new Map<number, LiveRun>();
  /** The commands whose sessions may still have somebody in them, by run. */
  readonly #leaders = new Map<number, number>();
  #phase: 'open' | 'closing' | 'gone' = 'open';
  #taken = 0;
  #made = 0;
  #asked = 0;
  #lastWords = '';

  constructor({ settings, onGone }: LinkOptions) {
    this.#settings = settings;
    this.#onGone = onGone;
    this.#child = spawn(process.execPath, [`--max-old-space-size=${MAX_HEAP_MB}`, ENTRY, JSON.stringify(settings)], {
      // A session of its own: Ctrl-C at the server's terminal is the server's to handle.
      detached: true,
      env: { PATH: process.env['PATH'] },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#lastWords = (this.#lastWords + text).slice(-MAX_LAST_WORDS);
    });
    this.#child.on('message', (message) => isFromProcess(message) && this.#hear(message));
    this.#child.on('error', (error) => {
      this.#end(`Cannot start the runner process: ${wordsFor(error)}`);
      this.#left.resolve();
    });
    this.#child.on('exit', () => this.#left.resolve());
    // After 'disconnect' no message follows; after 'exit' some still may.
    this.#child.on('disconnect', () => this.#end(`The runner process died. ${this.#lastWords}`.trim()));
  }

  start(started: Started): void {
    this.#waiting.push(started);
    this.#serve();
  }

  /** The run's session is ended, if the command was started at all. */
  endSession(run: LiveRun, graceMs: number): void {
    for (const [id, candidate] of this.#runs) {
      if (candidate === run) this.#tell({ do: 'end', id, graceMs });
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
    switch (message.did) {
      case 'make':
        this.#made += message.count;
        return this.#serve();
      case 'fail':
        // None of them exist. The next command asks again.
        this.#asked = this.#made;
        return this.#refuse(message.reason);
      case 'spawn':
        if (message.pid !== undefined) this.#leaders.set(message.id, message.pid);
        return this.#runs.get(message.id)?.started();
      case 'exit':
        return this.#runs.get(message.id)?.exited(message.ending);
      case 'lose':
        return this.#runs.get(message.id)?.lose(message.reason);
      case 'finish':
        this.#leaders.delete(message.id);
        return;
    }
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
    const refusal = claimPlace(this.#settings.directory);
    if (refusal !== undefined) return this.#refuse(refusal);
    const count = Math.ceil((wanted - this.#asked) / BATCH) * BATCH;
    this.#tell({ do: 'make', from: this.#asked, count });
    this.#asked += count;
  }

  #refuse(reason: string): void {
    for (const { run } of this.#waiting.splice(0)) run.lose(reason);
  }

  #begin(started: Started): void {
    const { run, command, env, isSecondTry } = started;
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
      run.lose(`Cannot open the command's pipes: ${wordsFor(error)}`);
      return;
    }
    this.#runs.set(id, run);
    void run.ended.then(() => {
      this.#runs.delete(id);
      unlinkPipes(paths);
    });
    this.#tell({ do: 'spawn', id, command, env });
  }

  #end(reason: string): void {
    if (this.#phase === 'gone') return;
    const wasClosing = this.#phase === 'closing';
    this.#phase = 'gone';
    if (!wasClosing) this.#child.kill('SIGKILL');
    killSessions(new Set(this.#leaders.values()));
    rmSync(this.#settings.directory, { recursive: true, force: true });
    for (const run of [...this.#waiting.splice(0).map(({ run }) => run), ...this.#runs.values()]) run.lose(reason);
    if (!wasClosing) this.#onGone(reason);
  }
}
