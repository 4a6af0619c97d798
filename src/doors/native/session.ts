// One native connection: who it has shown to be, and the runs it has started. When it is gone they are ended.

import type { Socket } from 'node:net';
import type { Run } from '../../core/ports.ts';
import type { Role } from '../../core/session.ts';
import type { Peer } from '../../net/peer.ts';
import { NativeLink, type LinkEvent } from '../../protocol/native/link.ts';
import { Pump } from '../../protocol/native/pump.ts';
import { answer, type Asker, type Nonces, type RunStreams } from './handlers.ts';
import type { House } from './house.ts';
import type { StreamRefusal } from './translate.ts';
import { WireRun } from './wire-run.ts';

/** Requests from a connection that has not shown who it is: a challenge, a proof, and a ping or two. */
const MAX_REQUESTS_WITHOUT_ROLE = 16;
/** Milliseconds for a goodbye to be fetched. */
const LINGER_MS = 5_000;
/** Milliseconds of silence before TCP asks whether the other end is still there: a run may be silent for hours. */
const KEEPALIVE_MS = 30_000;

export class NativeSession implements Asker {
  readonly peer: Peer;
  readonly house: House;
  role: Role = 'guest';
  challenge: Nonces | undefined;
  readonly #socket: Socket;
  readonly #link: NativeLink;
  readonly #pump: Pump;
  readonly #runs = new Map<number, WireRun>();
  readonly #runOfStream = new Map<number, WireRun>();
  readonly #onGone: () => void;
  #lastRun = 0;
  #requests = 0;
  #isClosing = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(socket: Socket, peer: Peer, { house, onGone }: { house: House; onGone: () => void }) {
    this.peer = peer;
    this.house = house;
    this.#socket = socket;
    this.#onGone = onGone;
    this.#link = new NativeLink('server', house.serverName);
    this.#pump = new Pump(socket, this.#link, {
      onEvent: (event) => this.#receive(event),
      onDrain: () => {
        for (const run of this.#runs.values()) run.update();
      },
      onClosed: () => this.#gone(),
    });
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEPALIVE_MS);
  }

  start(first: Uint8Array): void {
    const { roleTimeoutMs } = this.house;
    const why = `nobody showed who is there within ${roleTimeoutMs / 1_000} s`;
    this.#timer = setTimeout(() => this.#end(why), roleTimeoutMs);
    this.#pump.start(first);
  }

  becomeOwner(): void {
    this.role = 'owner';
    clearTimeout(this.#timer);
    this.#link.trust();
  }

  refusalToRun(streams: readonly number[]): StreamRefusal | undefined {
    return this.#isClosing ? 'closing' : this.#link.connection.refusalToAccept(streams);
  }

  add(run: Run, streams: RunStreams): number {
    const id = ++this.#lastRun;
    const { connection } = this.#link;
    const onEnded = () => this.#forget(wireRun);
    const wireRun = new WireRun({ id, run, streams, connection, pump: this.#pump, onEnded });
    this.#runs.set(id, wireRun);
    for (const stream of wireRun.streams) this.#runOfStream.set(stream, wireRun);
    return id;
  }

  /** False: there is no such run. */
  cancel(id: number): boolean {
    const run = this.#runs.get(id);
    run?.cancel();
    return run !== undefined;
  }

  /** Ends the runs, tells how they ended, says goodbye. */
  close(): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    for (const run of this.#runs.values()) run.cancel(CLOSING_REASON);
    if (this.#runs.size === 0) this.#end(CLOSING_REASON);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #receive(event: LinkEvent): void {
    switch (event.type) {
      case 'request':
        return this.#answer(event);
      case 'data':
      case 'end':
      case 'drain':
      case 'reset':
      case 'finished':
        return this.#runOfStream.get(event.stream)?.receive(event);
      case 'failed':
        this.house.log.warn('native connection broke the rules', { ...this.#where, reason: event.reason });
        return this.#end(event.reason);
      case 'unusable':
        return this.#end(event.reason);
      case 'ended':
        return this.#end('the client has closed');
      case 'opened':
      // Nothing is asked of a client yet, and none of its notifications means anything.
      case 'notification':
      case 'answer':
      case 'refusal':
    }
  }

  #answer({ id, method, params }: Extract<LinkEvent, { type: 'request' }>): void {
    const { connection } = this.#link;
    if (this.role === 'guest' && ++this.#requests > MAX_REQUESTS_WITHOUT_ROLE) {
      return this.#end(`more than ${MAX_REQUESTS_WITHOUT_ROLE} requests without showing who asks`);
    }
    const reply = answer(this, method, params);
    if ('result' in reply) return connection.respond(id, reply.result);
    connection.refuse(id, reply.error);
    if (reply.error.data?.code === 'wrong-proof') this.#end(reply.error.message);
  }

  get #where() {
    return { address: this.peer.address, port: this.peer.port };
  }

  #forget(run: WireRun): void {
    this.#runs.delete(run.id);
    for (const [stream, owner] of this.#runOfStream) if (owner === run) this.#runOfStream.delete(stream);
    if (this.#isClosing && this.#runs.size === 0) this.#end(CLOSING_REASON);
  }

  /** Says why, if that is still to be said, and closes; whoever does not fetch it is cut. */
  #end(reason: string): void {
    this.#isClosing = true;
    this.#abandonAll();
    this.#link.connection.close(reason);
    this.#pump.close();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#socket.destroy(), LINGER_MS);
  }

  #gone(): void {
    this.#isClosing = true;
    clearTimeout(this.#timer);
    this.#abandonAll();
    this.#onGone();
  }

  #abandonAll(): void {
    for (const run of this.#runs.values()) run.abandon();
  }
}

const CLOSING_REASON = 'the server is closing';
