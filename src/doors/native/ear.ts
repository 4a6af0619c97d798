// Who came in on a connection, and what it hears. Nobody is present before it subscribes, except a guest, for whom
// what is said meanwhile waits in the journal.

import type { Outcome, Said } from '../../core/event.ts';
import type { Entrance } from '../../core/hub.ts';
import type { MessageId } from '../../core/journal.ts';
import type { EnterRefusal } from '../../core/refusal.ts';
import { whyDismissed } from '../../core/run/why.ts';
import type { Dismissal, Listener, Member, Session } from '../../core/session.ts';
import type { Peer } from '../../net/peer.ts';
import type { Frame } from '../../protocol/native/frame.ts';
import { chatBehind, chatLive, chatReceipt } from '../../protocol/native/methods/chat.ts';
import { wordsForDismissal } from '../shared/words.ts';
import { HeldAnswers } from './held-answers.ts';
import type { House } from './house.ts';
import {
  BEHIND_BYTES,
  FULL_UNACKNOWLEDGED,
  FULL_UNACKNOWLEDGED_BYTES,
  MAX_OUTBOX_BYTES,
  MAX_UNACKNOWLEDGED,
  MAX_UNACKNOWLEDGED_BYTES,
} from './limits.ts';
import type { NativeOutlet } from './outlet.ts';
import { Unacknowledged } from './unacknowledged.ts';

/** The connection, as its ear knows it. */
export interface Wire {
  readonly peer: Peer;
  readonly waitingBytes: number;
  readonly isOver: boolean;
  notify(method: string, params: object): void;
  share(frame: Frame): void;
  /** `why`: for the records of what it runs; without that whoever asked has gone. */
  end(reason: string, why?: string): void;
}

export class Ear implements Listener {
  readonly acknowledges = true;
  readonly held: HeldAnswers;
  readonly #wire: Wire;
  readonly #house: House;
  readonly #outlet: NativeOutlet;
  /** Who asks; once it has subscribed, the session that hears. */
  #session: Session | undefined;
  /** The one before, which may still wait for receipts. */
  #visit: Session | undefined;
  #isSubscribed = false;
  /** That it came in by. */
  #token: number | undefined;
  readonly #unacknowledged = new Unacknowledged();

  constructor(wire: Wire, { house, outlet }: { house: House; outlet: NativeOutlet }) {
    this.#wire = wire;
    this.#house = house;
    this.#outlet = outlet;
    this.held = new HeldAnswers(house.receiptWaitMs);
  }

  get session(): Session | undefined {
    return this.#session;
  }

  get isSubscribed(): boolean {
    return this.#isSubscribed;
  }

  // ── coming in and going ──

  /** With an account; nobody is present for that. */
  visit(member: Member, token?: number): void {
    this.#token = token;
    this.#use(this.#house.hub.visit(member, this.#entrance()));
  }

  /** As a guest, who is present from now on. */
  enter(name: string): Session | EnterRefusal {
    const entered = this.#house.hub.enter(name, this.#entrance());
    if ('refused' in entered) return entered;
    this.#use(entered);
    this.#outlet.join(entered);
    // Until it subscribes it is told nothing, and nothing piles up for it here.
    this.#house.hub.hearing.fallBehind(entered);
    return entered;
  }

  /** Where it goes on; `begin` is to be called once that has been said. */
  subscribe(session: Session, after: MessageId | undefined): MessageId {
    this.#isSubscribed = true;
    if (session.member.account === undefined) return session.cursor;
    this.#visit = session;
    const entrance = { ...this.#entrance(), ...(after === undefined ? {} : { after }) };
    const present = this.#house.hub.enterAs(session.member, entrance);
    present.role = session.role;
    this.#use(present);
    this.#outlet.join(present);
    return present.cursor;
  }

  begin(): void {
    const { hub } = this.#house;
    const session = this.#session;
    if (session === undefined || session.isOver) return;
    if (session.isLive) return this.#wire.notify(chatLive.name, { head: hub.head });
    if (session.member.account === undefined) hub.hearing.goOn(session);
    else hub.hearing.begin(session);
  }

  acknowledge(session: Session, id: MessageId): void {
    const { hub } = this.#house;
    this.#unacknowledged.remove(id);
    hub.hearing.confirm(session, Math.min(id, session.isLive ? hub.head : session.cursor));
    this.goOn();
  }

  /** There may be room again. */
  goOn(): void {
    if (this.#session?.isLive === false && this.#isSubscribed) this.#house.hub.hearing.goOn(this.#session);
  }

  leave(): void {
    this.held.releaseAll();
    for (const session of [this.#session, this.#visit]) {
      if (session === undefined || session.isOver) continue;
      this.#outlet.leave(session);
      this.#house.hub.leave(session);
    }
  }

  #entrance(): Entrance {
    const { isLoopback, family } = this.#wire.peer;
    return { listener: this, outlet: this.#outlet, isLoopback, family, atMs: this.#house.now(), token: this.#token };
  }

  #use(session: Session): void {
    session.wantsReceipts = true;
    this.#session = session;
  }

  // ── what it hears ──

  get isFull(): boolean {
    const { count, bytes } = this.#unacknowledged;
    return (
      !this.#isSubscribed ||
      this.#wire.isOver ||
      count > FULL_UNACKNOWLEDGED ||
      bytes > FULL_UNACKNOWLEDGED_BYTES ||
      this.#wire.waitingBytes > BEHIND_BYTES
    );
  }

  deliver(said: Said): void {
    this.#tell(said);
    const { count, bytes } = this.#unacknowledged;
    const isOver =
      count >= MAX_UNACKNOWLEDGED || bytes >= MAX_UNACKNOWLEDGED_BYTES || this.#wire.waitingBytes > MAX_OUTBOX_BYTES;
    if (isOver && this.#session !== undefined) this.#house.hub.hearing.fallBehind(this.#session);
  }

  catchUp(messages: readonly Said[], isLive: boolean): void {
    for (const said of messages) this.#tell(said);
    if (isLive) this.#wire.notify(chatLive.name, { head: this.#house.hub.head });
  }

  behind(count: number): void {
    if (count > 0) this.#wire.notify(chatBehind.name, { count });
  }

  receipt(id: MessageId, name: string, outcome: Outcome): void {
    if (this.held.receive(id, name, outcome) || !this.#isSubscribed) return;
    this.#wire.notify(chatReceipt.name, { id, name, outcome });
  }

  dismiss(dismissal: Dismissal): void {
    this.#wire.end(wordsForDismissal(dismissal), whyDismissed(dismissal));
  }

  #tell(said: Said): void {
    this.#unacknowledged.add(said);
    this.#wire.share(this.#outlet.frameOf(said));
  }
}
