import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { Account } from '../journal.ts';
import { parseName } from '../name.ts';
import type { Member, Role } from '../session.ts';
import { MAX_TOLD, personOf, toBeTold, type Approval, type AskedRun, type Person } from './approval.ts';
import {
  APPROVAL_LIFETIME_MS,
  Approvals,
  MAX_APPROVALS,
  MAX_APPROVALS_OF_ONE,
  MAX_REQUEST_BYTES,
  START_EVERYWHERE_WITHIN_MS,
  START_WITHIN_MS,
  type ApprovalEvent,
} from './approvals.ts';
import { canonicalJson } from './canonical.ts';
import type { Approvers } from './policy.ts';
import type { Starter } from './record.ts';

function nameOf(text: string) {
  const parsed = parseName(text);
  return 'refused' in parsed ? assert.fail(text) : parsed;
}

let lastId = 0;

function member(text: string, role: Role = 'member', kind: Account['kind'] = 'person'): Member {
  const { name, key } = nameOf(text);
  const id = ++lastId;
  const rest = { createdAtMs: 0, since: 0, delivered: 0, invitedBy: undefined, password: undefined };
  const account =
    role === 'guest' ? undefined : ({ id, name, key, role, kind, ...rest, revokedAtMs: undefined } satisfies Account);
  return { id, name, key, since: 0, delivered: 0, account, sessions: [] };
}

/** As itself, or with the rights of another. */
function person(own: Member, acts: Member = own): Person {
  return personOf({ member: own, role: acts.account?.role ?? 'guest' }, acts);
}

const JANAKI = member('janaki');
const EVE = member('eve');
const BOB = member('bob');
const OPERATOR = member('prashanth', 'operator');
const OWNER = member('owner', 'owner');
const BY_EVE: Approvers = [[{ kind: 'account', key: EVE.key }]];
const BY_OPERATORS: Approvers = [[{ kind: 'role', role: 'operator' }]];

function aRun(by: Member, hosts = ['web1'], line = 'reboot'): AskedRun {
  return { by: by.name, hosts, request: { command: { kind: 'shell', line }, env: {} } };
}

function starterOf({ id, name }: Member): Starter {
  return { by: id, byName: name, address: '::1' };
}

function aHouse({ start = 1 } = {}) {
  const time = { ms: 1_000 };
  const events: string[] = [];
  const approvals = new Approvals({
    hash: (text) => createHash('sha256').update(text).digest('hex'),
    now: () => 1_000_000 + time.ms,
    clock: () => time.ms,
    start,
    onEvent: (event: ApprovalEvent) =>
      void events.push(`${event.approval.id} ${event.how}${'by' in event ? ` ${event.by}` : ''}`),
  });
  const owner = {};
  return {
    time,
    events,
    approvals,
    owner,
    ask(by: Member = JANAKI, { approvers = BY_EVE, run = aRun(by), from = owner } = {}): Approval {
      const asked = approvals.ask(person(by), run, { owner: from, approvers, starter: starterOf(by) });
      return 'refused' in asked ? assert.fail(asked.refused) : asked;
    },
    approve(approval: Approval, by: Person, approversNow = (one: Approval): Approvers | undefined => one.approvers) {
      const isSeen = (hash: string) => hash === approval.hash;
      return refusalOf(approvals.approve(approval.id, { person: by, isSeen, approversNow }));
    },
    use({ id, asked, approvers }: Approval, host = 'web1', with_: object = {}) {
      return approvals.use(id, { owner, host, asked, approvers, ...with_ });
    },
  };
}

function refusalOf(answer: object): string | undefined {
  return 'refused' in answer ? String(answer.refused) : undefined;
}

test('what somebody else has approved starts once on each of its machines', async () => {
  const house = aHouse();
  const approval = house.ask(JANAKI, { run: aRun(JANAKI, ['web1', 'web2']) });
  assert.equal(approval.hash, createHash('sha256').update(canonicalJson(approval.asked)).digest('hex'));
  assert.equal(approval.expiresMs - approval.askedMs, APPROVAL_LIFETIME_MS);
  assert.equal(refusalOf(house.use(approval)), 'not-approved');
  assert.equal(house.approve(approval, person(EVE)), undefined);
  assert.deepEqual(await house.approvals.wait(approval.id, house.owner), { how: 'approved', by: EVE.name });
  assert.deepEqual(house.use(approval), { by: EVE.name, member: EVE.id, hash: approval.hash });
  assert.equal(refusalOf(house.use(approval)), 'approval-used');
  assert.equal(refusalOf(house.use(approval, 'web3')), 'approval-changed');
  assert.equal(refusalOf(house.use(approval, 'web2')), undefined);
  assert.equal(refusalOf(house.use(approval, 'web2')), 'approval-over');
  assert.deepEqual(house.events, ['1 asked', '1 approved eve']);
});

