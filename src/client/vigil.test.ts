import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { StillWorld } from '../../test/kit/fake-chat.ts';
import { outcomeOf, start } from '../../test/kit/program.ts';
import { Vigil } from './vigil.ts';

function aVigil() {
  const world = new StillWorld();
  const seen: string[] = [];
  const vigil = new Vigil({
    ask: () => seen.push('asked'),
    onSilent: () => seen.push('silent'),
    after: (ms, then) => world.after(ms, then),
  });
  return { world, seen, vigil };
}

test('silence is noticed only while something is awaited', () => {
  const { world, seen, vigil } = aVigil();
  vigil.heard();
  assert.equal(world.isWaiting, false);
  vigil.watch(true);
  vigil.watch(false);
  assert.equal(world.isWaiting, false);
  vigil.watch(true);
  for (let step = 0; step < 3; step++) world.pass();
  assert.deepEqual(seen, ['asked', 'silent']);
  assert.equal(world.isWaiting, false);
});

test('whatever is heard begins the wait anew, however late', () => {
  const { world, seen, vigil } = aVigil();
  vigil.watch(true);
  world.pass();
  world.pass();
  vigil.heard();
  world.pass();
  world.pass();
  assert.deepEqual(seen, ['asked', 'asked']);
  world.pass();
  assert.deepEqual(seen, ['asked', 'asked', 'silent']);
});

test('more that is awaited does not put it off', () => {
  const { world, vigil } = aVigil();
  vigil.watch(true);
  world.pass();
  vigil.watch(true);
  assert.deepEqual(world.delays, [30_000, 14_000]);
});

test('a program that has ended is not kept alive by it', async () => {
  const code =
    `import { Vigil } from ${JSON.stringify(join(import.meta.dirname, 'vigil.ts'))};` +
    `new Vigil({ ask: () => console.log('kept'), onSilent() {} }).watch(true);`;
  const outcome = await outcomeOf(start(process.execPath, ['--input-type=module', '-e', code]));
  assert.deepEqual(outcome, { status: 0, stdout: '', stderr: '' });
});
