// Who still waits to hear that a message arrived: for each recipient the messages it does not have yet, and whose they
// are.

import type { MessageId } from '../journal.ts';
import type { Member, Session } from '../session.ts';

/** For one recipient; of older messages the sender has heard that they are stored. */
const MAX_WAITING = 10_000;

interface Waiting {
  readonly id: MessageId;
  readonly sender: Session;
}

export class Receipts {
  readonly #waiting = new Map<Member, Waiting[]>();

  expect(recipient: Member, waiting: Waiting): void {
    const list = this.#waiting.get(recipient);
    if (list === undefined) this.#waiting.set(recipient, [waiting]);
    else if (list.push(waiting) > MAX_WAITING) list.shift();
  }

  /** The recipient has everything up to here. */
  delivered(recipient: Member, upTo: MessageId): void {
    const list = this.#waiting.get(recipient);
    if (list === undefined) return;
    const rest = list.findIndex(({ id }) => id > upTo);
    const arrived = rest < 0 ? list.splice(0) : list.splice(0, rest);
    if (list.length === 0) this.#waiting.delete(recipient);
    for (const { id, sender } of arrived) sender.listener.receipt(id, recipient.name, 'delivered');
  }

  /** It has gone, and hears no more. */
  forget(sender: Session): void {
    for (const [recipient, list] of this.#waiting) {
      const left = list.filter((waiting) => waiting.sender !== sender);
      if (left.length === 0) this.#waiting.delete(recipient);
      else if (left.length < list.length) this.#waiting.set(recipient, left);
    }
  }
}
