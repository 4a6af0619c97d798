// One connection that speaks the line protocol: from the name prompt to the last byte. It is the session's ear and the
// fan-out's lane at once, and holds no more than it must: ten thousand of them may be idle.

import type { Socket } from 'node:net';
import type { Said } from '../../core/event.ts';
import { refusalToRun } from '../../core/run/policy.ts';
import type { Listener, Session } from '../../core/session.ts';
import type { Peer } from '../../net/peer.ts';
import { beginsAsRequest, isRequestLine } from '../../protocol/detect.ts';
import type { LineInput } from '../../protocol/line/decoder.ts';
import { formatError, formatHelp, formatList, formatWelcome, PROMPT } from '../../protocol/line/reply.ts';
import { parseRequest, type LineRequest } from '../../protocol/line/request.ts';
import { announceCommand } from '../announce.ts';
import type { Lane } from './fanout.ts';
import { Intake, type LineReader } from './intake.ts';
import type { LineRoom } from './room.ts';
import { LineRun } from './run.ts';
import { wordsForEntering, wordsForMalformed, wordsForMisuse, wordsForRunning, wordsForSending } from './translate.ts';

/** Until the journal can feed a slow reader, one with more than this waiting is closed. InspIRCd allows 1 MiB. */
export const MAX_OUTBOX_BYTES = 8_388_608;
/** With so much waiting for it, a connection is read no further, and its runs neither. */
const BEHIND_BYTES = 262_144;
/** Commands that one session may have running at once. */
const MAX_RUNS = 16;
/** How often it is looked whether somebody still waits for a command that says nothing. */
const WATCH_MS = 2_000;
/** Blanks around a name are the terminal's; anything else is the name's, and refused there. */
const EDGES = /^[ \t]+|[ \t]+$/g;
/** Looks at a connection that was told to end, until it has. */
const LINGER_MS = 10_000;
/** So many looks in a row at which it had taken nothing of what it is owed: two minutes. Then it is cut. */
const MAX_IDLE_LOOKS = 12;

/** `naming`: no session yet. `finishing`: answers nothing more; what runs and what is written go on. `ended`: closed. */
type Phase = 'naming' | 'present' | 'finishing' | 'ended';

export class LineConnection implements Lane, Listener, LineReader {
  readonly socket: Socket;
  readonly peer: Peer;
  own: string | undefined = undefined;
  isListening = false;
  readonly #room: LineRoom;
  readonly #intake: Intake;
  #phase: Phase = 'naming';
  #session: Session | undefined;
  #runs: Set<LineRun> | undefined;

