// One native connection: who it has shown to be, what it asks, and the runs it has started. When it is gone they are
// ended.

import type { Run, TerminalSize } from '../../core/ports.ts';
import type { Name } from '../../core/name.ts';
import { Gatherings } from '../../core/run/gatherings.ts';
import { endedBy, HAS_GONE, SERVER_CLOSED } from '../../core/run/why.ts';
import type { Member, Role } from '../../core/session.ts';
import type { Peer } from '../../net/peer.ts';
import { countRead } from '../../net/scavenge.ts';
import type { Frame } from '../../protocol/native/frame.ts';
import { NativeLink, type Framing, type LinkEvent } from '../../protocol/native/link.ts';
import { chatAck } from '../../protocol/native/methods/chat.ts';
import { Pump, type Carrier } from '../../protocol/native/pump.ts';
import type { RpcError } from '../../protocol/native/rpc.ts';
import type { ServedStreams } from '../../relay/served-run.ts';
import { Ear, type Wire } from './ear.ts';
import type { Asker, Nonces, Reply } from './entry.ts';
import { entryFor, HANDLERS } from './handlers.ts';
import type { House } from './house.ts';
import { LINGER_MS, MACHINE_CLOSE_MS, MAX_ATTEMPTS, MAX_REQUESTS_WITHOUT_ROLE } from './limits.ts';
import { isFromMachine, MachineLink } from './machine-link.ts';
import type { NativeOutlet } from './outlet.ts';
import { SessionRuns } from './runs.ts';
import { Slowing } from './slowing.ts';
import { refusal, type StreamRefusal } from './translate.ts';

/** What carries a connection: a socket, or a WebSocket made to look like one. */
export interface Transport {
  readonly carrier: Carrier & { destroy(): unknown };
  readonly framing: Framing;
}

export interface NativeRoom {
  readonly house: House;
  readonly outlet: NativeOutlet;
  gone(session: NativeSession): void;
}

type Request = Extract<LinkEvent, { type: 'request' }>;

/** `finishing`: takes nothing more; what is under way goes on. `over`: has said goodbye. */
type Phase = 'open' | 'finishing' | 'over';

