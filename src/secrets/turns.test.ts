import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Turns } from './turns.ts';

/** Work whose end the test decides; `begun` has the names of what was started, in order. */
function aWorkshop(turns: Turns) {
  const begun: string[] = [];
  const ends = new Map<string, PromiseWithResolvers<string>>();
  const give = (name: string) =>
    turns.take(() => {
      begun.push(name);
      const end = Promise.withResolvers<string>();
      ends.set(name, end);
      return end.promise;
    });
  return {
    begun,
    give,
    finish: (name: string) => ends.get(name)?.resolve(name),
    break: (name: string) => ends.get(name)?.reject(new Error(name)),
  };
}

test('so many work at once, so many wait in order, one more is told that it is busy', async () => {
  const workshop = aWorkshop(new Turns({ maxAtOnce: 2, maxWaiting: 2 }));
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(workshop.give);
  assert.equal(await workshop.give('e'), 'busy');
  assert.deepEqual(workshop.begun, ['a', 'b']);
  workshop.finish('b');
  assert.equal(await b, 'b');
  const f = workshop.give('f');
  assert.equal(await workshop.give('g'), 'busy');
  workshop.finish('a');
  await a;
  assert.deepEqual(workshop.begun, ['a', 'b', 'c', 'd']);
  workshop.finish('c');
  workshop.finish('d');
  await Promise.all([c, d]);
  workshop.finish('f');
  assert.equal(await f, 'f');
});

test('work that breaks gives its place on', async () => {
  const workshop = aWorkshop(new Turns({ maxAtOnce: 1, maxWaiting: 1 }));
  const [a, b] = ['a', 'b'].map(workshop.give);
  workshop.break('a');
  await assert.rejects(a ?? Promise.resolve(), /^Error: a$/);
  assert.deepEqual(workshop.begun, ['a', 'b']);
  workshop.finish('b');
  assert.equal(await b, 'b');
});
