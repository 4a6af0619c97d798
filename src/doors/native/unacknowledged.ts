// What one connection was sent and has not acknowledged yet: counted, so that it is never sent more than it can answer
// for.

import type { Said } from '../../core/event.ts';
import type { MessageId } from '../../core/journal.ts';

interface Sent {
  readonly id: MessageId;
  readonly bytes: number;
}

export class Unacknowledged {
  /** In the order of their ids, which is the order in which they were sent. */
  #sent: Sent[] = [];
  #bytes = 0;

  get count(): number {
    return this.#sent.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  add({ id, text }: Pick<Said, 'id' | 'text'>): void {
    const bytes = Buffer.byteLength(text);
    this.#sent.push({ id, bytes });
    this.#bytes += bytes;
  }

  /** Everything up to there has arrived. */
  remove(upTo: MessageId): void {
    const rest = this.#sent.findIndex(({ id }) => id > upTo);
    const arrived = this.#sent.splice(0, rest < 0 ? this.#sent.length : rest);
    for (const { bytes } of arrived) this.#bytes -= bytes;
  }
}