  constructor(socket: Socket, peer: Peer, room: LineRoom) {
    this.socket = socket;
    this.peer = peer;
    this.#room = room;
    this.#intake = new Intake(socket, this, {
      rate: peer.isLoopback ? undefined : room.house.rate,
      clock: room.house.clock,
    });
    socket.on('drain', () => this.#goOn());
    // What broke is said by the close that follows.
    socket.on('error', () => {});
    socket.on('close', () => this.#closed());
  }

  get isBehind(): boolean {
    return this.socket.writableLength + (this.own?.length ?? 0) > BEHIND_BYTES;
  }

  /** Begins with what has already been read of the connection. */
  open(first: Uint8Array): void {
    this.#intake.open(first);
  }

  /** Everything said before the peer's EOF has been handled. */
  ended(): void {
    this.#finish();
  }

  deliver(said: Said): void {
    this.tell(this.#room.wordsFor(said));
  }

  tell(text: string): void {
    if (this.#phase !== 'ended') this.#room.fanout.tell(this, text);
  }

  written(): void {
    if (this.socket.writableLength > MAX_OUTBOX_BYTES && this.#phase === 'present') return this.#closeSlow();
    this.#goOn();
    this.#finishIfDone();
  }

  /** Says a last line and ends in an orderly way. */
  close(reason: string): void {
    if (this.#phase === 'finishing' || this.#phase === 'ended') return;
    this.tell(reason);
    for (const run of this.#runs ?? []) run.cancel();
    this.#finish();
  }

  #goOn(): void {
    if (this.isBehind) return;
    for (const run of this.#runs ?? []) run.resume();
    this.#intake.goOn();
  }

  handle(input: LineInput): void {
    if (this.#phase === 'finishing' || this.#phase === 'ended') return;
    if (this.#session === undefined) this.#nameOrLogin(input);
    else if (typeof input === 'string') this.#carryOut(parseRequest(input), this.#session);
    else this.tell(formatError(wordsForMalformed(input)));
    this.#room.fanout.relieve();
  }

  #nameOrLogin(line: LineInput): void {
    // What a page makes a browser send here gets no further than its first line, however long or odd that is.
    if (typeof line === 'string' ? isRequestLine(line) : beginsAsRequest(line.begins)) return this.#finish();
    if (typeof line !== 'string') {
      this.tell(formatError(wordsForMalformed(line)) + (line.malformed === 'overlong' ? '' : PROMPT));
      return line.malformed === 'overlong' ? this.#finish() : undefined;
    }
    const entrance = { listener: this, outlet: this.#room, isLoopback: this.peer.isLoopback };
    const request = parseRequest(line);
    if (request.type === 'login') {
      const reason = this.#reasonAgainstLogin(request.secret);
      if (reason === undefined) this.#comeIn(this.#room.house.hub.enterAsOwner(entrance));
      else this.tell(formatError(reason) + PROMPT);
      return;
    }
    const name = line.replace(EDGES, '');
    const entered = this.#room.house.hub.enter(name, entrance);
    if ('refused' in entered) this.tell(formatError(wordsForEntering(entered, name, this.peer.address)) + PROMPT);
    else this.#comeIn(entered);
  }

  #comeIn(session: Session): void {
    this.#session = session;
    this.#phase = 'present';
    this.#room.named(this);
    this.#room.fanout.join(this);
    this.tell(formatWelcome(this.#room.house.hub.serverName, this.#room.house.now()));
  }

  #carryOut(request: LineRequest, session: Session): void {
    switch (request.type) {
      case 'nothing':
        return;
      case 'get_list':
        return this.tell(formatList(this.#room.house.hub.list(), this.#room.house.now()));
      case 'send': {
        const refusal = this.#room.house.hub.handle(session, request, this.#room.house.now());
        return refusal === undefined ? undefined : this.tell(formatError(wordsForSending(refusal)));
      }
      case 'login': {
        const reason = this.#reasonAgainstLogin(request.secret);
        if (reason !== undefined) return this.tell(formatError(reason));
        this.#room.house.hub.raise(session, 'owner');
        return this.tell(
          `${session.member.name} has the rights of ${this.#room.house.hub.ownerName} until this connection ends\n`,
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
    if (this.#room.house.owner.matches(secret)) return undefined;
    this.#room.house.log.warn('wrong owner token', { address: this.peer.address, port: this.peer.port });
    return 'Cannot log in: the token is not valid';
  }

  #run({ hosts, command }: { hosts: readonly string[]; command: string }, { role, member }: Session): void {
    const { hub, log, runner } = this.#room.house;
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
    if (running > 0) this.tell(`Waiting for ${running === 1 ? 'a running command' : `${running} running commands`}\n`);
    this.#finish();
  }

  /** Leaves the chat; the connection ends once all is written and what runs has ended. */
  #finish(): void {
    if (this.#phase === 'finishing' || this.#phase === 'ended') return;
    this.#phase = 'finishing';
    this.#leave();
    if ((this.#runs?.size ?? 0) > 0) this.#watch();
    // The turn's flush calls `written`, which ends the socket.
    this.#room.fanout.tell(this, '');
  }

  /**
   * After the peer's EOF nothing is read that would tell that the peer has gone for good. An empty write puts nothing on
   * the wire and meets the error of a connection that the kernel has seen reset or found dead (keep-alive).
   */
  #watch(): void {
    this.socket.setKeepAlive(true, WATCH_MS);
    const timer = setInterval(() => this.socket.write(''), WATCH_MS);
    this.socket.once('close', () => clearInterval(timer));
  }

  #finishIfDone(): void {
    if (this.#phase !== 'finishing' || this.own !== undefined || (this.#runs?.size ?? 0) > 0) return;
    this.#phase = 'ended';
    this.socket.end();
    this.#intake.stop();
    this.#linger();
  }

  /** Cuts a connection that neither takes what it is owed nor closes its side. */
  #linger(): void {
    let owed = this.socket.writableLength;
    let idleLooks = 0;
    const timer = setInterval(() => {
      const left = this.socket.writableLength;
      idleLooks = left < owed ? 0 : idleLooks + 1;
      owed = left;
      if (left === 0 || idleLooks >= MAX_IDLE_LOOKS) this.socket.destroy();
    }, LINGER_MS);
    this.socket.once('close', () => clearInterval(timer));
  }

  #closeSlow(): void {
    const waiting = this.socket.writableLength;
    this.#room.house.log.warn('slow reader closed', { address: this.peer.address, waitingBytes: waiting });
    this.close(formatError(`Cannot send you more: ${waiting} bytes wait to be read; the connection is closed`));
  }

  #leave(): void {
    this.#room.named(this);
    this.#room.fanout.leave(this);
    if (this.#session !== undefined) this.#room.house.hub.leave(this.#session);
    this.#session = undefined;
  }

  #closed(): void {
    this.#phase = 'ended';
    this.#intake.stop();
    for (const run of this.#runs ?? []) run.cancel();
    this.#leave();
    this.#room.forget(this);
  }
}
