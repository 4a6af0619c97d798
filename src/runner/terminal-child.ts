// A command in a terminal, at the runner process's end: it is the process of the terminal (terminal.ts) that is started,
// held and ended like any command; how the command in it ended that process tells.

import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { TerminalSize } from '../core/ports.ts';
import type { Ending } from '../core/run/result.ts';
import { MARK_VARIABLE, NO_DEBUGGER } from './control.ts';
import type { Three } from './pipes.ts';
import { isFromTerminal, type TerminalStart, type ToTerminal } from './terminal-control.ts';

const ENTRY = fileURLToPath(new URL('./terminal.mjs', import.meta.url));
/** It holds a few buffers. */
const MAX_HEAP_MB = 32;

type Ended = Ending | { readonly reason: string };

interface How {
  /** Of the run. */
  readonly mark: string;
  readonly cwd?: string;
}

export class Terminal {
  readonly child: ChildProcess;
  #ended: Ended | undefined;
  #tell: ((ended: Ended) => void) | undefined;

  /**
   * All that the command writes is its terminal's, and comes on the second of the pipes. The process has an environment of
   * its own: what somebody passed on to the command is that alone, for where commands run as another user it is root's.
   */
  static start(start: TerminalStart, { mark, ...how }: How, [stdin, stdout]: Three<number>): Terminal {
    const child = spawn(process.execPath, [NO_DEBUGGER, `--max-old-space-size=${MAX_HEAP_MB}`, ENTRY], {
      ...how,
      detached: true,
      env: { [MARK_VARIABLE]: mark },
      stdio: [stdin, stdout, 'ignore', 'ipc'],
    });
    return new Terminal(child, start);
  }

  private constructor(child: ChildProcess, start: TerminalStart) {
    this.child = child;
    child.on('message', (message) => {
      if (isFromTerminal(message)) this.#end(message.did === 'exit' ? message.ending : { reason: message.reason });
    });
    // After it no message follows; after 'exit' some still may.
    child.on('disconnect', () => this.#end({ reason: 'The terminal of the command was lost' }));
    if (child.pid !== undefined) this.#send({ do: 'start', ...start });
  }

  /** Called once. */
  onEnded(tell: (ended: Ended) => void): void {
    this.#tell = tell;
    if (this.#ended !== undefined) tell(this.#ended);
  }

  resize(size: TerminalSize): void {
    this.#send({ do: 'resize', size });
  }

  #send(message: ToTerminal): void {
    if (this.child.connected) this.child.send(message, () => {});
  }

  #end(ended: Ended): void {
    if (this.#ended !== undefined) return;
    this.#ended = ended;
    this.#tell?.(ended);
  }
}
