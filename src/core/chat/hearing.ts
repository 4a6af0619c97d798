// What has reached whom: who hears each message as it is told, who reads on from the journal, what counts as delivered,
// and who wants to know.

import type { Directory } from '../directory.ts';
import type { Outcome, Said } from '../event.ts';
import type { Journal, MessageId } from '../journal.ts';
import type { Member, Session } from '../session.ts';
import { Feed } from './feed.ts';
import { Receipts } from './receipts.ts';
import { isMachine } from './send.ts';

export interface HearingWorld {
  readonly journal: Journal;
  readonly directory: Directory;
  /** The last message that was told. */
  readonly head: () => MessageId;
  readonly present: () => Iterable<Member>;
  /** Milliseconds that never run backwards. */
  readonly clock: () => number;
}

export class Hearing {
  readonly #world: HearingWorld;
  readonly #receipts = new Receipts();
  readonly #feeds = new Map<Session, Feed>();
  /** Accounts of which more is delivered than the journal knows. */
  readonly #unsaved = new Map<Member, MessageId>();

  constructor(world: HearingWorld) {
    this.#world = world;
  }

  // ── the pace of a session ──

  /** To be called once the door has said what comes first: what it missed follows. */
  begin(session: Session): void {
    if (!session.isLive) this.#follow(session, false);
  }

  /** It cannot keep up: from here on it reads on from the journal. */
  fallBehind(session: Session): void {
    if (!session.isLive) return;
    session.cursor = this.#world.head();
    this.#follow(session, true);
  }

  /** Whoever is not live hears of it later: how far behind each is grows by one. */
  told({ cast }: Pick<Said, 'cast'>, sender: Member, recipients: readonly Member[]): void {
    if (this.#feeds.size === 0) return;
    for (const [{ member }, feed] of this.#feeds) {
      if (cast === 'broadcast' ? member !== sender : recipients.includes(member)) feed.told();
    }
  }

  /** There is room again for one that is not live. */
  goOn(session: Session): void {
    this.#feeds.get(session)?.goOn();
  }

  /** It is over. */
  stop(session: Session): void {
    this.#feeds.get(session)?.stop();
    this.#feeds.delete(session);
  }

  /** It wants to hear no more of what became of its messages. */
  forget(session: Session): void {
    if (session.wantsReceipts) this.#receipts.forget(session);
  }

  #follow(session: Session, isSlow: boolean): void {
    const { journal, head, clock } = this.#world;
    const onHanded = (handed: Session) => {
      if (!handed.listener.acknowledges) this.#deliver(handed.member, handed.cursor);
      if (handed.isLive) this.#feeds.delete(handed);
    };
    const feed = new Feed(session, { journal, head, clock, onHanded }, isSlow);
    this.#feeds.set(session, feed);
    feed.goOn();
  }

  // ── what has arrived ──

  /**
   * Everything up to `upTo` has arrived there for good, and is not told again when it returns; for a line session all
   * that was written. A word in between costs nothing: the journal hears of it with `save`.
   */
  confirm(session: Session, upTo: MessageId = this.writtenTo(session)): void {
    const { member } = session;
    const head = this.#world.head();
    const known = this.#unsaved.get(member) ?? member.account?.delivered ?? head;
    const confirmed = Math.min(upTo, head);
    if (member.account !== undefined && confirmed > known) this.#unsaved.set(member, confirmed);
    this.#deliver(member, confirmed);
  }

  /** Writes down what has been confirmed. To be called now and then, and before the journal closes. */
  save(): void {
    if (this.#unsaved.size === 0) return;
    const changes = Array.from(this.#unsaved, ([{ id }, upTo]) => ({ type: 'delivered', account: id, upTo }) as const);
    this.#unsaved.clear();
    for (const change of changes) this.#world.directory.apply(change);
    // What cannot be written is told again after a restart; nothing is lost.
    this.#world.journal.record(changes, () => {});
  }

  /** What the first session of an account has not confirmed is told again; a second one goes on from where the first is. */
  startOf(member: Member): MessageId {
    const { account, sessions } = member;
    if (account === undefined) return this.#world.head();
    const written = sessions.filter(({ listener }) => !listener.acknowledges).map((other) => this.writtenTo(other));
    return Math.max(this.#unsaved.get(member) ?? 0, account.delivered, ...written);
  }

  #deliver(member: Member, upTo: MessageId): void {
    if (upTo <= member.delivered) return;
    member.delivered = upTo;
    this.#receipts.delivered(member, upTo);
  }

  /** What was told to a session that does not acknowledge: all up to here has been given to its door. */
  writtenTo({ isLive, cursor }: Session): MessageId {
    return isLive ? this.#world.head() : cursor;
  }

  #deliveredTo(member: Member): MessageId {
    const isHearing = member.sessions.some(({ isLive, listener }) => isLive && !listener.acknowledges);
    return isHearing ? this.#world.head() : member.delivered;
  }

  // ── what became of a message ──

  /** For one recipient; a sender who wants receipts hears when it changes. */
  outcomeFor(recipient: Member, id: MessageId, sender: Session): Outcome {
    if (this.#deliveredTo(recipient) >= id) return 'delivered';
    if (sender.wantsReceipts && !sender.isOver) this.#receipts.expect(recipient, { id, sender });
    return 'stored';
  }

  /** Of a broadcast. Looked up only for whoever wants to know: there may be thousands. */
  outcomeForAll(id: MessageId, { member: sender, wantsReceipts }: Session): Outcome {
    if (!wantsReceipts) return 'stored';
    const lacksIt = (member: Member) => member !== sender && !isMachine(member) && this.#deliveredTo(member) < id;
    for (const member of this.#world.directory.accounts) {
      if (member.account?.revokedAtMs === undefined && lacksIt(member)) return 'stored';
    }
    for (const member of this.#world.present()) if (lacksIt(member)) return 'stored';
    return 'delivered';
  }
}
