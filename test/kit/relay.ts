// What carries the bytes between two programs, and can fall silent after so many of them: then whoever is to be killed is
// killed at that very point of what they say to each other, and nothing depends on how fast anybody is.

import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export type Speaker = 'client' | 'server';
const SPEAKERS = ['client', 'server'] as const;

/** What the speaker says after so many bytes is not passed on any more. */
export interface Stop {
  readonly speaker: Speaker;
  readonly afterBytes: number;
}

export interface RelayOptions {
  /** What is said is passed on so many milliseconds later, either way, as over a long line. */
  readonly lateByMs?: number;
}

export interface Relay extends AsyncDisposable {
  readonly port: number;
  /** The next connection, before it is there. */
  next(stop?: Stop): Carried;
}

/** A connection, from one end to the other. */
export class Carried {
  readonly #reached = Promise.withResolvers<boolean>();
  readonly #over = Promise.withResolvers<void>();
  /** Bytes so far. */
  readonly said = { client: 0, server: 0 };
  /** The point was reached; false: the connection was over before. */
  readonly reached = this.#reached.promise;
  readonly over = this.#over.promise;
  /** When the client spoke, each time that it had heard something since; milliseconds of the epoch. */
  readonly turns: number[] = [];
  #hasHeard = true;
  #stop: Stop | undefined;
  #ends: Readonly<Record<Speaker, Socket>> | undefined;

  constructor(stop?: Stop) {
    this.#stop = stop;
    if (stop?.afterBytes === 0) this.#reached.resolve(true);
  }

  /** From here on: after so many bytes more. */
  stopAfter(speaker: Speaker, moreBytes: number): void {
    this.#stop = { speaker, afterBytes: this.said[speaker] + moreBytes };
    if (moreBytes === 0) this.#reached.resolve(true);
  }

  /** Neither hears anything more of the other. */
  cut(): void {
    for (const speaker of SPEAKERS) this.#ends?.[speaker].destroy();
  }

  carry(ends: Readonly<Record<Speaker, Socket>>, { lateByMs = 0 }: RelayOptions = {}): void {
    this.#ends = ends;
    const later = (then: () => void) => void (lateByMs === 0 ? then() : setTimeout(then, lateByMs));
    const open = new Set<Speaker>(SPEAKERS);
    for (const speaker of SPEAKERS) {
      const from = ends[speaker];
      const to = ends[speaker === 'client' ? 'server' : 'client'];
      from.setNoDelay(true);
      from.on('data', (chunk: Buffer) => {
        const passed = this.#pass(speaker, chunk);
        if (speaker === 'client') this.#take();
        if (passed.length === 0) return;
        later(() => {
          if (speaker === 'server') this.#hasHeard = true;
          if (to.write(passed)) return;
          from.pause();
          to.once('drain', () => from.resume());
        });
      });
      from.on('end', () => later(() => to.end()));
      from.on('error', () => {});
      from.on('close', () => {
        open.delete(speaker);
        later(() => to.destroySoon());
        if (open.size > 0) return;
        this.#reached.resolve(false);
        this.#over.resolve();
      });
    }
  }

  #take(): void {
    if (this.#hasHeard) this.turns.push(performance.timeOrigin + performance.now());
    this.#hasHeard = false;
  }

  /** What comes behind the point is read and dropped: whoever is not read would not be heard to be gone. */
  #pass(speaker: Speaker, chunk: Buffer): Buffer {
    const room = this.#stop?.speaker === speaker ? this.#stop.afterBytes - this.said[speaker] : Infinity;
    this.said[speaker] += chunk.length;
    if (chunk.length >= room) this.#reached.resolve(true);
    return chunk.subarray(0, Math.max(0, room));
  }
}

export async function aRelay(host: string, toPort: number, options: RelayOptions = {}): Promise<Relay> {
  const sockets = new Set<Socket>();
  let awaited: Carried | undefined;
  const listener = createServer({ allowHalfOpen: true }, (client) => {
    const server = connect({ host, port: toPort, allowHalfOpen: true });
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    }
    (awaited ?? new Carried()).carry({ client, server }, options);
    awaited = undefined;
  }).listen(0, host);
  await once(listener, 'listening');
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a TCP server that listens has such an address
  const { port } = listener.address() as AddressInfo;
  return {
    port,
    next: (stop) => (awaited = new Carried(stop)),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      listener.close();
      await once(listener, 'close');
    },
  };
}
