import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findingsOf } from '../verdict.ts';
import { newsOf, seenOf, type Seen } from './changes.ts';
import type { FamilyFacts, ProbeFacts } from './facts.ts';

const AT = new Date('2026-11-30T10:00:00Z');

const family = (address: string, given: Partial<FamilyFacts> = {}): FamilyFacts => ({
  name: { tookMs: 1, addresses: [address] },
  addresses: [{ address, connectMs: 1 }],
  isHere: true,
  link: {
    address,
    local: { address: '192.0.2.9', port: 1 },
    server: { kind: 'plain' },
    rounds: { count: 3, sizeBytes: 64, times: [1, 3, undefined], changed: 0 },
  },
  ...given,
});
const refused: Partial<FamilyFacts> = {
  addresses: [{ address: '2001:db8::1', failed: { at: 'connect', kind: 'refused', why: 'connection refused' } }],
  link: undefined,
};
const seen = (v6: FamilyFacts, wants: ProbeFacts['wants'] = 'echo'): Seen => {
  const families = new Map([[4, family('192.0.2.1')] as const, [6, v6] as const]);
  const facts: ProbeFacts = { host: 'hub', port: 1, wants, isTls: false, race: [], winner: 4, nat64: [], families };
  return seenOf(facts, findingsOf(facts), AT);
};
const known = new Set(['192.0.2.1', '2001:db8::1']);

test('what is kept of a probe is small: the state, the addresses, a median and what was lost', () => {
  assert.deepEqual(seen(family('2001:db8::1', refused)), {
    at: '2026-11-30T10:00:00.000Z',
    asked: 'echo ipv4 ipv6',
    state: ['works ipv4', 'refused ipv6'],
    addresses: ['192.0.2.1', '2001:db8::1'],
    ipv4: { p50: 1, lost: 1, count: 3 },
  });
});

test('an address that was never seen is new, and one that was is not', () => {
  const before = seen(family('2001:db8::1'));
  assert.deepEqual(newsOf(before, before, known), []);
  assert.deepEqual(newsOf(seen(family('2001:db8::2')), before, known), [
    { news: 'new-address', family: 6, address: '2001:db8::2' },
  ]);
  assert.deepEqual(newsOf(before, seen(family('2001:db8::2')), known), []);
});

test('the first time nothing is new', () => {
  assert.deepEqual(newsOf(seen(family('2001:db8::1')), undefined, new Set()), []);
});

test('another state is news, in both directions, and what passes with every packet is not', () => {
  const [good, bad] = [seen(family('2001:db8::1')), seen(family('2001:db8::1', refused))];
  const [up, down] = [['works ipv4 ipv6'], ['works ipv4', 'refused ipv6']];
  assert.deepEqual(newsOf(bad, good, known), [{ news: 'state', before: up, now: down }]);
  assert.deepEqual(newsOf(good, bad, known), [{ news: 'state', before: down, now: up }]);
  const { link } = family('2001:db8::1');
  assert.ok(link !== undefined);
  const slow = { ...link, rounds: { count: 3, sizeBytes: 64, times: [50, 50, 300], changed: 0 } };
  assert.deepEqual(newsOf(seen(family('2001:db8::1', { link: slow })), good, known), []);
});

test('what was asked otherwise is not compared', () => {
  const before = seen(family('2001:db8::1', refused));
  assert.deepEqual(newsOf(seen(family('2001:db8::1'), 'connect'), before, known), []);
});
