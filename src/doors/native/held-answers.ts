// Answers to `chat.send` that wait for recipients who are here to say that they have the message, so that `delivered`
// is said where it is true; not for long.

import type { Outcome } from '../../core/event.ts';
import type { MessageId } from '../../core/journal.ts';

interface Held {
  readonly outcomes: Map<string, Outcome>;
  /** Who is here and has not acknowledged. */
  readonly awaited: Set<string>;
  readonly answer: () => void;
  readonly timer: NodeJS.Timeout;
}

export class HeldAnswers {
  readonly #waitMs: number;
  readonly #held = new Map<MessageId, Held>();

  constructor(waitMs: number) {
    this.#waitMs = waitMs;
  }

  /** Answers when all who are awaited have it, or when the time is up; `outcomes` changes until then. */
  hold(id: MessageId, { outcomes, awaited, answer }: Omit<Held, 'timer'>): void {
    // The same message again, sent under its key while the first answer waits: one of them has to do the waiting.
    if (awaited.size === 0 || this.#held.has(id)) return answer();
    const timer = setTimeout(() => this.#release(id), this.#waitMs);
    this.#held.set(id, { outcomes, awaited, answer, timer });
  }

  /** False: no answer waits for that, and it is news of its own. */
  receive(id: MessageId, name: string, outcome: Outcome): boolean {
    const held = this.#held.get(id);
    if (held === undefined) return false;
    held.outcomes.set(name, outcome);
    held.awaited.delete(name);
    if (held.awaited.size === 0) this.#release(id);
    return true;
  }

  /** Nobody waits any longer. */
  releaseAll(): void {
    for (const id of this.#held.keys()) this.#release(id);
  }

  #release(id: MessageId): void {
    const held = this.#held.get(id);
    if (held === undefined) return;
    this.#held.delete(id);
    clearTimeout(held.timer);
    held.answer();
  }
}
