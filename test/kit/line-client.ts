// A line client whose lines a test takes as they come: over a socket, or as the real `nc`.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Readable, Writable } from 'node:stream';

/** Milliseconds for a connection to end that both sides have ended; beyond it the test has failed. */
const PATIENCE_MS = 30_000;

export type Carrier = 'nc' | 'socket';

export interface LineClientOptions {
  /** `nc` asks for `needs(t, ['nc'])`. */
  readonly carrier: Carrier;
  readonly host: string;
  readonly port: number;
  readonly onLine: (line: string) => void;
}

interface Ends {
  readonly input: Writable;
  readonly output: Readable;
  /** When nothing more comes. */
  readonly closed: Promise<unknown>;
  readonly cut: () => void;
}

export class LineClient {
  readonly #ends: Ends;

  constructor({ carrier, host, port, onLine }: LineClientOptions) {
    this.#ends = carrier === 'nc' ? throughNc(host, port) : throughSocket(host, port);
    const { input, output } = this.#ends;
    // The server is killed under it.
    input.on('error', () => {});
    let rest = '';
    output.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) onLine(line);
    });
  }

  type(line: string): void {
    this.#ends.input.write(`${line}\n`);
  }

  /** In order if the server is there; either way everything that came has been told then. */
  async leave(): Promise<void> {
    const { input, closed, cut } = this.#ends;
    input.end('quit\n');
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      cut();
    }, PATIENCE_MS);
    await closed;
    clearTimeout(timer);
    if (isLate) throw new Error('the connection did not end');
  }

  destroy(): void {
    this.#ends.cut();
  }
}

function throughSocket(host: string, port: number): Ends {
  const socket = connect({ host, port, allowHalfOpen: true, noDelay: true });
  const closed = new Promise((resolve) => socket.once('close', resolve));
  return { input: socket, output: socket, closed, cut: () => socket.destroy() };
}

function throughNc(host: string, port: number): Ends {
  const child = spawn('nc', [host, String(port)], { stdio: ['pipe', 'pipe', 'ignore'] });
  return { input: child.stdin, output: child.stdout, closed: once(child, 'close'), cut: () => child.kill('SIGKILL') };
}
