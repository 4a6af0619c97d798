// An open connection of which every byte is to come back: sends one echo at a time and tells what became of it.

import { performance } from 'node:perf_hooks';
import type { EchoConnection } from '../echo.ts';
import { roundMs } from '../stats.ts';
import type { Came, Ended, Ending } from './facts.ts';

export interface RoundTrip {
  readonly came: Came;
  readonly tookMs: number;
  /** Bytes of this echo that have come back. */
  readonly received: number;
}

export interface Patience {
  /** Milliseconds for all of it. */
  readonly deadlineMs: number;
  /** Milliseconds in which nothing of it came; without it only the deadline counts. */
  readonly quietMs?: number;
}

export class EchoLink {
  readonly #socket: EchoConnection['socket'];
  #sent: number;
  #received: number;
  #expected: Buffer = Buffer.alloc(0);
  #isSame = true;
  /** More came than was sent: it talks by itself (RFC 864), and nothing that comes is an echo any more. */
  #hasSaidMore = false;
  #ended: Ended | undefined;
  #settle: ((came: Came) => void) | undefined;
  #onProgress: (() => void) | undefined;

  constructor({ socket, rest }: Pick<EchoConnection, 'socket' | 'rest'>) {
    this.#socket = socket;
    // Bytes that were there before anything was sent are not an echo of it.
    this.#sent = rest.length;
    this.#received = rest.length;
    socket
      .on('data', (chunk: Buffer) => this.#push(chunk))
      .on('end', () => this.#over('closed'))
      .on('error', (error) => this.#over('code' in error && error.code === 'ECONNRESET' ? 'reset' : 'broken'))
      .on('close', () => this.#over('broken'))
      .resume();
  }

  /** The other side has ended it, so that nothing more comes back. */
  get ended(): Ended | undefined {
    return this.#ended;
  }

  /** Ours and theirs, while it is open. */
  get ports(): { readonly local: number; readonly remote: number } {
    return { local: this.#socket.localPort ?? 0, remote: this.#socket.remotePort ?? 0 };
  }

  /** What still comes of an echo that was late is skipped by counting. */
  async roundTrip(payload: Buffer, patience: Patience): Promise<RoundTrip> {
    const startedAt = performance.now();
    const begins = this.#sent;
    const came = await this.#send(payload, patience, () => this.#socket.write(payload));
    const tookMs = roundMs(performance.now() - startedAt);
    return { came, tookMs, received: Math.min(Math.max(this.#received - begins, 0), payload.length) };
  }

  /** Sends a last echo and our FIN in one, and waits for that echo and for the other side's FIN. */
  async finish(payload: Buffer, deadlineMs: number): Promise<Ending> {
    const endsAt = performance.now() + deadlineMs;
    const came = await this.#send(payload, { deadlineMs }, () => this.#socket.end(payload));
    if (came === 'closed') return 'cuts';
    if (came === 'reset' || came === 'broken') return 'resets';
    if (came !== 'back') return 'silent';
    const ended = this.#ended ?? (await this.#await({ deadlineMs: endsAt - performance.now() }));
    return ended === 'late' ? 'stays-open' : ended === 'closed' ? 'answers' : 'resets';
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #send(payload: Buffer, patience: Patience, write: () => void): Promise<Came> {
    if (this.#ended !== undefined) return Promise.resolve(this.#ended);
    this.#expected = payload;
    this.#isSame = !this.#hasSaidMore;
    this.#sent += payload.length;
    const came = this.#await(patience);
    write();
    return came;
  }

  #await({ deadlineMs, quietMs = deadlineMs }: Patience): Promise<Came> {
    const { promise, resolve } = Promise.withResolvers<Came>();
    // A program that stood still finds its timers due before it has read what had come: that is read first.
    const late = () => void setImmediate(() => this.#settle === settle && settle('late'));
    const deadline = setTimeout(late, Math.max(0, deadlineMs));
    const quiet = setTimeout(late, Math.max(0, quietMs));
    this.#onProgress = () => void quiet.refresh();
    const settle = (came: Came) => {
      clearTimeout(deadline);
      clearTimeout(quiet);
      this.#onProgress = undefined;
      this.#settle = undefined;
      resolve(came);
    };
    this.#settle = settle;
    return promise;
  }

  #push(chunk: Buffer): void {
    const begins = this.#sent - this.#expected.length;
    const from = Math.max(begins - this.#received, 0);
    const at = this.#received + from - begins;
    const mine = chunk.subarray(from, from + this.#expected.length - at);
    if (!mine.equals(this.#expected.subarray(at, at + mine.length))) this.#isSame = false;
    this.#received += chunk.length;
    if (this.#received > this.#sent) this.#hasSaidMore = true;
    if (this.#hasSaidMore) this.#isSame = false;
    if (mine.length > 0) this.#onProgress?.();
    if (this.#received >= this.#sent) this.#settle?.(this.#isSame ? 'back' : 'changed');
  }

  #over(how: Ended): void {
    this.#ended ??= how;
    this.#settle?.(this.#ended);
  }
}
