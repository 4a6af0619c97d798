// What dialling makes of names: RFC 8305 section 3, and answers that come late, in part or never.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settled } from '../../test/kit/clock.ts';
import { failureOf, stillWorld, V4, V6 } from '../../test/kit/dialling.ts';
import { dial, RESOLUTION_DELAY_MS, type Lookup } from './dial.ts';
import type { Candidate } from './race.ts';

test('a name service that never answers is not waited for beyond the deadline', async () => {
  const world = stillWorld();
  const failing = failureOf(dial({ ...world.options, lookup: () => new Promise(() => {}), deadlineMs: 2_000 }));
  await settled();
  await world.pass(2_000);
  assert.equal(
    (await failing).message,
    'Cannot connect to hub.example port 7270: no answer within 2 s while resolving the name',
  );
});

/** A name whose answers come when told: for both families, or for the one that was asked for alone. */
function slowNames() {
  const asked: string[] = [];
  const pending = new Map<string, PromiseWithResolvers<Candidate[]>>();
  const word = (family?: number) => (family === undefined ? 'both' : `IPv${family}`);
  const answer = (what: string): PromiseWithResolvers<Candidate[]> => {
    const found = pending.get(what);
    assert.ok(found !== undefined, `nobody asked for ${what}`);
    return found;
  };
  const lookup: Lookup = (_, family) => {
    asked.push(word(family));
    const promise = Promise.withResolvers<Candidate[]>();
    pending.set(word(family), promise);
    return promise.promise;
  };
  return {
    asked,
    lookup,
    async finds(what: string, ...found: Candidate[]) {
      answer(what).resolve(found);
      await settled();
    },
    async fails(what: string, code: string) {
      answer(what).reject(Object.assign(new Error(code), { code }));
      await settled();
    },
  };
}

test('section 3: what answers within the Resolution Delay, 50 ms, is asked once, for both families', async () => {
  const [world, names] = [stillWorld(), slowNames()];
  const dialling = dial({ ...world.options, lookup: names.lookup });
  await world.pass(49);
  assert.deepEqual(names.asked, ['both']);
  await names.finds('both', V6, V4);
  assert.deepEqual(world.started(), ['2001:db8::1']);
  await world.pass(1);
  world.answers(V6);
  assert.deepEqual([(await dialling).address, names.asked], ['2001:db8::1', ['both']]);
  assert.equal(world.clock.waiting, 0);
});

test('section 3: where A is there and AAAA is not, IPv4 begins after 50 ms; AAAA joins when it comes', async () => {
  const [world, names] = [stillWorld(), slowNames()];
  const dialling = dial({ ...world.options, lookup: names.lookup });
  await world.pass(50);
  assert.deepEqual(names.asked, ['both', 'IPv4', 'IPv6']);
  assert.deepEqual(world.started(), []);
  await names.finds('IPv4', V4);
  assert.deepEqual(world.started(), ['192.0.2.1']);
  await world.pass(100);
  await names.finds('both', V6, V4);
  await world.pass(149);
  assert.deepEqual(world.started(), ['192.0.2.1']);
  await world.pass(1);
  assert.deepEqual(world.started(), ['192.0.2.1', '2001:db8::1']);
  world.answers(V6);
  assert.equal((await dialling).address, '2001:db8::1');
  assert.deepEqual([world.socketTo(V4).destroyed, world.clock.waiting], [true, 0]);
});

test('section 3: where AAAA is there and A is not, IPv6 begins as soon', async () => {
  const [world, names] = [stillWorld(), slowNames()];
  const dialling = dial({ ...world.options, lookup: names.lookup });
  await world.pass(RESOLUTION_DELAY_MS);
  await names.finds('IPv6', V6);
  assert.deepEqual(world.started(), ['2001:db8::1']);
  world.answers(V6);
  assert.equal((await dialling).address, '2001:db8::1');
  // Its question is still open: the answer is nobody's any more.
  await names.finds('both', V6, V4);
  await names.finds('IPv4', V4);
  assert.deepEqual(world.started(), ['2001:db8::1']);
});

test('section 3: addresses that come once more with the other family are not tried again', async () => {
  const [world, names] = [stillWorld(), slowNames()];
  const failing = failureOf(dial({ ...world.options, lookup: names.lookup }));
  await world.pass(RESOLUTION_DELAY_MS);
  await names.finds('both', V6, V4);
  await names.finds('IPv4', V4);
  await names.finds('IPv6', V6);
  world.fails(V6, 'ECONNREFUSED');
  world.fails(V4, 'ECONNREFUSED');
  assert.equal((await failing).attempts.length, 2);
});

test('one family’s question may fail: what counts is the one for both', async () => {
  const [world, names] = [stillWorld(), slowNames()];
  const dialling = dial({ ...world.options, lookup: names.lookup });
  await world.pass(RESOLUTION_DELAY_MS);
  await names.fails('IPv6', 'ENOTFOUND');
  await names.fails('IPv4', 'EAI_AGAIN');
  await names.finds('both', V4);
  world.answers(V4);
  assert.equal((await dialling).address, '192.0.2.1');
});

test('where the question for both fails, what is under way may still connect; else that is why', async () => {
  const [world, names] = [stillWorld(), slowNames()];
  const dialling = dial({ ...world.options, lookup: names.lookup });
  await world.pass(RESOLUTION_DELAY_MS);
  await names.finds('IPv4', V4);
  await names.fails('both', 'EAI_AGAIN');
  world.answers(V4);
  assert.equal((await dialling).address, '192.0.2.1');

  const [other, none] = [stillWorld(), slowNames()];
  const failing = failureOf(dial({ ...other.options, lookup: none.lookup }));
  await other.pass(RESOLUTION_DELAY_MS);
  await none.fails('both', 'ENOTFOUND');
  assert.equal((await failing).reason, 'name does not resolve');
  await none.finds('IPv4', V4);
  assert.deepEqual([other.started(), other.clock.waiting], [[], 0]);
});

test('-4 and -6 do not wait for the family that they do not want', async () => {
  const [world, names] = [stillWorld(), slowNames()];
  const dialling = dial({ ...world.options, lookup: names.lookup, family: 4 });
  await world.pass(RESOLUTION_DELAY_MS);
  assert.deepEqual(names.asked, ['both', 'IPv4']);
  await names.finds('IPv4', V6, V4);
  assert.deepEqual(world.started(), ['192.0.2.1']);
  world.answers(V4);
  assert.equal((await dialling).address, '192.0.2.1');
});

test('a family whose addresses never come is named with those that failed, when the deadline is over', async () => {
  const [world, names] = [stillWorld(), slowNames()];
  const failing = failureOf(dial({ ...world.options, lookup: names.lookup, deadlineMs: 2_000 }));
  await world.pass(RESOLUTION_DELAY_MS);
  await names.finds('IPv4', V4);
  world.fails(V4, 'ECONNREFUSED');
  await world.pass(2_000);
  assert.equal((await failing).reason, '192.0.2.1: connection refused; no answer within 2 s while resolving the name');
  assert.equal(world.clock.waiting, 0);
});
