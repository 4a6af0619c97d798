// One connection that speaks the line protocol: from the name prompt to the last byte. It is the session's ear and the
// fan-out's lane at once, and holds no more than it must: ten thousand of them may be idle.

import type { Socket } from 'node:net';
import type { Said } from '../../core/event.ts';
import { TokenBucket } from '../../core/rate.ts';
import { refusalToRun } from '../../core/run/policy.ts';
import type { Listener, Session } from '../../core/session.ts';
import type { Peer } from '../../net/peer.ts';
import { isRequestLine } from '../../protocol/detect.ts';
import { LineDecoder, type LineInput } from '../../protocol/line/decoder.ts';
import { formatError, formatHelp, formatList, formatWelcome, PROMPT } from '../../protocol/line/reply.ts';
import { parseRequest, type LineRequest } from '../../protocol/line/request.ts';
import { announceCommand } from '../announce.ts';
import type { Lane } from './fanout.ts';
import type { LineRoom } from './room.ts';
import { LineRun } from './run.ts';
import { wordsForEntering, wordsForMalformed, wordsForMisuse, wordsForRunning, wordsForSending } from './translate.ts';

/** Until the journal can feed a slow reader, one with more than this waiting is closed. InspIRCd allows 1 MiB. */
export const MAX_OUTBOX_BYTES = 8_388_608;
/** With so much waiting for it, a connection is read no further, and its runs neither. */
const BEHIND_BYTES = 262_144;
/** Commands that one session may have running at once. */
const MAX_RUNS = 16;
/** How long a connection that was told to end may take to read what is left and to close its side. */
const LINGER_MS = 10_000;

type Phase = 'naming' | 'present' | 'finishing' | 'ended';

export class LineConnection implements Lane, Listener {
  readonly socket: Socket;
  readonly peer: Peer;
  own: string | undefined = undefined;
  isListening = false;
  readonly #room: LineRoom;
  readonly #decoder = new LineDecoder();
  readonly #bucket: TokenBucket | undefined;
  #phase: Phase = 'naming';
  #session: Session | undefined;
  /** Lines that wait until what they are answered with can be written; undefined when none does. */
  #waiting: LineInput[] | undefined;
  #isHeldBack = false;
  #sawEnd = false;
  #runs: Set<LineRun> | undefined;