test('what is started differs in nothing from what was approved', () => {
  const house = aHouse();
  const approval = house.ask();
  house.approve(approval, person(EVE));
  const { request, by } = approval.asked;
  const others = [
    { request: { ...request, command: { kind: 'shell', line: 'reboot ' } } },
    { request: { ...request, command: { kind: 'argv', argv: ['reboot'] } } },
    { request: { ...request, env: { TERM: 'xterm' } } },
    { request: { ...request, timeoutMs: 1_000 } },
    { request, by: BOB.name },
  ];
  for (const other of others) {
    assert.equal(refusalOf(house.use(approval, 'web1', { asked: { by, ...other } })), 'approval-changed');
  }
  assert.equal(refusalOf(house.use(approval, 'web1', { owner: {} })), 'unknown-approval');
  // A policy that has changed meanwhile counts as it is now.
  assert.equal(refusalOf(house.use(approval, 'web1', { approvers: BY_OPERATORS })), 'may-not-approve');
  assert.equal(refusalOf(house.use(approval)), undefined);
});

test('nobody approves their own request, whatever rights they have borrowed for it', () => {
  const house = aHouse();
  const guest = member('Vamshi', 'guest');
  const approval = house.ask(OPERATOR, { approvers: BY_OPERATORS });
  for (const same of [person(OPERATOR), person(OPERATOR, OWNER), person(guest, OPERATOR)]) {
    assert.equal(house.approve(approval, same), 'own-approval');
  }
  // Whoever lent themselves rights for asking is both.
  const asked = house.approvals.ask(person(JANAKI, OPERATOR), aRun(OPERATOR), {
    owner: house.owner,
    starter: starterOf(JANAKI),
    approvers: [[{ kind: 'role', role: 'member' }]],
  });
  if ('refused' in asked) assert.fail(asked.refused);
  assert.equal(house.approve(asked, person(JANAKI)), 'own-approval');
  assert.equal(house.approve(asked, person(OPERATOR)), 'own-approval');
  assert.equal(house.approve(asked, person(guest, EVE)), undefined);
  assert.equal(house.approve(approval, person(OWNER)), undefined);
});

test('only those approve and look whom the rules of every machine name, and the owner', () => {
  const house = aHouse();
  const approval = house.ask(JANAKI, { approvers: [...BY_EVE, [{ kind: 'account', key: BOB.key }, ...BY_EVE[0]!]] });
  const revoked = { ...EVE, account: EVE.account && { ...EVE.account, revokedAtMs: 1 } };
  const guest = member('eve2', 'guest');
  for (const other of [person(BOB), person(OPERATOR), person(guest), person(revoked)]) {
    assert.equal(house.approve(approval, other), 'may-not-approve');
    assert.equal(refusalOf(house.approvals.show(approval.id, other)), 'may-not-approve');
    assert.equal(refusalOf(house.approvals.deny(approval.id, other)), 'may-not-approve');
    assert.deepEqual(house.approvals.list(other), []);
  }
  for (const knowing of [person(EVE), person(OWNER), person(JANAKI)]) {
    assert.deepEqual(house.approvals.list(knowing), [approval]);
    assert.equal(house.approvals.show(approval.id, knowing), approval);
  }
  assert.equal(
    refusalOf(
      house.approvals.approve(approval.id, { person: person(EVE), isSeen: () => false, approversNow: () => [] }),
    ),
    'approval-changed',
  );
  assert.equal(house.approve(approval, person(EVE)), undefined);
  assert.equal(house.approve(approval, person(EVE)), 'approval-over');
});

test('nobody approves what the policy does not allow any more, nor whom it does not name any more', () => {
  const house = aHouse();
  const approval = house.ask();
  for (const by of [person(EVE), person(OWNER)]) {
    assert.equal(
      house.approve(approval, by, () => undefined),
      'not-allowed',
    );
  }
  assert.equal(
    house.approve(approval, person(JANAKI), () => undefined),
    'own-approval',
  );
  assert.equal(
    house.approve(approval, person(EVE), () => BY_OPERATORS),
    'may-not-approve',
  );
  assert.deepEqual(house.approvals.list(person(EVE)), [approval]);
  assert.equal(house.approve(approval, person(EVE)), undefined);
});

test('a request is over when it is denied, withdrawn, too old, or nobody is there any more who asked', async () => {
  const house = aHouse();
  const all = Array.from({ length: 5 }, () => house.ask());
  const decided = all.map(({ id }) => Promise.resolve(house.approvals.wait(id, house.owner)));
  const [denied, withdrawn, taken, old, left] = all;
  assert.ok(denied && withdrawn && taken && old && left);
  house.approvals.deny(denied.id, person(EVE));
  house.approvals.deny(withdrawn.id, person(JANAKI));
  house.approvals.withdraw(taken.id, {});
  house.approvals.withdraw(taken.id, house.owner);
  house.time.ms += APPROVAL_LIFETIME_MS - 1;
  const late = house.ask(JANAKI, { from: {} });
  house.approvals.expire();
  assert.equal(house.approvals.list(person(EVE)).length, 3);
  house.time.ms += 1;
  assert.deepEqual(house.approvals.list(person(EVE)), [late]);
  assert.deepEqual(await Promise.all(decided), [
    { how: 'denied', by: EVE.name },
    { how: 'withdrawn' },
    { how: 'withdrawn' },
    { how: 'expired' },
    { how: 'expired' },
  ]);
  house.approvals.leave(house.owner);
  assert.deepEqual(house.approvals.list(person(EVE)), [late]);
  assert.equal(house.approve(old, person(EVE)), 'approval-over');
  const other = new Approvals({ hash: () => '', now: () => 0, clock: () => 0, start: 1, onEvent: () => {} });
  assert.equal(refusalOf(other.show(old.id, person(EVE))), 'unknown-approval');
});

