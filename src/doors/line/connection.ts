// One connection that speaks the line protocol: from the name prompt to the last byte. It is the session's ear and the
// fan-out's lane at once, and holds no more than it must: ten thousand of them may be idle.

import type { Socket } from 'node:net';
import type { Outcome, Said } from '../../core/event.ts';
import type { Entrance } from '../../core/hub.ts';
import type { MessageId } from '../../core/journal.ts';
import { HAS_GONE, SERVER_CLOSED, whyDismissed } from '../../core/run/why.ts';
import type { Dismissal, Listener, Session } from '../../core/session.ts';
import type { Peer } from '../../net/peer.ts';
import type { LineInput } from '../../protocol/line/decoder.ts';
import { formatBehind, formatError, formatReceipt, formatWelcome } from '../../protocol/line/reply.ts';
import { parseRequest } from '../../protocol/line/request.ts';
import type { UnderWay } from './approvals.ts';
import { Commands, type Asker } from './commands.ts';
import { Entry, type Threshold } from './entry.ts';
import type { Lane } from './fanout.ts';
import { Intake, type LineReader } from './intake.ts';
import { cutWhenIdle } from './linger.ts';
import type { LineRoom } from './room.ts';
import { wordsForMalformed } from './translate.ts';
import { wordsForDismissal } from '../shared/words.ts';

/** A reader with more than this waiting is told no more live and reads on from the journal. InspIRCd allows 1 MiB. */
export const MAX_OUTBOX_BYTES = 1_048_576;
/** With so much waiting for it, a connection is read no further, its runs neither, nor the journal for it. */
const BEHIND_BYTES = 262_144;
/** Messages of one connection that the journal may have before it: beyond it the connection is read no further. */
const MAX_PENDING = 256;
/** How often it is looked whether somebody still waits for a command that says nothing. */
const WATCH_MS = 2_000;
/** Long enough for a packet to most of the world and back. */
const ROUND_TRIP_MS = 250;
/** How often whoever has ended their input is told that a request of theirs waits: see `#remind`. */
const REMIND_MS = 10_000;

/** `naming`: no session yet. `finishing`: answers nothing more; what runs and what is written go on. `ended`: closed. */
type Phase = 'naming' | 'present' | 'finishing' | 'ended';

export class LineConnection implements Lane, Listener, LineReader, Threshold, Asker {
  readonly acknowledges = false;
  readonly socket: Socket;
  readonly peer: Peer;
  own: string | undefined = undefined;
  isListening = false;
  readonly #room: LineRoom;
  readonly #intake: Intake;
  #phase: Phase = 'naming';
  #entry: Entry | undefined;
  #session: Session | undefined;
  #commands: Commands | undefined;
  /** Answers that are under way: until they are given nothing but messages is taken. */
  #owed = 0;
  /** Nothing at all is taken until what is being done is done. */
  #isHeld = false;
  #sawEnd = false;
  /** While the outbox is over its bound: whether the other end takes anything. */
  #stopWatching: (() => void) | undefined;