  constructor(socket: Socket, peer: Peer, room: LineRoom) {
    this.socket = socket;
    this.peer = peer;
    this.#room = room;
    this.#bucket = peer.isLoopback || room.rate === undefined ? undefined : new TokenBucket(room.rate, room.now());
    socket.on('data', (chunk: Buffer) => this.#take(this.#decoder.receive(chunk)));
    socket.on('end', () => this.receiveEnd());
    socket.on('drain', () => this.#goOn());
    // What broke is said by the close that follows.
    socket.on('error', () => {});
    socket.on('close', () => this.#ended());
  }

  get isBehind(): boolean {
    return this.socket.writableLength + (this.own?.length ?? 0) > BEHIND_BYTES;
  }

  /** Begins with what has already been read of the connection. */
  open(first: Uint8Array): void {
    this.#take(this.#decoder.receive(first));
    if (this.socket.readableEnded) this.receiveEnd();
    else if (this.#waiting === undefined && !this.#isHeldBack) this.socket.resume();
  }

  /** The peer will say no more; what it has said is still answered. Idempotent. */
  receiveEnd(): void {
    if (this.#sawEnd) return;
    this.#sawEnd = true;
    this.#take(this.#decoder.receiveEnd());
  }

  deliver(said: Said): void {
    this.tell(this.#room.wordsFor(said));
  }

  tell(text: string): void {
    if (this.#phase !== 'ended') this.#room.fanout.tell(this, text);
  }

  written(): void {
    if (this.socket.writableLength > MAX_OUTBOX_BYTES && this.#phase === 'present') return this.#closeSlow();
    if (!this.isBehind) this.#goOn();
    this.#finishIfDone();
  }

  /** Says a last line and ends in an orderly way. */
  close(reason: string): void {
    if (this.#phase === 'finishing' || this.#phase === 'ended') return;
    this.tell(reason);
    for (const run of this.#runs ?? []) run.cancel();
    this.#finish();
  }

  #take(inputs: LineInput[]): void {
    if (this.#waiting !== undefined) this.#waiting.push(...inputs);
    else this.#handleAll(inputs);
  }

  /** Handles lines until all are done or too much waits to be written; then the rest waits, and nothing is read. */
  #handleAll(inputs: LineInput[]): void {
    for (let at = 0; at < inputs.length; at++) {
      if (this.isBehind) {
        this.#waiting = inputs.slice(at);
        this.socket.pause();
        return;
      }
      const input = inputs[at];
      if (input !== undefined) this.#handle(input);
    }
    if (this.#bucket !== undefined && inputs.length > 0) this.#holdBack(this.#bucket, inputs.length);
    if (this.#sawEnd) this.#finish();
  }

  #goOn(): void {
    for (const run of this.#runs ?? []) run.resume();
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    this.#waiting = undefined;
    if (!this.#isHeldBack) this.socket.resume();
    this.#handleAll(waiting);
  }

  /** Slows a sender over its rate by not reading it; nothing it said is lost. */
  #holdBack(bucket: TokenBucket, lines: number): void {
    const waitMs = bucket.take(lines, this.#room.now());
    if (waitMs === 0 || this.#isHeldBack) return;
    this.#isHeldBack = true;
    this.socket.pause();
    setTimeout(() => {
      this.#isHeldBack = false;
      if (this.#waiting === undefined) this.socket.resume();
    }, waitMs);
  }

  #handle(input: LineInput): void {
    if (this.#phase === 'finishing' || this.#phase === 'ended') return;
    if (typeof input !== 'string') {
      this.tell(formatError(wordsForMalformed(input)));
      if (this.#session === undefined) this.tell(PROMPT);
    } else if (this.#session === undefined) this.#nameOrLogin(input);
    else this.#carryOut(parseRequest(input), this.#session);
  }

  #nameOrLogin(line: string): void {
    if (isRequestLine(line)) {
      this.#finish();
      return;
    }
    const entrance = { listener: this, outlet: this.#room, isLoopback: this.peer.isLoopback };
    const request = parseRequest(line);
    if (request.type === 'login') {
      const reason = this.#reasonAgainstLogin(request.secret);
      if (reason === undefined) this.#comeIn(this.#room.hub.enterAsOwner(entrance));
      else this.tell(formatError(reason) + PROMPT);
      return;
    }
    const name = line.trim();
    const entered = this.#room.hub.enter(name, entrance);
    if ('refused' in entered) this.tell(formatError(wordsForEntering(entered, name, this.peer.address)) + PROMPT);
    else this.#comeIn(entered);
  }

  #comeIn(session: Session): void {
    this.#session = session;
    this.#phase = 'present';
    this.#room.named(this);
    this.#room.fanout.join(this);
    this.tell(formatWelcome(this.#room.hub.serverName, this.#room.now()));
  }

  #carryOut(request: LineRequest, session: Session): void {
    switch (request.type) {
      case 'nothing':
        return;
      case 'get_list':
        return this.tell(formatList(this.#room.hub.list(), this.#room.now()));
      case 'send': {
        const refusal = this.#room.hub.handle(session, request, this.#room.now());
        return refusal === undefined ? undefined : this.tell(formatError(wordsForSending(refusal)));
      }
      case 'login': {
        const reason = this.#reasonAgainstLogin(request.secret);
        if (reason !== undefined) return this.tell(formatError(reason));
        this.#room.hub.raise(session, 'owner');
        return this.tell(
          `${session.member.name} has the rights of ${this.#room.hub.ownerName} until this connection ends\n`,
        );
      }
      case 'run':
        return this.#run(request, session);
      case 'help':
        return this.tell(formatHelp());
      case 'quit':
        return this.#quit();
      case 'misused':
      case 'unknown':
        return this.tell(formatError(wordsForMisuse(request)));
    }
  }

  #reasonAgainstLogin(secret: string): string | undefined {
    if (!this.peer.isLoopback) {
      return `Cannot log in from ${this.peer.address}: this connection is plain text, and what was sent may have been read on the way`;
    }
    return this.#room.owner.matches(secret) ? undefined : 'Cannot log in: the token is not valid';
  }

  #run({ hosts, command }: { hosts: readonly string[]; command: string }, { role, member }: Session): void {
    const { hub, log, runner } = this.#room;
    const refusal = refusalToRun({ role, hosts, serverName: hub.serverName });
    if (refusal !== undefined) return this.tell(formatError(wordsForRunning(refusal)));
    this.#runs ??= new Set();
    if (this.#runs.size >= MAX_RUNS) {
      return this.tell(
        formatError(`Cannot run: ${MAX_RUNS} commands of this session are running; nothing was started`),
      );
    }
    const shell = { kind: 'shell', line: command } as const;
    log.tell(announceCommand(shell, { by: member.name, address: this.peer.address, host: hub.serverName }));
    const run = new LineRun(runner.start({ command: shell, env: {} }), hub.serverName, this);
    this.#runs.add(run);
    void this.#follow(run);
  }

  async #follow(run: LineRun): Promise<void> {
    await run.finished();
    this.#runs?.delete(run);
    this.#finishIfDone();
  }

  #quit(): void {
    const running = this.#runs?.size ?? 0;
    if (running > 0) this.tell(`Waiting for ${running} running; close the connection to end what runs\n`);
    this.#finish();
  }

  /** Leaves the chat; the connection ends once all is written and what runs has ended. */
  #finish(): void {
    if (this.#phase === 'finishing' || this.#phase === 'ended') return;
    this.#phase = 'finishing';
    this.#leave();
    // The turn's flush calls `written`, which ends the socket.
    this.#room.fanout.tell(this, '');
  }

  #finishIfDone(): void {
    if (this.#phase !== 'finishing' || this.own !== undefined || (this.#runs?.size ?? 0) > 0) return;
    this.#phase = 'ended';
    this.socket.end();
    // Reading on, so that what still comes in does not make the kernel throw away what is on its way out.
    this.#waiting = undefined;
    this.socket.resume();
    const timer = setTimeout(() => this.socket.destroy(), LINGER_MS);
    this.socket.once('close', () => clearTimeout(timer));
  }

  #closeSlow(): void {
    const waiting = this.socket.writableLength;
    this.#room.log.warn('slow reader closed', { address: this.peer.address, waitingBytes: waiting });
    this.close(formatError(`Cannot send you more: ${waiting} bytes wait to be read; the connection is closed`));
  }

  #leave(): void {
    this.#room.named(this);
    this.#room.fanout.leave(this);
    if (this.#session !== undefined) this.#room.hub.leave(this.#session);
    this.#session = undefined;
  }

  #ended(): void {
    this.#phase = 'ended';
    for (const run of this.#runs ?? []) run.cancel();
    this.#leave();
    this.#room.forget(this);
  }
}
