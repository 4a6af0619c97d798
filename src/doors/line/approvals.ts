// A second person at the line door: a command that waits for one, and what whoever is asked types.

import type { Person, Decision } from '../../core/run/approval.ts';
import { MIN_HASH_LENGTH, type Approvals } from '../../core/run/approvals.ts';
import { formatError } from '../../protocol/line/reply.ts';
import type { LineRequest } from '../../protocol/line/request.ts';
import { approversNow } from '../shared/places.ts';
import { lineText, shortHash, wordsForApproval } from '../shared/words-approval.ts';
import type { House } from './room.ts';

/** What a session has under way: a command, or one that waits for somebody to approve it. */
export interface UnderWay {
  /** `why`: for the record of a command. */
  cancel(why: string): void;
  /** What was waiting has been written. */
  resume(): void;
  /** The request that has to be approved first; undefined: it needs no approval, or has not been asked for yet. */
  readonly request?: number | undefined;
}

/** A command that waits. It is its own owner: it is over with the connection that typed it. */
export class LineAsk implements UnderWay {
  readonly #approvals: Approvals;
  #request: number | undefined;

  constructor(approvals: Approvals) {
    this.#approvals = approvals;
  }

  get request(): number | undefined {
    return this.#request;
  }

  cancel(): void {
    this.#approvals.leave(this);
  }

  resume(): void {}

  async decided(id: number): Promise<Decision> {
    this.#request = id;
    const decided = this.#approvals.wait(id, this);
    return 'refused' in decided ? { how: 'withdrawn' } : decided;
  }
}

export type Asked = Extract<LineRequest, { type: 'approvals' | 'approve' | 'deny' }>;

/** What is answered. */
export function answerApproval(request: Asked, { person, house }: Answering): string {
  const { approvals } = house;
  switch (request.type) {
    case 'approvals': {
      const lines = approvals.list(person).map((approval) => `${lineText(approval)}\n`);
      return lines.length === 0 ? 'No requests\n' : lines.join('');
    }
    case 'approve': {
      const { id, hash } = request;
      if (hash === undefined) {
        const shown = approvals.show(id, person);
        if ('refused' in shown) return formatError(wordsForApproval(shown, `Cannot show request ${id}`));
        return `${lineText(shown)}\nsha256 ${shown.hash}: approve ${id} ${shortHash(shown.hash)}, or deny ${id}\n`;
      }
      if (hash.length < MIN_HASH_LENGTH) {
        return formatError(`Cannot approve: at least ${MIN_HASH_LENGTH} digits of the digest are to follow the number`);
      }
      const isSeen = (whole: string) => whole.startsWith(hash);
      const given = approvals.approve(id, {
        person,
        isSeen,
        approversNow: (approval) => approversNow(house, approval),
      });
      return 'refused' in given
        ? formatError(wordsForApproval(given, 'Cannot approve'))
        : `Approved ${lineText(given)}\n`;
    }
    case 'deny': {
      const denied = approvals.deny(request.id, person);
      return 'refused' in denied
        ? formatError(wordsForApproval(denied, 'Cannot deny'))
        : `${denied.how === 'withdrawn' ? 'Taken back:' : 'Denied'} ${lineText(denied.approval)}\n`;
    }
  }
}

interface Answering {
  readonly person: Person;
  readonly house: House;
}
