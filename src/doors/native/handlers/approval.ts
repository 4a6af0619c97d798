// A second person: who asks waits, who may approve looks at the request and says yes or no to that and nothing else.

import type { Approval, Person } from '../../../core/run/approval.ts';
import { canonicalJson } from '../../../core/run/canonical.ts';
import {
  approvalDeny,
  approvalGive,
  approvalList,
  approvalShow,
  approvalWait,
  MAX_LISTED_APPROVALS,
  runAsk,
  type RunAsk,
} from '../../../protocol/native/methods/approval.ts';
import { shorten } from '../../../protocol/text.ts';
import { askFor, type AskAnswer } from '../../shared/asking.ts';
import { approversNow, personIn } from '../../shared/places.ts';
import { requestText, wordsForAsking } from '../../shared/words-approval.ts';
import { ATTEMPTS } from '../attempts.ts';
import { entry, sessionOf, type Asker, type Entries } from '../entry.ts';
import { fitting } from '../page.ts';
import { approvalError, no, toTime, wordsForStreams } from '../translate.ts';
import { lookUpFor, refusedRun, requestOf, starterFor, wantedBy } from './run.ts';

/** UTF-16 units of a request in the list: `approval.show` has the whole of it. */
const MAX_LISTED_LENGTH = 500;

export const APPROVAL: Entries<
  'run.ask' | 'approval.wait' | 'approval.list' | 'approval.show' | 'approval.give' | 'approval.deny'
> = {
  'run.ask': entry(runAsk, {
    needs: 'member',
    summary:
      'Asks for the second person that the policy wants for a command; those who may approve are told in the chat',
    answer: ask,
  }),
  'approval.wait': entry(approvalWait, {
    needs: 'member',
    summary: 'Answered when a request of this connection is decided',
    answer: wait,
  }),
  'approval.list': entry(approvalList, {
    needs: 'member',
    summary: 'Requests that wait: those that one may approve, and one’s own',
    answer: list,
  }),
  'approval.show': entry(approvalShow, {
    needs: 'member',
    summary: 'All that would be started, and where; its digest is what is approved',
    answer: show,
  }),
  'approval.give': entry(approvalGive, {
    needs: 'member',
    summary: 'Approves what has this digest; whoever asked may start it then, once on each machine',
    answer: give,
  }),
  'approval.deny': entry(approvalDeny, {
    needs: 'member',
    summary: 'Denies a request; one’s own is taken back',
    answer: deny,
  }),
};

async function ask(asker: Asker, given: RunAsk) {
  const { hub, approvals, now } = asker.house;
  const cannot = asker.refusalToRun([]);
  if (cannot !== undefined) return { error: wordsForStreams(cannot, ATTEMPTS['run.ask']) };
  const wanted = wantedBy(given);
  const looked = lookUpFor(asker, given.on ?? '', wanted);
  if (!('refused' in looked)) {
    return no('needs-no-approval', 'Cannot ask for approval: the command needs none; nothing was started');
  }
  if (looked.refused !== 'needs-approval') return refusedRun(asker, looked, wanted);
  const { places, approvers } = looked;
  if (places.command === undefined) throw new Error('A command needs approval that nobody has given');
  const session = sessionOf(asker);
  const person = personIn(hub, session);
  const hosts = places.places.map(({ name }) => name);
  const request = requestOf(asker, { command: places.command, wishes: given, places: places.places });
  if ('error' in request) return request;
  const asked = { by: person.name, hosts, request };
  const answer = await new Promise<AskAnswer>((resolve) => {
    askFor(
      { hub, approvals, session, now, person, asked, owner: asker, starter: starterFor(asker), approvers },
      resolve,
    );
  });
  if ('refused' in answer) return no(answer.refused, wordsForAsking(answer));
  const { approval, told } = answer;
  const { id, hash, expiresMs } = approval;
  return { result: { approval: id, hash, hosts, told, expires: toTime(expiresMs) } };
}

async function wait(asker: Asker, { approval: id }: Which) {
  const decided = asker.house.approvals.wait(id, asker);
  if ('refused' in decided) return approvalError(decided, ATTEMPTS['approval.wait']);
  const decision = await decided;
  return { result: { how: decision.how, by: 'by' in decision ? decision.by : null } };
}

interface Which {
  readonly approval: number;
}

function list(asker: Asker) {
  const all = asker.house.approvals.list(whoAsks(asker));
  const approvals = fitting(
    all
      .slice(0, MAX_LISTED_APPROVALS)
      .map((approval) =>
        Object.assign(summaryOf(asker, approval), { request: shorten(requestText(approval.asked), MAX_LISTED_LENGTH) }),
      ),
  );
  return { result: { approvals, ...(all.length > approvals.length ? { more: true } : {}) } };
}

function show(asker: Asker, { approval: id }: Which) {
  const approval = asker.house.approvals.show(id, whoAsks(asker));
  if ('refused' in approval) return approvalError(approval, ATTEMPTS['approval.show']);
  return { result: { ...summaryOf(asker, approval), canonical: canonicalJson(approval.asked) } };
}

function give(asker: Asker, { approval: id, hash }: Which & { readonly hash: string }) {
  const isSeen = (other: string) => other === hash;
  const { house } = asker;
  const given = house.approvals.approve(id, {
    person: whoAsks(asker),
    isSeen,
    approversNow: (approval) => approversNow(house, approval),
  });
  return 'refused' in given ? approvalError(given, ATTEMPTS['approval.give']) : { result: {} };
}

function deny(asker: Asker, { approval: id }: Which) {
  const denied = asker.house.approvals.deny(id, whoAsks(asker));
  return 'refused' in denied ? approvalError(denied, ATTEMPTS['approval.deny']) : { result: { how: denied.how } };
}

function whoAsks(asker: Asker): Person {
  return personIn(asker.house.hub, sessionOf(asker));
}

function summaryOf(asker: Asker, { id, hash, asked, asker: by, askedMs, expiresMs }: Approval) {
  return {
    approval: id,
    hash,
    by: asked.by,
    asked: toTime(askedMs),
    expires: toTime(expiresMs),
    own: by.member === whoAsks(asker).member,
  };
}
