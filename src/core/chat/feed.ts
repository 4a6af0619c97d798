// How a session that is not live gets what it missed: page by page from the journal, at its own pace, until it has all
// that was told; from then on it is live again. Nobody else waits for it.

import type { FeedPage, Journal, MessageId } from '../journal.ts';
import type { Session } from '../session.ts';
import { reasonOf } from '../../reason.ts';

/** Messages of one page, and bytes of their texts: a page is held in memory once, and a slow reader takes a few a second. */
const PAGE_MESSAGES = 500;
const PAGE_BYTES = 262_144;
/** Milliseconds between two words about how far behind somebody is. */
export const BEHIND_TOLD_MS = 10_000;

export interface FeedWorld {
  readonly journal: Journal;
  /** The last message that was told to those who are live. */
  readonly head: () => MessageId;
  /** Milliseconds that never run backwards. */
  readonly clock: () => number;
  /** The session has been handed everything up to its cursor. */
  readonly onHanded: (session: Session) => void;
}

export class Feed {
  readonly #session: Session;
  readonly #world: FeedWorld;
  #isReading = false;
  #isOver = false;
  /**
   * How many messages it is behind: counted once, from then on each that is told is one more, and each that is handed over
   * one less. Undefined until they have been counted.
   */
  #behind: number | undefined;
  /** Told since the journal was last asked to count. */
  #toldSince = 0;
  /** When the next word about being behind is due. A first page that is the last one says nothing. */
  #dueMs: number;

  /** From the session's cursor on. `isSlow`: it was live and could not keep up, which it is told at once. */
  constructor(session: Session, world: FeedWorld, isSlow: boolean) {
    this.#session = session;
    this.#world = world;
    this.#dueMs = isSlow ? Number.NEGATIVE_INFINITY : world.clock() + BEHIND_TOLD_MS;
    this.#behind = isSlow ? 0 : undefined;
    session.isLive = false;
  }

  /** One more message was told that is for it as well. */
  told(): void {
    if (this.#behind === undefined) this.#toldSince += 1;
    else this.#behind += 1;
  }

  /** There may be room for a page. */
  goOn(): void {
    const { listener, cursor } = this.#session;
    if (this.#isReading || this.#isOver || listener.isFull) return;
    const upTo = this.#world.head();
    if (cursor >= upTo) return this.#hand({ messages: [], cursor });
    const isDue = this.#world.clock() >= this.#dueMs;
    const isCounting = isDue && this.#behind === undefined;
    if (isDue && !isCounting) this.#sayBehind();
    this.#toldSince = 0;
    this.#isReading = true;
    const { id: member, since } = this.#session.member;
    const query = { member, since, after: cursor, upTo, limit: PAGE_MESSAGES, maxBytes: PAGE_BYTES, isCounting };
    this.#world.journal.feed(query).then(
      (page) => this.#receive(page),
      (error: unknown) => this.#fail(error),
    );
  }

  stop(): void {
    this.#isOver = true;
  }

  #receive(page: FeedPage): void {
    this.#isReading = false;
    if (this.#isOver) return;
    if (page.behind !== undefined) {
      this.#behind = page.behind + this.#toldSince;
      this.#sayBehind();
    }
    this.#hand(page);
    this.goOn();
  }

  #sayBehind(): void {
    if (this.#behind === undefined || this.#behind === 0) return;
    this.#dueMs = this.#world.clock() + BEHIND_TOLD_MS;
    this.#session.listener.behind(this.#behind);
  }

  #hand({ messages, cursor }: FeedPage): void {
    if (this.#behind !== undefined) this.#behind -= messages.length;
    const session = this.#session;
    session.cursor = cursor;
    const isLive = cursor >= this.#world.head();
    if (isLive) {
      this.#isOver = true;
      session.isLive = true;
    }
    session.listener.catchUp(messages, isLive);
    this.#world.onHanded(session);
  }

  #fail(error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const reason = reasonOf(error);
    this.#session.listener.dismiss({ why: 'unreadable', reason });
  }
}
