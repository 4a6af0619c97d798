// Our own terminal, lent to a command elsewhere: what is typed goes there as it is, Ctrl-C too, and its size follows ours.
// However that ends, it is given back as it was.

import { spawnSync } from 'node:child_process';
import type { RunHandle } from '../../client/run.ts';
import type { WireSize } from '../../protocol/native/methods/run.ts';
import { ESCAPE_HELP, Escapes } from './escape.ts';
import { ScreenModes } from './screen-modes.ts';

/** Where nobody says how large it is: as the first terminals were. */
const USUAL_SIZE: WireSize = { columns: 80, rows: 24 };
/** Milliseconds for one call of the system, by a program that has to be started on a machine that may be busy. */
const STTY_TIMEOUT_MS = 2_000;

export class OwnTerminal {
  readonly #escapes = new Escapes();
  readonly #modes = new ScreenModes();
  readonly #left = Promise.withResolvers<void>();
  #handle: RunHandle | undefined;
  #isLent = false;
  #hasLeft = false;

  /** Settles when somebody types that it is to end from here. */
  get left(): Promise<void> {
    return this.#left.promise;
  }

  get hasLeft(): boolean {
    return this.#hasLeft;
  }

  get size(): WireSize {
    const stream = [process.stdout, process.stderr].find(({ columns, rows }) => columns > 0 && rows > 0);
    return stream === undefined ? USUAL_SIZE : { columns: stream.columns, rows: stream.rows };
  }

  /** The command is there. */
  lend(handle: RunHandle): void {
    if (this.#handle !== undefined) return;
    this.#handle = handle;
    process.stdout.on('resize', () => handle.resize(this.size));
    if (!process.stdin.isTTY) return;
    process.once('exit', this.#giveBack);
    process.on('SIGCONT', this.#goOn);
    this.#goOn();
  }

  /** What is typed is the command's; input that is no terminal's is passed on as it is. */
  typed(bytes: Uint8Array, write: (bytes: Uint8Array) => void): void {
    if (!process.stdin.isTTY) return write(bytes);
    for (const action of this.#escapes.push(bytes)) {
      switch (action.do) {
        case 'pass':
          write(action.bytes);
          break;
        case 'leave':
          this.#hasLeft = true;
          return this.#left.resolve();
        case 'suspend':
          this.#giveBack();
          process.kill(process.pid, 'SIGTSTP');
          break;
        case 'help':
          process.stderr.write(`\r\n${ESCAPE_HELP.join('\r\n')}\r\n`);
      }
    }
  }

  shown(bytes: Uint8Array): void {
    this.#modes.see(bytes);
  }

  /** `isWhole`: the command had its end, and has left the screen as it wanted to. */
  giveBack(isWhole: boolean): void {
    process.off('exit', this.#giveBack);
    process.off('SIGCONT', this.#goOn);
    this.#giveBack();
    const undo = isWhole ? '' : this.#modes.undo();
    if (undo !== '' && process.stdout.isTTY) process.stdout.write(undo);
  }

  /** Also when this program ends in the midst of it, whatever the reason. */
  readonly #giveBack = (): void => {
    if (this.#isLent) process.stdin.setRawMode(false);
    this.#isLent = false;
  };

  readonly #goOn = (): void => {
    // Whoever was stopped without a word has found a shell's modes again, of which Node knows nothing.
    if (this.#isLent) process.stdin.setRawMode(false);
    process.stdin.setRawMode(true);
    leaveOutputAlone();
    this.#isLent = true;
    this.#handle?.resize(this.size);
  };
}

/**
 * What Node calls raw still makes CR LF of each LF that is shown. The terminal there has done so already, unless somebody
 * there wants it otherwise. Where there is no stty that is what stays; the end of the raw mode takes back either.
 */
function leaveOutputAlone(): void {
  spawnSync('stty', ['-opost'], { stdio: ['inherit', 'ignore', 'ignore'], timeout: STTY_TIMEOUT_MS });
}
