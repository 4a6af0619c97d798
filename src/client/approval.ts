// Waiting for a second person, as whoever asks sees it. The request is as good as the connection that it was made on.

import { approvalWait, runAsk } from '../protocol/native/methods/approval.ts';
import type { RunsClient, RunWishes } from './run.ts';
import { shown } from './shown.ts';
import type { Answer } from './wire.ts';

/** As the server has it. */
export interface AskedApproval {
  readonly approval: number;
  readonly hash: string;
  readonly hosts: readonly string[];
  /** Who was told. */
  readonly told: readonly string[];
  readonly expires: string;
}

export type Decided =
  | { readonly how: 'approved' | 'denied'; readonly by: string }
  | { readonly how: 'expired' | 'withdrawn' };

type Asks = Pick<RunsClient, 'request'>;

export async function askApproval(client: Asks, wishes: RunWishes): Promise<AskedApproval | { refused: string }> {
  const asked = read(await client.request(runAsk.name, wishes), runAsk);
  if ('refused' in asked) return asked;
  return { ...asked, hosts: asked.hosts.map(shown), told: asked.told.map(shown) };
}

export async function awaitApproval(client: Asks, { approval }: AskedApproval): Promise<Decided | { refused: string }> {
  const decided = read(await client.request(approvalWait.name, { approval }), approvalWait);
  if ('refused' in decided) return decided;
  const { how, by } = decided;
  return how === 'approved' || how === 'denied' ? { how, by: shown(by ?? 'somebody') } : { how };
}

function read<Result extends object>(
  answer: Answer,
  { parseResult }: { parseResult: (result: unknown) => Result | undefined },
): Result | { refused: string } {
  if ('lost' in answer) return { refused: `Cannot wait for approval: ${answer.lost}` };
  if ('error' in answer) return { refused: shown(answer.error.message) };
  return parseResult(answer.result) ?? { refused: 'Cannot wait for approval: the answer is not known here' };
}