export class NativeSession implements Asker, Wire {
  readonly peer: Peer;
  readonly house: House;
  readonly ear: Ear;
  challenge: Nonces | undefined;
  readonly gatherings = new Gatherings();
  readonly #room: NativeRoom;
  readonly #carrier: Transport['carrier'];
  readonly #link: NativeLink;
  readonly #pump: Pump;
  readonly #slowing: Slowing | undefined;
  readonly #runs: SessionRuns;
  /** It is a joined machine's. */
  #machine: MachineLink | undefined;
  #phase: Phase = 'open';
  #finishReason = '';
  #requests = 0;
  #attempts = 0;
  /** Requests that are taken and not answered. */
  #owed = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor({ carrier, framing }: Transport, peer: Peer, room: NativeRoom) {
    const { house, outlet } = room;
    this.peer = peer;
    this.house = house;
    this.#room = room;
    this.#carrier = carrier;
    this.ear = new Ear(this, { house, outlet });
    this.#link = new NativeLink('server', { serverName: house.hub.serverName, framing });
    this.#pump = new Pump(carrier, this.#link, {
      onEvent: (event) => this.#receive(event),
      onDrain: () => {
        this.#runs.update();
        this.#machine?.runner.update();
        this.ear.goOn();
      },
      onClosed: () => this.#gone(),
      onRead: countRead,
    });
    const { connection } = this.#link;
    this.#runs = new SessionRuns({ connection, pump: this.#pump, onEnded: () => this.#finishIfDone() });
    const { rate, clock } = house;
    this.#slowing = rate === undefined || peer.isLoopback ? undefined : new Slowing({ rate, clock, pump: this.#pump });
  }

  start(first?: Uint8Array): void {
    const { roleTimeoutMs } = this.house;
    const why = `nobody showed who is there within ${roleTimeoutMs / 1_000} s`;
    this.#timer = setTimeout(() => this.end(why), roleTimeoutMs);
    this.#pump.start(first);
  }

  // ── who asks ──

  get role(): Role | 'nobody' {
    return this.ear.session?.role ?? 'nobody';
  }

  comeIn(): boolean {
    if (this.#phase !== 'open') {
      this.ear.leave();
      return false;
    }
    clearTimeout(this.#timer);
    this.#link.trust();
    return true;
  }

  becomeMachine(member: Member, labels: ReadonlyMap<string, string>): (() => void) | undefined {
    if (!this.comeIn()) return undefined;
    const pump = this.#pump;
    this.#machine = new MachineLink({
      member,
      labels,
      peer: this.peer,
      house: this.house,
      far: {
        connection: this.#link.connection,
        get isBacklogged() {
          return pump.isBacklogged;
        },
        // A start and the end of its input, say, are one write here and one read there.
        settle: () => this.#room.outlet.wake(this),
      },
      onIdle: () => this.#finishIfDone(),
      end: (reason) => this.end(reason),
      cut: () => this.destroy(),
    });
    return () => this.#machine?.begin();
  }

  fail(error: RpcError, event: string, { isLast = false } = {}): ReturnType<Asker['fail']> {
    this.house.log.warn(event, this.#where);
    return ++this.#attempts < MAX_ATTEMPTS && !isLast ? { error } : { error, after: () => this.end(error.message) };
  }

  // ── runs ──

  refusalToRun(streams: readonly number[]): StreamRefusal | undefined {
    return this.#phase === 'open' ? this.#link.connection.refusalToAccept(streams) : 'closing';
  }

  add(run: Run, streams: ServedStreams): number {
    return this.#runs.add(run, streams);
  }

  abandon(id: number): void {
    this.#runs.abandon(id);
  }

  cancel(id: number, by: Name): boolean {
    return this.#runs.cancel(id, endedBy(by));
  }

  resize(id: number, size: TerminalSize): boolean {
    return this.#runs.resize(id, size);
  }

  // ── what it hears ──

  get waitingBytes(): number {
    return this.#pump.waitingBytes;
  }

  get isOver(): boolean {
    return this.#phase === 'over';
  }

  notify(method: string, params: object): void {
    this.#link.connection.notify(method, params);
    this.#room.outlet.wake(this);
  }

  share(frame: Frame): void {
    this.#link.connection.share(frame);
    this.#room.outlet.wake(this);
  }

  settle(): void {
    this.#pump.settle();
  }

  // ── what it asks ──

  #receive(event: LinkEvent): void {
    if (this.#machine !== undefined && isFromMachine(event)) return this.#machine.receive(event);
    switch (event.type) {
      case 'request':
        return this.#take(event);
      case 'notification':
        // The only one that means anything; what is wrong with it nobody would hear.
        if (event.method === chatAck.name && this.role !== 'nobody' && this.#phase === 'open') {
          void HANDLERS['chat.ack'].answer(this, event.params);
        }
        return undefined;
      case 'data':
      case 'end':
      case 'drain':
      case 'reset':
      case 'finished':
        return this.#runs.receive(event);
      case 'failed':
        this.house.log.warn('native connection broke the rules', { ...this.#where, reason: event.reason });
        return this.end(event.reason);
      case 'unusable':
        return this.end(event.reason);
      case 'ended':
        this.#abandonAll();
        return this.#owed === 0 ? this.end('the client has closed') : this.#finish('the client has closed');
      case 'opened':
      // Nothing is asked of a client yet.
      case 'answer':
      case 'refusal':
    }
  }

  #take(request: Request): void {
    // Read and not looked at yet when the connection went: nobody is there to be answered, or to own anything.
    if (this.#phase === 'over') return undefined;
    if (this.#machine !== undefined) {
      const why = 'Cannot do anything for a machine: it is asked, and asks nothing';
      return this.#link.connection.refuse(request.id, refusal('not-allowed', why));
    }
    if (this.role === 'nobody' && ++this.#requests > MAX_REQUESTS_WITHOUT_ROLE) {
      return this.end(`more than ${MAX_REQUESTS_WITHOUT_ROLE} requests without showing who asks`);
    }
    this.#answer(request);
    this.#slowing?.asked();
  }

  #answer({ id, method, params }: Request): void {
    const found = entryFor(this, method);
    if ('error' in found) return this.#reply(id, found);
    const reply = found.answer(this, params);
    if (!(reply instanceof Promise)) return this.#reply(id, reply);
    this.#owed++;
    const release = found.holds ? this.#pump.hold() : undefined;
    void reply.then((settled) => {
      this.#owed--;
      this.#reply(id, settled);
      this.#room.outlet.wake(this);
      release?.();
      this.#finishIfDone();
    });
    return undefined;
  }

  #reply(id: Request['id'], reply: Reply): void {
    const { connection } = this.#link;
    if ('error' in reply) {
      connection.refuse(id, reply.error);
      if (reply.error.data?.code === 'wrong-proof') this.end(reply.error.message);
    } else connection.respond(id, reply.result);
    reply.after?.();
  }

  // ── the end ──

  /** Ends the runs, answers what was asked, says goodbye. What runs on a machine is ended by those who have asked for it. */
  close(): void {
    if (this.#machine !== undefined && this.#phase === 'open') {
      this.#machine.close(CLOSING_REASON);
      this.#timer = setTimeout(() => this.end(CLOSING_REASON), MACHINE_CLOSE_MS);
    }
    this.#runs.cancelAll(SERVER_CLOSED, CLOSING_REASON);
    this.house.approvals.leave(this);
    this.ear.held.releaseAll();
    this.#finish(CLOSING_REASON);
  }

  destroy(): void {
    this.#carrier.destroy();
  }

  #finish(reason: string): void {
    if (this.#phase !== 'open') return;
    this.#phase = 'finishing';
    this.#finishReason = reason;
    this.#finishIfDone();
  }

  #finishIfDone(): void {
    const isDone = this.#runs.size === 0 && this.#owed === 0 && this.#machine?.runner.isIdle !== false;
    if (this.#phase === 'finishing' && isDone) this.end(this.#finishReason);
  }

  /** Says why, if that is still to be said, and closes; whoever does not fetch it is cut. */
  end(reason: string, why = HAS_GONE): void {
    if (this.#phase === 'over') return;
    this.#leave(why);
    this.#link.connection.close(reason);
    this.#pump.close();
    this.#timer = setTimeout(() => this.#carrier.destroy(), LINGER_MS);
  }

  #gone(): void {
    this.#leave();
    this.#room.gone(this);
  }

  #leave(why = HAS_GONE): void {
    this.#phase = 'over';
    clearTimeout(this.#timer);
    this.#slowing?.stop();
    this.#abandonAll(why);
    this.#machine?.leave();
    this.#machine = undefined;
    this.ear.leave();
  }

  #abandonAll(why = HAS_GONE): void {
    this.house.approvals.leave(this);
    this.#runs.abandonAll(why);
  }

  get #where() {
    return { address: this.peer.address, port: this.peer.port };
  }
}

const CLOSING_REASON = 'the server is closing';
