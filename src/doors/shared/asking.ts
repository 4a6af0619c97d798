// Asking for a second person, the same by every door: the request is made, and those who may approve are told of it in the
// chat, by whoever asks, and later what became of it.

import {
  toBeTold,
  type Approval,
  type AskedRun,
  type AskRefusal,
  type Decision,
  type Person,
} from '../../core/run/approval.ts';
import type { ApprovalEvent, Approvals, Owner } from '../../core/run/approvals.ts';
import type { Approvers } from '../../core/run/policy.ts';
import { settingOf, type Starter } from '../../core/run/record.ts';
import type { Records } from '../../core/run/records.ts';
import type { Hub } from '../../core/hub.ts';
import type { NameKey } from '../../core/name.ts';
import type { SendRefusal } from '../../core/refusal.ts';
import type { Member, Session } from '../../core/session.ts';
import { messageText, outcomeText, wordsForDecision } from './words-approval.ts';
import { isAboutGroups } from './words.ts';

export interface Asking {
  readonly hub: Hub;
  readonly approvals: Approvals;
  readonly session: Session;
  readonly now: () => number;
  readonly person: Person;
  readonly asked: AskedRun;
  readonly owner: Owner;
  readonly starter: Starter;
  readonly approvers: Approvers;
}

export interface Told {
  readonly approval: Approval;
  /** Names of those who were told. */
  readonly told: readonly string[];
}

export type AskAnswer = Told | AskRefusal | SendRefusal;

/** `done` is called once, when the message to them is stored; a refusal has left nothing waiting. */
export function askFor(asking: Asking, done: (answer: AskAnswer) => void): void {
  const { hub, approvals, session, now, person, asked, owner, starter, approvers } = asking;
  const approval = approvals.ask(person, asked, { owner, approvers, starter });
  if ('refused' in approval) return done(approval);
  const isPresent = (key: NameKey) => hub.isPresent(key);
  const those = toBeTold(hub.directory.accounts, { asker: person, approvers, isPresent });
  const told = those.map(({ name }) => name);
  const decided = approvals.wait(approval.id, owner);
  return hub.handle(
    session,
    { type: 'send', to: told, text: messageText(approval) },
    {
      nowMs: now(),
      done: (answer) => {
        if (!('refused' in answer)) {
          if ('then' in decided) void decided.then((decision) => tellOutcome(asking, { approval, those, decision }));
          return done({ approval, told });
        }
        if (isAboutGroups(answer)) throw new Error('A message was refused as a change of groups');
        approvals.withdraw(approval.id, owner);
        return done(answer);
      },
    },
  );
}

interface Outcome {
  readonly approval: Approval;
  readonly those: readonly Member[];
  readonly decision: Decision;
}

/** Whoever reads the request later reads behind it that it is over. */
function tellOutcome({ hub, session, now }: Asking, { approval, those, decision }: Outcome): void {
  const text = outcomeText(approval, decision);
  hub.followUp(session.member, those, { text, atMs: now() });
}

/** What was asked for and nobody approved is on record as what the policy denies is, for whoever asked. */
export function recordUnapproved(
  { approval, ...decision }: ApprovalEvent,
  records: Pick<Records, 'newRun' | 'refuse'>,
): void {
  if (decision.how === 'asked' || decision.how === 'approved') return;
  const { id, asked, askedMs, starter } = approval;
  const { hosts, request } = asked;
  const reason = `request ${id} ${wordsForDecision(decision)}`;
  records.refuse({
    run: records.newRun(),
    starter,
    hosts,
    command: request.command,
    setting: settingOf(request),
    result: { result: 'denied', status: null, reason },
    request: { askedMs, how: decision.how },
  });
}
