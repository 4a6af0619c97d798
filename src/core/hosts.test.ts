// What is known of machines: what they say while they are here, and what they said when they are away.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aName, anAccount } from '../../test/contracts/journal.ts';
import { Directory } from './directory.ts';
import { Hosts, SEEN_AGAIN_MS, type Machine } from './hosts.ts';
import type { Change, Everything } from './journal.ts';
import { NO_HASH } from './run/record.ts';

const WEB1 = { ...anAccount(1, 'Web1'), kind: 'host' } as const;
const WEB2 = { ...anAccount(2, 'Web2'), kind: 'host' } as const;
const EVERYTHING: Everything = {
  start: 1,
  journalId: 'a',
  head: 0,
  accounts: [WEB1, WEB2],
  tokens: [],
  invites: [],
  groups: [],
  runs: { last: 0, head: NO_HASH, unended: [] },
  machines: [],
};

const nobody = () => assert.fail('nothing is detached here');

class Said implements Machine {
  readonly detached = { start: nobody, attach: nobody, ended: nobody, cancel: nobody };
  readonly runner = { start: () => assert.fail('nothing is to be started') };
  readonly labels: ReadonlyMap<string, string>;
  readonly family = 'ipv6';
  readonly rttMs = undefined;
  readonly dismissed: string[] = [];
  heardAtMs: number;
  constructor(labels: Readonly<Record<string, string>>, heardAtMs: number) {
    this.labels = new Map(Object.entries(labels));
    this.heardAtMs = heardAtMs;
  }
  dismiss(reason: string): void {
    this.dismissed.push(reason);
  }
}

/** What a server finds, and what it tells the journal from then on. */
function someHosts(everything: Everything) {
  const directory = new Directory(everything);
  const changes: Change[] = [];
  const lists: (readonly Change[])[] = [];
  const record = (made: readonly Change[]) => {
    changes.push(...made);
    lists.push(made);
  };
  const hosts = new Hosts({ directory, journal: { record } });
  const { key } = aName('web1');
  const known = () => {
    const { machine, labels, seenAtMs } = hosts.of(key) ?? assert.fail('it has not joined');
    return { isHere: machine !== undefined, labels: Object.fromEntries(labels), seenAtMs };
  };
  const memberOf = (name: string) => directory.account(aName(name).key) ?? assert.fail('there is no account');
  return { hosts, changes, lists, known, web1: memberOf('web1'), web2: memberOf('web2') };
}

test('a machine is known by what it last said, and by the next server too', () => {
  const { hosts, changes, known, web1 } = someHosts(EVERYTHING);
  assert.deepEqual(known(), { isHere: false, labels: {}, seenAtMs: undefined });
  const first = new Said({ env: 'prod' }, 1_000);
  hosts.enter(web1, first);
  assert.deepEqual(known(), { isHere: true, labels: { env: 'prod' }, seenAtMs: 1_000 });
  first.heardAtMs = 5_000;
  assert.equal(known().seenAtMs, 5_000);
  hosts.leave(web1, first);
  const away = { isHere: false, labels: { env: 'prod' }, seenAtMs: 5_000 };
  assert.deepEqual(known(), away);
  const last = changes.at(-1);
  assert.ok(last?.type === 'machine-seen');
  const next = someHosts({ ...EVERYTHING, machines: [last.seen] });
  assert.deepEqual(next.known(), away);
  assert.deepEqual([...next.hosts.all()].length, 2);
  next.hosts.enter(next.web1, new Said({ rack: 'r1' }, 9_000));
  assert.deepEqual(next.known(), { isHere: true, labels: { rack: 'r1' }, seenAtMs: 9_000 });
});

test('a connection whose place was taken says nothing more of its machine', () => {
  const { hosts, changes, known, web1 } = someHosts(EVERYTHING);
  const [old, anew] = [new Said({ env: 'old' }, 1_000), new Said({ env: 'new' }, 2_000)];
  hosts.enter(web1, old);
  hosts.enter(web1, anew);
  assert.deepEqual(old.dismissed, ['another connection with the key of this machine has taken its place']);
  old.heardAtMs = 3_000;
  hosts.leave(web1, old);
  assert.deepEqual(known(), { isHere: true, labels: { env: 'new' }, seenAtMs: 2_000 });
  assert.equal(changes.length, 2);
});

test('the journal is told from time to time which machines are still here, of all at once', () => {
  const { hosts, lists, web1, web2 } = someHosts(EVERYTHING);
  const [first, second] = [new Said({}, 0), new Said({}, 0)];
  hosts.enter(web1, first);
  hosts.enter(web2, second);
  const before = lists.length;
  for (const at of [0, 10_000, SEEN_AGAIN_MS - 1, SEEN_AGAIN_MS, SEEN_AGAIN_MS + 10_000, 2 * SEEN_AGAIN_MS]) {
    // The second one has fallen silent.
    first.heardAtMs = at;
    second.heardAtMs = Math.min(at, SEEN_AGAIN_MS);
    hosts.save(at);
  }
  const told = lists
    .slice(before)
    .map((list) => list.map((change) => change.type === 'machine-seen' && [change.seen.account, change.seen.atMs]));
  assert.deepEqual(told, [
    [
      [web1.id, SEEN_AGAIN_MS],
      [web2.id, SEEN_AGAIN_MS],
    ],
    [[web1.id, 2 * SEEN_AGAIN_MS]],
  ]);
});

test('whoever has left is not seen again', () => {
  const { hosts, lists, web1 } = someHosts(EVERYTHING);
  const machine = new Said({}, 0);
  hosts.enter(web1, machine);
  hosts.leave(web1, machine);
  const before = lists.length;
  machine.heardAtMs = SEEN_AGAIN_MS;
  hosts.save(SEEN_AGAIN_MS);
  assert.equal(lists.length, before);
});
