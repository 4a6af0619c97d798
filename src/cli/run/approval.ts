// `partyline run` where somebody else has to approve: who is waited for, until when, and what they said.

import { getApproval, type AskedApproval } from '../../client/approval.ts';
import type { NativeClient } from '../../client/native.ts';
import type { RunWishes } from '../../client/run.ts';
import { formatNodeSet } from '../../protocol/node-set.ts';
import type { Interruption } from '../kit/interruption.ts';
import { jsonLine } from '../kit/json-line.ts';
import { localTime } from '../kit/time.ts';
import { say } from './outlet.ts';

interface Waiting {
  readonly wishes: RunWishes;
  /** Those that are meant: no other may be approved. */
  readonly hosts: readonly string[];
  readonly isJson: boolean;
  readonly interruption: Interruption;
  /** As it is called on the command line. */
  readonly command?: string;
}

type Approved = Required<Pick<RunWishes, 'approval'>>;

/** The request that was approved; or why it does not start. An interruption takes it back. */
export async function waitForApproval(
  client: NativeClient,
  { wishes, hosts, isJson, interruption, command }: Waiting,
): Promise<Approved | { readonly refused: string }> {
  const changed = new AbortController();
  let waiting: AskedApproval | undefined;
  const waited = getApproval(client, wishes, {
    signal: AbortSignal.any([interruption.signal, changed.signal]),
    onApproval(asked) {
      waiting = asked;
      if (!isSame(asked.hosts, hosts)) changed.abort(asked.hosts);
      else if (isJson) process.stderr.write(jsonLine(asked));
      else say(wordsForAsked(asked), command);
    },
  });
  // Whoever is interrupted does not wait for the server, which takes the request back when the connection ends.
  const interrupted = interruption.happened.then(() => ({ refused: 'interrupted; nothing was started' }));
  const decided = await Promise.race([waited, interrupted]);
  if (changed.signal.aborted) {
    const now = formatNodeSet(changed.signal.reason);
    return { refused: `The targets have come to mean ${now} meanwhile; nothing was started` };
  }
  if (interruption.name !== undefined && waiting !== undefined) {
    say(`request ${waiting.approval} is taken back; nothing was started`, command);
  }
  if ('refused' in decided) return decided;
  if ('lost' in decided) return { refused: `Cannot wait for approval: ${decided.lost}` };
  if (!isJson) say(`approved by ${decided.by}`, command);
  return { approval: decided.approved.approval };
}

/** In whatever order, and in whatever spelling. */
function isSame(one: readonly string[], other: readonly string[]): boolean {
  const keys = (names: readonly string[]) => JSON.stringify(names.map((name) => name.trim().toLowerCase()).toSorted());
  return keys(one) === keys(other);
}

function wordsForAsked({ approval, hash, told, expires }: AskedApproval): string {
  return `waiting for approval by ${told.join(', ')}, until ${localTime(expires)}: request ${approval}, sha256 ${hash}`;
}
