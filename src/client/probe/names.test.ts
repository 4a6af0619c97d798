import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stillClock } from '../../../test/kit/clock.ts';
import { until } from '../../../test/kit/proc.ts';
import type { Candidate } from '../../net/race.ts';
import { LOOKUP_DEADLINE_MS, MAX_ADDRESSES, prefixesFor, resolveNames } from './names.ts';

const V4: Candidate = { address: '192.0.2.1', family: 4 };
const V6: Candidate = { address: '2001:db8::1', family: 6 };
const unknown = () => Promise.reject(Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' }));
const both = [4, 6] as const;

test('each record type is asked for on its own, and the order is that of both', async () => {
  let asked = 0;
  const lookup = async () => {
    asked++;
    return [V6, V4, V6];
  };
  const { byFamily, order } = await resolveNames({ host: 'hub.example', families: both, lookup });
  assert.deepEqual([byFamily.get(4)?.addresses, byFamily.get(6)?.addresses], [['192.0.2.1'], ['2001:db8::1']]);
  assert.deepEqual(order, [V6, V4]);
  assert.equal(asked, 3);
  for (const family of both) assert.ok((byFamily.get(family)?.tookMs ?? -1) >= 0);
});

test('a name without addresses of a family is told from a name that is not there, and from no answer', async () => {
  const one = await resolveNames({ host: 'hub.example', families: both, lookup: async () => [V4] });
  assert.deepEqual(one.byFamily.get(6)?.failed, { kind: 'none', why: 'hub.example has no IPv6 address' });
  assert.deepEqual(one.order, [V4]);
  const none = await resolveNames({ host: 'hub.example', families: both, lookup: unknown });
  assert.deepEqual(none.byFamily.get(4)?.failed, { kind: 'unknown', why: 'name does not resolve' });
  assert.deepEqual(none.order, []);
  const again = () => Promise.reject(Object.assign(new Error('getaddrinfo EAI_AGAIN'), { code: 'EAI_AGAIN' }));
  const unanswered = await resolveNames({ host: 'hub.example', families: both, lookup: again });
  assert.deepEqual(unanswered.byFamily.get(6)?.failed, { kind: 'unanswered', why: 'the name service does not answer' });
  const clock = stillClock();
  const silent = resolveNames({ host: 'hub.example', families: [6], lookup: () => new Promise(() => {}), clock });
  await until(() => clock.waiting > 0, 'the answer is waited for');
  clock.pass(LOOKUP_DEADLINE_MS);
  const { failed, tookMs } = (await silent).byFamily.get(6) ?? {};
  assert.deepEqual([failed, tookMs], [{ kind: 'unanswered', why: 'no answer within 10 s' }, LOOKUP_DEADLINE_MS]);
});

test('of a family that getaddrinfo does not find though it has the other, the name is there', async () => {
  let asked = 0;
  // As getaddrinfo does it: asked for AAAA alone it knows no such name.
  const lookup = async () => (++asked === 2 ? await unknown() : [V4]);
  const { byFamily } = await resolveNames({ host: 'hub.example', families: both, lookup });
  assert.deepEqual(byFamily.get(6)?.failed, { kind: 'none', why: 'hub.example has no IPv6 address' });
});

test('where one family alone is asked for, the other says whether the name is there', async () => {
  const asked: (number | undefined)[] = [];
  const lookup = async (_: string, family?: number) => (asked.push(family), family === 4 ? [V4] : await unknown());
  const { byFamily, order } = await resolveNames({ host: 'hub.example', families: [6], lookup });
  assert.deepEqual(byFamily.get(6)?.failed, { kind: 'none', why: 'hub.example has no IPv6 address' });
  assert.deepEqual([asked, order], [[6, 4], []]);
  const none = await resolveNames({ host: 'hub.example', families: [6], lookup: unknown });
  assert.deepEqual(none.byFamily.get(6)?.failed, { kind: 'unknown', why: 'name does not resolve' });
});

test('a literal address is nobody asked about, and is of one family', async () => {
  const lookup = () => assert.fail('it was asked about');
  const mapped = await resolveNames({ host: '::ffff:192.0.2.1', families: both, lookup });
  assert.deepEqual(mapped.order, [V4]);
  assert.deepEqual(mapped.byFamily.get(4), { tookMs: undefined, addresses: ['192.0.2.1'] });
  assert.deepEqual(mapped.byFamily.get(6)?.failed, { kind: 'none', why: '::ffff:192.0.2.1 is not an IPv6 address' });
});

test('of a name with very many addresses the first ones are taken', async () => {
  const all = Array.from({ length: 40 }, (_, at): Candidate[] => [
    { address: `2001:db8::${at}`, family: 6 },
    { address: `192.0.2.${at}`, family: 4 },
  ]).flat();
  let asked = 0;
  // Each answer begins with others, as a balancer's does.
  const lookup = async () => all.slice(asked++ * 4);
  const { byFamily, order } = await resolveNames({ host: 'hub.example', families: both, lookup });
  const lengths = both.map((family) => byFamily.get(family)?.addresses.length);
  assert.deepEqual(lengths, [MAX_ADDRESSES, MAX_ADDRESSES]);
  const told = both.flatMap((family) => byFamily.get(family)?.addresses ?? []);
  assert.deepEqual(order.map(({ address }) => address).toSorted(), told.toSorted());
});

test('the prefixes of NAT64 are asked for only where an address could be of one', async () => {
  const asked: string[] = [];
  const lookup = async (name: string): Promise<Candidate[]> => {
    asked.push(name);
    return [{ address: '2001:db8:64::c000:aa', family: 6 }];
  };
  assert.deepEqual(await prefixesFor([V4, { address: '::1', family: 6 }], { lookup }), []);
  assert.deepEqual(asked, []);
  assert.deepEqual(await prefixesFor([V6], { lookup }), [{ address: '2001:db8:64::', length: 96 }]);
  assert.deepEqual(asked, ['ipv4only.arpa']);
});
