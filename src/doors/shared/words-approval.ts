// A second person, in words, where more than one door says it: what is asked and of whom, what became of it, and why
// somebody cannot approve or start it.

import type { Approval, ApproveRefusal, AskedRun, AskRefusal, Decision, UseRefusal } from '../../core/run/approval.ts';
import type { ApprovalEvent } from '../../core/run/approvals.ts';
import type { NeedsApproval } from '../../core/run/policy.ts';
import type { SendRefusal } from '../../core/refusal.ts';
import type { ConsoleEvent } from '../../log/log.ts';
import { formatDate, formatDateUtc } from '../../protocol/date.ts';
import { formatNodeSet } from '../../protocol/node-set.ts';
import { escapeControls, quote, shorten } from '../../protocol/text.ts';
import { commandText, MAX_ANNOUNCED_LENGTH } from './announce.ts';
import type { Told } from './asking.ts';
import { askedText, type Denied } from './words-run.ts';
import { listed, whyNotSent } from './words.ts';

/** Hexadecimal digits of a digest that tell a request from the others there are: it is looked up by its number. */
export const SHORT_HASH_LENGTH = 12;

export function shortHash(hash: string): string {
  return hash.slice(0, SHORT_HASH_LENGTH);
}

export function wordsForNeeded({ names }: NeedsApproval, { by, command }: Denied): string {
  const what = command === undefined ? 'anything' : askedText(command);
  return `Cannot run ${what} on ${listed(names)} as ${by}: somebody else has to approve it; nothing was started`;
}

export function wordsForAsking(refusal: AskRefusal | SendRefusal): string {
  const attempt = 'Cannot ask for approval';
  switch (refusal.refused) {
    case 'unknown-recipient':
    case 'machine-recipient':
    case 'all-among-names':
    case 'empty-message':
    case 'text-too-long':
    case 'bad-key':
    case 'key-reused':
    case 'not-stored':
      return `${attempt}: nobody can be told of it: ${whyNotSent(refusal)}; nothing was started`;
    case 'too-many-waiting': {
      const whose = refusal.of === 'one' ? 'of your requests' : 'requests';
      return `${attempt}: ${refusal.max} ${whose} are under way, which is the most; nothing was started`;
    }
    case 'request-too-long':
      return `${attempt}: the request has ${refusal.bytes} bytes, ${refusal.maxBytes} are the most; nothing was started`;
  }
}

/** `attempt`: what somebody tried, up to the colon. */
export function wordsForApproval(refusal: UseRefusal | ApproveRefusal, attempt: string): string {
  const { id } = refusal;
  switch (refusal.refused) {
    case 'unknown-approval':
      return `${attempt}: there is no request ${id}; requests end with the connection that asked, and with the server`;
    case 'approval-over':
      return `${attempt}: request ${id} ${wordsForDecision(refusal.decision)}`;
    case 'approval-changed':
      return `${attempt}: that is not what request ${id} is about`;
    case 'own-approval':
      return `${attempt}: request ${id} is your own, and somebody else has to approve it`;
    case 'may-not-approve':
      return `${attempt}: the policy of the server does not name you for request ${id}`;
    case 'not-allowed':
      return `${attempt}: the policy of the server does not allow any more what request ${id} is about; nothing was started`;
    case 'not-approved':
      return `${attempt}: request ${id} waits for approval`;
    case 'approval-used':
      return `${attempt}: request ${id} was for one start on ${quote(refusal.host)}, which it has had`;
  }
}

/** What became of a request that nobody approved, in a word. */
export const DECIDED = { denied: 'denied', expired: 'expired', withdrawn: 'taken back' } as const;

/** What became of it: `was denied by eve`. */
export function wordsForDecision(decision: Decision): string {
  switch (decision.how) {
    case 'approved':
      return `was approved by ${decision.by}, and is over`;
    case 'denied':
      return `was denied by ${decision.by}`;
    case 'expired':
      return 'has expired: nobody approved it in time';
    case 'withdrawn':
      return 'was taken back by whoever asked';
  }
}

/** All that is started, on one line: nothing is left out, and nothing is shown in two ways. */
export function requestText({ hosts, request }: AskedRun): string {
  const { command, ...rest } = request;
  const kind = command.kind === 'shell' ? 'the shell line' : 'the program';
  const facts = Object.entries(rest).flatMap(([name, value]) => factText(name, value));
  const how = facts.length === 0 ? '' : ` (${facts.join(', ')})`;
  return `${kind} ${commandText(command)} on ${formatNodeSet(hosts)}${how}`;
}

/** `timeoutMs: 1000`, `TERM="xterm"`. */
function factText(name: string, value: unknown): string[] {
  if (value === undefined) return [];
  if (name !== 'env' || typeof value !== 'object' || value === null) {
    return [escapeControls(`${name}: ${JSON.stringify(value)}`)];
  }
  return Object.entries(value).map(([key, text]) => escapeControls(`${key}=${JSON.stringify(text)}`));
}

/** What those are told who may approve. One line: it is read at `nc` too. */
export function messageText({ id, hash, asked, expiresMs }: Approval): string {
  const short = shortHash(hash);
  const how = `partyline approve ${id}, or here: approve ${id} ${short}; partyline deny ${id}`;
  return `asks to run ${requestText(asked)} as ${asked.by}, until ${formatDateUtc(expiresMs)}: ${how}; sha256 ${hash}`;
}

/** What they are told when it is over. */
export function outcomeText({ id }: Approval, decision: Decision): string {
  if (decision.how === 'approved') return `request ${id} was approved by ${decision.by}`;
  return `request ${id} ${wordsForDecision(decision)}; nothing was started`;
}

/** What whoever asked is told, in the server's time as everything at `nc`. */
export function wordsForWaiting({ approval: { id, hash, expiresMs }, told }: Told): string {
  const until = formatDate(expiresMs);
  return `Waiting for approval by ${told.join(', ')} until ${until}: request ${id} ${shortHash(hash)}; deny ${id} takes it back`;
}

/** A line of `approvals` at `nc`, in the server's time as everything there. */
export function lineText({ id, hash, asked, expiresMs }: Approval): string {
  return `${id} ${shortHash(hash)} until ${formatDate(expiresMs)} ${asked.by} : ${requestText(asked)}`;
}

/** `Approval 3 asked by janaki: the shell line reboot on web1`, on one line of the console. */
export function announceApproval(event: ApprovalEvent): ConsoleEvent {
  const { approval, how } = event;
  const { id, hash, asked } = approval;
  const who = how === 'asked' ? ` by ${asked.by}` : 'by' in event ? ` by ${event.by}` : '';
  const text = shorten(`Approval ${id} ${how}${who}: ${requestText(asked)}`, MAX_ANNOUNCED_LENGTH);
  return { event: 'approval', text, id, how, by: asked.by, hash, ...('by' in event ? { decidedBy: event.by } : {}) };
}