  constructor(socket: Socket, peer: Peer, room: LineRoom) {
    this.socket = socket;
    this.peer = peer;
    this.#room = room;
    this.#entry = new Entry(this, room.house);
    this.#intake = new Intake(socket, this, {
      rate: peer.isLoopback ? undefined : room.house.rate,
      clock: room.house.clock,
    });
    socket.on('drain', () => this.#goOn());
    // What broke is said by the close that follows.
    socket.on('error', () => {});
    socket.on('close', () => this.#closed());
  }

  get entrance(): Entrance {
    const { isLoopback, family } = this.peer;
    return { listener: this, outlet: this.#room, isLoopback, family, atMs: this.#room.house.now() };
  }

  get isBehind(): boolean {
    return this.socket.writableLength + (this.own?.length ?? 0) > BEHIND_BYTES;
  }

  get isFull(): boolean {
    return this.isBehind || this.#phase === 'ended';
  }

  /** Begins with what has already been read of the connection. */
  open(first: Uint8Array): void {
    this.#intake.open(first);
  }

  // ── what comes in ──

  /** Answers come in the order of the questions; messages need not wait for one another. */
  mustWait(input: LineInput): boolean {
    if (this.#isHeld || this.#owed >= MAX_PENDING) return true;
    return this.#owed > 0 && !(typeof input === 'string' && input.startsWith('send'));
  }

  handle(input: LineInput): void {
    if (this.#phase === 'finishing' || this.#phase === 'ended') return;
    if (this.#commands === undefined) this.#entry?.handle(input);
    else this.#handlePresent(input, this.#commands);
    this.#room.fanout.relieve();
  }

  #handlePresent(input: LineInput, commands: Commands): void {
    // Whoever says something has read what came before it.
    if (this.#session?.member.account !== undefined) this.#room.house.hub.hearing.confirm(this.#session);
    if (typeof input !== 'string') this.tell(formatError(wordsForMalformed(input)));
    else if (!commands.takesAsIs(input)) commands.carryOut(parseRequest(input));
  }

  /** Everything said before the peer's EOF has been handled. */
  ended(): void {
    this.#sawEnd = true;
    if (this.#owed === 0 && !this.#isHeld) this.#finish();
  }

  begin(): void {
    this.#owed++;
  }

  answered(): void {
    this.#owed--;
    if (this.#owed === 0 || this.#owed === MAX_PENDING / 2) this.#settled();
  }

  hold(work: Promise<void>): void {
    this.#isHeld = true;
    this.begin();
    void work.finally(() => {
      this.#isHeld = false;
      this.answered();
    });
  }

  #settled(): void {
    if (this.#phase === 'ended') return;
    this.#intake.goOn();
    if (this.#owed > 0 || this.#isHeld) return;
    if (this.#sawEnd) this.#finish();
    this.#finishIfDone();
  }

  // ── coming in and going ──

  comeIn(session: Session): void {
    const { hub, now } = this.#room.house;
    if (this.#phase !== 'naming') return hub.leave(session);
    this.#session = session;
    this.#entry = undefined;
    this.#commands = new Commands(this, session, this.#room);
    this.#phase = 'present';
    this.#room.named(this);
    if (session.isLive) this.#room.fanout.join(this);
    this.tell(formatWelcome(hub.serverName, now()));
    hub.hearing.begin(session);
  }

  turnAway(): void {
    this.#finish();
  }

  quit(): void {
    const running = this.#underWay().filter(({ request }) => request === undefined).length;
    if (running > 0) this.tell(`Waiting for ${running === 1 ? 'a running command' : `${running} running commands`}\n`);
    this.#finish();
  }

  dismiss(dismissal: Dismissal): void {
    this.close(formatError(wordsForDismissal(dismissal)), whyDismissed(dismissal));
  }

  /** Says a last line and ends in an orderly way; `why`: for the records of what it runs. */
  close(reason: string, why = SERVER_CLOSED): void {
    if (this.#phase === 'finishing' || this.#phase === 'ended') return;
    this.#commands?.leave();
    this.tell(reason);
    for (const run of this.#underWay()) run.cancel(why);
    this.#finish();
  }

  runEnded(): void {
    this.#finishIfDone();
  }

  // ── what goes out ──

  deliver(said: Said): void {
    this.tell(this.#session?.wantsReceipts === true ? this.#room.markedWordsFor(said) : this.#room.wordsFor(said));
  }

  catchUp(messages: readonly Said[], isLive: boolean): void {
    for (const said of messages) this.deliver(said);
    if (isLive && this.#phase === 'present') this.#room.fanout.join(this);
  }

  behind(count: number): void {
    this.tell(formatBehind(count));
  }

  receipt(id: MessageId, name: string, outcome: Outcome): void {
    this.tell(formatReceipt(id, [[name, outcome]]));
  }

  wantIds(wantsIds: boolean): void {
    this.#room.mark(this, wantsIds);
  }

  tell(text: string): void {
    if (this.#phase !== 'ended') this.#room.fanout.tell(this, text);
  }

  written(): void {
    const isOver = this.socket.writableLength > MAX_OUTBOX_BYTES;
    if (isOver && this.#phase === 'present') this.#fallBehind();
    this.#goOn();
    this.#finishIfDone();
  }

  /** From now on it reads from the journal, at its own pace; only one that takes nothing for minutes is cut. */
  #fallBehind(): void {
    if (this.#session?.isLive === true) {
      this.#room.fanout.leave(this);
      this.#room.house.hub.hearing.fallBehind(this.#session);
    }
    this.#stopWatching ??= cutWhenIdle(this.socket, () => {
      this.#room.house.log.warn('slow reader cut', {
        address: this.peer.address,
        waitingBytes: this.socket.writableLength,
      });
    });
  }

  #goOn(): void {
    if (this.isBehind) return;
    this.#stopWatching?.();
    this.#stopWatching = undefined;
    const runs = this.#commands?.runs;
    if (runs !== undefined) for (const run of runs) run.resume();
    if (this.#session?.isLive === false) this.#room.house.hub.hearing.goOn(this.#session);
    this.#intake.goOn();
  }

  // ── the end ──

  /** Leaves the chat; the connection ends once all is written, what was asked is answered and what runs has ended. */
  #finish(): void {
    if (this.#phase === 'finishing' || this.#phase === 'ended') return;
    this.#commands?.leave();
    this.#phase = 'finishing';
    this.#leave(true);
    if ((this.#commands?.runs?.size ?? 0) > 0) this.#watch();
    // The turn's flush calls `written`, which ends the socket.
    this.#room.fanout.tell(this, '');
  }

  /**
   * After the peer's EOF nothing is read that would tell that the peer has gone for good. An empty write puts nothing on
   * the wire and meets the error of a connection that the kernel has seen reset or found dead (keep-alive).
   */
  #watch(): void {
    this.socket.setKeepAlive(true, WATCH_MS);
    const timer = setInterval(() => this.#probe(), WATCH_MS);
    const reminder = setInterval(() => this.#remind(), REMIND_MS);
    this.socket.once('close', () => {
      clearInterval(timer);
      clearInterval(reminder);
    });
    this.#remind();
  }

  /** Not after the end: that would be a mistake of ours, and cut what is still to be fetched. */
  #probe(): void {
    if (!this.socket.writableEnded) this.socket.write('');
  }

  /**
   * Whoever just goes away looks like an end of input, and the other kernel answers for a minute as if somebody were there;
   * only to bytes it says at once that nobody is. A request must not wait for somebody who has gone.
   */
  #remind(): void {
    const requests = this.#underWay().flatMap(({ request }) => request ?? []);
    if (requests.length === 0) return;
    this.tell(requests.map((request) => `Waiting for request ${request}\n`).join(''));
    // What the other kernel has said to that is met by the next write.
    setTimeout(() => this.#probe(), ROUND_TRIP_MS).unref();
  }

  #underWay(): readonly UnderWay[] {
    return [...(this.#commands?.runs ?? [])];
  }

  #finishIfDone(): void {
    const isBusy = this.own !== undefined || this.#owed > 0 || (this.#commands?.runs?.size ?? 0) > 0;
    if (this.#phase !== 'finishing' || isBusy) return;
    this.#phase = 'ended';
    this.socket.end();
    this.#intake.stop();
    this.#stopWatching ??= cutWhenIdle(this.socket);
  }

  #leave(isOrderly: boolean): void {
    this.#room.named(this);
    this.#room.mark(this, false);
    this.#room.fanout.leave(this);
    const { hub } = this.#room.house;
    const session = this.#session;
    this.#session = undefined;
    if (session === undefined) return;
    const upTo = hub.hearing.writtenTo(session);
    hub.leave(session);
    // What still waits here has not arrived: it counts when the last of it has gone out, and else is told again.
    if (isOrderly) this.socket.once('finish', () => hub.hearing.confirm(session, upTo));
  }

  #closed(): void {
    this.#phase = 'ended';
    this.#intake.stop();
    this.#stopWatching?.();
    for (const run of this.#underWay()) run.cancel(HAS_GONE);
    this.#leave(false);
    this.#room.forget(this);
  }
}
