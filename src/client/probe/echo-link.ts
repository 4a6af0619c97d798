// An open connection of which every byte is to come back: sends one echo at a time and tells what became of it.

import { REAL_CLOCK, type Clock } from '../../net/dial.ts';
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
  readonly #clock: Clock;
  #sent: number;
  #received: number;
  #expected: Buffer = Buffer.alloc(0);
  #isSame = true;
  /** More came than was sent: it talks by itself (RFC 864), and nothing that comes is an echo any more. */
  #hasSaidMore = false;
  #ended: Ended | undefined;
  #settle: ((came: Came) => void) | undefined;
  #onProgress: (() => void) | undefined;

  constructor({ socket, rest }: Pick<EchoConnection, 'socket' | 'rest'>, clock: Clock = REAL_CLOCK) {
    this.#socket = socket;
    this.#clock = clock;
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

  /** It can still be used. */
  get isOpen(): boolean {
    return this.#ended === undefined && !this.#socket.destroyed;
  }

  /** Ours and theirs, while it is open. */
  get ports(): { readonly local: number; readonly remote: number } {
    return { local: this.#socket.localPort ?? 0, remote: this.#socket.remotePort ?? 0 };
  }

  /** What still comes of an echo that was late is skipped by counting. */
  async roundTrip(payload: Buffer, patience: Patience): Promise<RoundTrip> {
    const startedAt = this.#clock.now();
    const begins = this.#sent;
    const came = await this.#send(payload, patience, () => this.#socket.write(payload));
    const tookMs = roundMs(this.#clock.now() - startedAt);
    return { came, tookMs, received: Math.min(Math.max(this.#received - begins, 0), payload.length) };
  }

  /** Sends a last echo and our FIN in one, and waits for that echo and for the other side's FIN. */
  async finish(payload: Buffer, deadlineMs: number): Promise<Ending> {
    const endsAt = this.#clock.now() + deadlineMs;
    const came = await this.#send(payload, { deadlineMs }, () => this.#socket.end(payload));
    if (came === 'closed') return 'cuts';
    if (came === 'reset' || came === 'broken') return 'resets';
    if (came !== 'back') return 'silent';
    const ended = this.#ended ?? (await this.#await({ deadlineMs: endsAt - this.#clock.now() }));
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

  #await({ deadlineMs, quietMs }: Patience): Promise<Came> {
    const { promise, resolve } = Promise.withResolvers<Came>();
    let progress = 0;
    let cancelQuiet = () => {};
    // A program that stood still finds its time over before it has read what had come: that is read first.
    const lateUnless = (isInTime: () => boolean) => () =>
      void setImmediate(() => this.#settle === settle && !isInTime() && settle('late'));
    const beQuiet = () => {
      if (quietMs === undefined) return;
      const before = progress;
      cancelQuiet();
      cancelQuiet = this.#clock.after(
        quietMs,
        lateUnless(() => progress > before),
      );
    };
    const cancelDeadline = this.#clock.after(
      Math.max(0, deadlineMs),
      lateUnless(() => false),
    );
    const settle = (came: Came) => {
      cancelDeadline();
      cancelQuiet();
      this.#onProgress = undefined;
      this.#settle = undefined;
      resolve(came);
    };
    this.#onProgress = () => {
      progress++;
      beQuiet();
    };
    this.#settle = settle;
    beQuiet();
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
