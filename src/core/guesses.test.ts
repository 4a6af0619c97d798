import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ADDRESS_RATE, Guesses, NAME_RATE, type Claim } from './guesses.ts';

const { burst: PER_ADDRESS } = ADDRESS_RATE;
const { burst: PER_NAME } = NAME_RATE;
const ADDRESS_MS = 1_000 / ADDRESS_RATE.perSecond;
const NAME_MS = 1_000 / NAME_RATE.perSecond;

interface Given {
  readonly nowMs?: number;
  readonly verdict?: 'right' | 'wrong' | 'busy';
}

/** What became of it: the verdict, or for how long it is not looked at. */
async function one(guesses: Guesses, claim: Claim, { nowMs = 0, verdict = 'wrong' }: Given = {}) {
  let isLookedAt = false;
  const answer = await guesses.check(claim, nowMs, () => {
    isLookedAt = true;
    return Promise.resolve(verdict);
  });
  assert.equal(isLookedAt, typeof answer === 'string', 'a refused one is not looked at, every other one is');
  return typeof answer === 'string' ? answer : answer.waitMs;
}

async function many(guesses: Guesses, claim: Claim, count: number): Promise<void> {
  for (let n = 0; n < count; n++) assert.equal(await one(guesses, claim), 'wrong');
}

const from = (nth: number) => `198.18.${nth >> 8}.${nth & 255}`;

test('from one address so many wrong ones are looked at, whatever the names, then one after the other', async () => {
  const guesses = new Guesses();
  for (let n = 0; n < PER_ADDRESS; n++) await many(guesses, { name: `name${n}`, from: from(1) }, 1);
  const claim = { name: 'janaki', from: from(1) };
  assert.equal(await one(guesses, claim, { verdict: 'right' }), ADDRESS_MS);
  assert.equal(await one(guesses, { ...claim, from: from(2) }), 'wrong', 'another address is not concerned');
  assert.equal(await one(guesses, claim, { nowMs: ADDRESS_MS - 1 }), 1);
  assert.equal(await one(guesses, claim, { nowMs: ADDRESS_MS }), 'wrong');
  assert.equal(await one(guesses, claim, { nowMs: ADDRESS_MS }), ADDRESS_MS);
});

test('for one name so many are looked at from anywhere, be there somebody of that name or not', async () => {
  const guesses = new Guesses();
  for (let n = 0; n < PER_NAME; n++) await many(guesses, { name: 'janaki', from: from(n) }, 1);
  assert.equal(await one(guesses, { name: 'janaki', from: from(200) }), NAME_MS);
  assert.equal(await one(guesses, { name: 'janaki', from: undefined }), NAME_MS, 'loopback too');
  assert.equal(await one(guesses, { name: 'vamshi', from: from(200) }), 'wrong');
  assert.equal(await one(guesses, { name: 'janaki', from: from(200) }, { nowMs: NAME_MS }), 'wrong');
});

test('one address alone does not use up what a name has', async () => {
  const guesses = new Guesses();
  await many(guesses, { name: 'janaki', from: from(1) }, PER_ADDRESS);
  for (let n = 0; n < 2_000; n++) {
    const nowMs = (n * NAME_MS) / 2;
    await one(guesses, { name: 'janaki', from: from(1) }, { nowMs });
    const stranger = { name: 'janaki', from: from(2 + n) };
    assert.equal(await one(guesses, stranger, { nowMs, verdict: 'busy' }), 'busy');
  }
});

test('on loopback names alone are counted', async () => {
  const guesses = new Guesses();
  for (let n = 0; n < 10 * PER_ADDRESS; n++) await many(guesses, { name: `name${n}`, from: undefined }, 1);
  await many(guesses, { name: 'janaki', from: undefined }, PER_NAME);
  assert.equal(await one(guesses, { name: 'janaki', from: undefined }), NAME_MS);
  assert.equal(guesses.wrongSecret(undefined, 0), false);
});

test('right ones, and those that nobody had time for, do not count', async () => {
  const guesses = new Guesses();
  const claim = { name: 'janaki', from: from(1) };
  for (let n = 0; n < 3 * PER_NAME; n++) {
    assert.equal(await one(guesses, claim, { verdict: 'busy' }), 'busy');
    assert.equal(await one(guesses, claim, { verdict: 'right' }), 'right');
  }
});

test('many at the same time are no way around', async () => {
  const guesses = new Guesses();
  const { promise, resolve } = Promise.withResolvers<'wrong'>();
  const claim = { name: 'janaki', from: from(1) };
  const answers = Array.from({ length: 3 * PER_ADDRESS }, () => guesses.check(claim, 0, () => promise));
  resolve('wrong');
  const looked = (await Promise.all(answers)).filter((answer) => answer === 'wrong');
  assert.equal(looked.length, PER_ADDRESS);
});

test('whom an attack keeps out as a stranger comes in where it has come in before', async () => {
  const guesses = new Guesses();
  guesses.cameIn({ name: 'janaki', from: from(100) });
  for (let n = 0; n < PER_NAME; n++) await many(guesses, { name: 'janaki', from: from(n) }, 1);
  const [known, strange] = [
    { name: 'janaki', from: from(100) },
    { name: 'janaki', from: from(101) },
  ];
  assert.equal(await one(guesses, strange, { verdict: 'right' }), NAME_MS);
  assert.equal(await one(guesses, known, { verdict: 'right' }), 'right');
  await many(guesses, known, PER_ADDRESS);
  assert.equal(await one(guesses, known), ADDRESS_MS, 'which is no way to guess on');
});

test('a wrong code or token counts for its address, with the passwords', async () => {
  const guesses = new Guesses();
  for (let n = 1; n < PER_ADDRESS; n++) assert.equal(guesses.wrongSecret(from(1), 0), false);
  await many(guesses, { name: 'janaki', from: from(1) }, 1);
  assert.equal(guesses.wrongSecret(from(1), 0), true);
  assert.equal(await one(guesses, { name: 'janaki', from: from(1) }), ADDRESS_MS);
});

test('what is remembered is bounded, and to crowd it is no way to be forgotten', async () => {
  const guesses = new Guesses({ maxRemembered: 3 });
  const names = (name: string) => ({ name, from: undefined });
  await many(guesses, names('janaki'), PER_NAME);
  for (let n = 0; n < PER_NAME; n++) await one(guesses, names(`name${n}`));
  assert.equal(await one(guesses, names('janaki')), NAME_MS);
  for (let n = 0; n < PER_NAME; n++) await one(guesses, names(`other${n}`));
  assert.equal(typeof (await one(guesses, names('one more'))), 'number', 'those beyond share one measure');
  const nowMs = PER_NAME * NAME_MS;
  for (let n = 0; n < PER_NAME; n++) await one(guesses, names('one more'), { nowMs });
  assert.equal(await one(guesses, names('another'), { nowMs }), 'wrong', 'until what is over is forgotten');
});

test('of the places where accounts came in the latest are remembered', async () => {
  const guesses = new Guesses({ maxRemembered: 3 });
  for (let n = 0; n < 4; n++) guesses.cameIn({ name: 'janaki', from: from(n) });
  await many(guesses, { name: 'janaki', from: undefined }, PER_NAME);
  assert.equal(await one(guesses, { name: 'janaki', from: from(0) }), NAME_MS);
  assert.equal(await one(guesses, { name: 'janaki', from: from(1) }), 'wrong');
});
