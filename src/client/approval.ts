// Waiting for a second person, as whoever asks sees it. The request is as good as the connection that it was made on.

import { approvalDeny, approvalWait, runAsk } from '../protocol/native/methods/approval.ts';
import type { ErrorCode } from '../protocol/native/methods.ts';
import type { RunsClient, RunWishes } from './run.ts';
import { shown } from './shown.ts';
import type { Answer } from './wire.ts';

/** As the server has it. */
export interface AskedApproval {
  readonly approval: number;
  /** The SHA-256 of all that is to be started: what is approved. */
  readonly hash: string;
  readonly hosts: readonly string[];
  /** Who was told. */
  readonly told: readonly string[];
  readonly expires: string;
}

export interface Asking {
  /** The server has said whether it takes the request. */
  readonly onAnswered?: () => void;
  /** It is asked for, and waited for from now on. */
  readonly onApproval: (asked: AskedApproval) => void;
  /** Takes the request back. */
  readonly signal: AbortSignal;
}

export type Approval =
  | { readonly approved: AskedApproval; readonly by: string }
  /** Somebody has said no, or nobody yes; or nobody was asked. */
  | { readonly refused: string; readonly code: string }
  | { readonly lost: string };

type Asks = Pick<RunsClient, 'request'>;

/** Asks, tells who is waited for, and waits for what they say. Throws what `onApproval` throws; nothing waits then. */
export async function getApproval(client: Asks, wishes: RunWishes, asking: Asking): Promise<Approval> {
  const { onAnswered, onApproval, signal } = asking;
  if (signal.aborted) return notApproved(WHY.withdrawn());
  const asked = read(await client.request(runAsk.name, wishes), runAsk);
  onAnswered?.();
  if ('refused' in asked || 'lost' in asked) return asked;
  const { approval } = asked;
  // It may be decided already, which is as good.
  const withdraw = () => void client.request(approvalDeny.name, { approval });
  signal.addEventListener('abort', withdraw);
  try {
    if (signal.aborted) withdraw();
    else onApproval(toShown(asked));
    const decided = read(await client.request(approvalWait.name, { approval }), approvalWait);
    if ('refused' in decided || 'lost' in decided) return decided;
    const { how, by } = decided;
    const name = shown(by ?? 'somebody');
    if (how === 'approved') return { approved: toShown(asked), by: name };
    return notApproved(WHY[how](name));
  } catch (error) {
    withdraw();
    throw error;
  } finally {
    signal.removeEventListener('abort', withdraw);
  }
}

/** As the server has it. */
export const NEEDS_APPROVAL: ErrorCode = 'needs-approval';

/** `hasInput`: nobody would have seen that who approves. */
export function wordsForNeeding({ hasInput }: { readonly hasInput: boolean }): string {
  const why = hasInput ? ', and what they approve gets no input' : '';
  return `Cannot run the command: somebody else has to approve it${why}; nothing was started`;
}

/** As the server has it for what nobody has approved yet. */
const NOT_APPROVED = 'not-approved';

const WHY = {
  denied: (by: string) => `it was denied by ${by}`,
  expired: () => 'nobody approved it in time',
  withdrawn: () => 'the request was taken back',
} as const;

function notApproved(why: string): Approval {
  return { code: NOT_APPROVED, refused: `Cannot run the command: ${why}; nothing was started` };
}

function toShown(asked: AskedApproval): AskedApproval {
  return { ...asked, hosts: asked.hosts.map(shown), told: asked.told.map(shown) };
}

function read<Result extends object>(
  answer: Answer,
  { parseResult }: { parseResult: (result: unknown) => Result | undefined },
): Result | Exclude<Approval, { approved: unknown }> {
  if ('lost' in answer) return { lost: answer.lost };
  if ('error' in answer) return { refused: shown(answer.error.message), code: answer.error.data?.code ?? 'unknown' };
  return parseResult(answer.result) ?? { lost: 'the server answers in a way not known here' };
}