test('what was approved has to start soon, and everywhere within an hour', () => {
  for (const [isStarted, withinMs] of [
    [false, START_WITHIN_MS],
    [true, START_EVERYWHERE_WITHIN_MS],
  ] as const) {
    const house = aHouse();
    const approval = house.ask(JANAKI, { run: aRun(JANAKI, ['web1', 'web2', 'web3']) });
    house.approve(approval, person(EVE));
    if (isStarted) house.use(approval);
    house.time.ms += withinMs - 1;
    assert.equal(refusalOf(house.use(approval, 'web2')), undefined);
    house.time.ms += START_EVERYWHERE_WITHIN_MS;
    assert.equal(refusalOf(house.use(approval, 'web3')), 'approval-over');
  }
  const house = aHouse();
  const approval = house.ask();
  house.approve(approval, person(EVE));
  house.time.ms += START_WITHIN_MS;
  assert.equal(refusalOf(house.use(approval)), 'approval-over');
  assert.deepEqual(house.events, ['1 asked', '1 approved eve']);
});

test('what was approved by an account that is revoked meanwhile does not start', () => {
  const house = aHouse();
  const lead = member('lead');
  const approval = house.ask(JANAKI, { approvers: [[{ kind: 'account', key: lead.key }]] });
  assert.equal(house.approve(approval, person(lead)), undefined);
  lead.account = lead.account && { ...lead.account, revokedAtMs: 1 };
  assert.equal(refusalOf(house.use(approval)), 'may-not-approve');
});

test('so many requests wait at most, of one account and in all, and each is only so long', () => {
  const house = aHouse();
  const tooLong = aRun(JANAKI, ['web1'], 'x'.repeat(MAX_REQUEST_BYTES));
  assert.equal(
    refusalOf(
      house.approvals.ask(person(JANAKI), tooLong, { owner: {}, approvers: BY_EVE, starter: starterOf(JANAKI) }),
    ),
    'request-too-long',
  );
  for (let at = 0; at < MAX_APPROVALS; at++) {
    const by = at < MAX_APPROVALS_OF_ONE ? JANAKI : member(`m${at}`);
    house.ask(by, { from: {} });
    if (at !== MAX_APPROVALS_OF_ONE) continue;
    assert.deepEqual(
      house.approvals.ask(person(JANAKI), aRun(JANAKI), { owner: {}, approvers: BY_EVE, starter: starterOf(JANAKI) }),
      {
        refused: 'too-many-waiting',
        of: 'one',
        max: MAX_APPROVALS_OF_ONE,
      },
    );
  }
  assert.deepEqual(
    house.approvals.ask(person(BOB), aRun(BOB), { owner: {}, approvers: BY_EVE, starter: starterOf(JANAKI) }),
    {
      refused: 'too-many-waiting',
      of: 'all',
      max: MAX_APPROVALS,
    },
  );
});

test('those are told who may approve, never the asker, those here first; the owner where nobody else may', () => {
  const accounts = [JANAKI, EVE, BOB, OPERATOR, OWNER, member('web1', 'member', 'host')];
  const told = (approvers: Approvers, { asker = JANAKI, here = [] as Member[] } = {}) =>
    toBeTold(accounts, {
      asker: person(asker),
      approvers,
      isPresent: (key) => here.some((one) => one.key === key),
    });
  assert.deepEqual(told(BY_EVE), [EVE]);
  assert.deepEqual(told(BY_OPERATORS), [OPERATOR, OWNER]);
  assert.deepEqual(told(BY_OPERATORS, { here: [OWNER] }), [OWNER, OPERATOR]);
  assert.deepEqual(told(BY_EVE, { asker: EVE }), [OWNER]);
  assert.deepEqual(told([[{ kind: 'role', role: 'member' }]]), [EVE, BOB, OPERATOR, OWNER]);
  assert.deepEqual(told([...BY_EVE, ...BY_OPERATORS]), [OWNER]);
  const many = Array.from({ length: MAX_TOLD + 10 }, (_, at) => member(`n${at}`));
  const everybody = { asker: person(JANAKI), approvers: [[{ kind: 'role', role: 'member' }]] as const };
  assert.equal(toBeTold(many, { ...everybody, isPresent: () => false }).length, MAX_TOLD);
});

test('a number that was given once is never given again, also by the next start of the server', () => {
  const before = aHouse();
  const after = aHouse({ start: 2 });
  const [old, next] = [before.ask(), after.ask()];
  assert.deepEqual([old.id, next.id], [1, 100_001]);
  assert.equal(refusalOf(after.approvals.deny(old.id, person(EVE))), 'unknown-approval');
  assert.equal(after.approvals.list(person(EVE)).length, 1);
});
