// The native door's side of a broadcast: a message is encoded once, all who are told it get the same bytes, and what a
// turn of the event loop brings for a connection goes out in one write at its end.

import type { Said } from '../../core/event.ts';
import type { Outlet, Session } from '../../core/session.ts';
import { sharedNotification } from '../../protocol/native/connection.ts';
import type { Frame } from '../../protocol/native/frame.ts';
import { chatMessage } from '../../protocol/native/methods/chat.ts';
import { toWireMessage } from './translate.ts';

/** A connection that has something to be written. */
export interface Waiting {
  settle(): void;
}

export class NativeOutlet implements Outlet {
  /** Those who have subscribed; whether each hears live is the session's to say. */
  readonly #sessions = new Set<Session>();
  readonly #waiting = new Set<Waiting>();
  #isScheduled = false;
  #worded: { said: Said; frame: Frame } | undefined;

  join(session: Session): void {
    this.#sessions.add(session);
  }

  leave(session: Session): void {
    this.#sessions.delete(session);
  }

  broadcast(said: Said, except: readonly Session[]): void {
    for (const session of this.#sessions) {
      if (session.isLive && !except.includes(session)) session.listener.deliver(said);
    }
  }

  /** The same frame, and its bytes, for all who are told the same. */
  frameOf(said: Said): Frame {
    if (this.#worded?.said !== said) {
      this.#worded = { said, frame: sharedNotification(chatMessage.name, toWireMessage(said)) };
    }
    return this.#worded.frame;
  }

  /** To be written at the end of this turn. */
  wake(waiting: Waiting): void {
    this.#waiting.add(waiting);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#isScheduled = false;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const one of waiting) one.settle();
  }
}
