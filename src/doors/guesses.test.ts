// Wrong passwords, codes and tokens over both doors: counted together, and slow beyond a first few.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aNativeHouse } from '../../test/kit/native-house.ts';
import { LOOPBACKS } from '../../test/kit/server.ts';
import { ADDRESS_RATE, NAME_RATE } from '../core/guesses.ts';

const ADDRESS_MS = 1_000 / ADDRESS_RATE.perSecond;
const NAME_MS = 1_000 / NAME_RATE.perSecond;
const RIGHT = 'password of Janaki';

/** A house whose clock stands still until the test says so. */
async function aHouse(host: string, { isLoopback = false } = {}) {
  let nowMs = 0;
  const house = await aNativeHouse(host, { isLoopback, isEncrypted: true, isOpen: true, clock: () => nowMs });
  const { token } = await house.account('Janaki');
  const login = async (name: string, password: string) => {
    const talker = await house.talk();
    const answer = await talker.ask('login.password', { name, password });
    return typeof answer === 'string' ? answer : 'in';
  };
  return {
    house,
    token,
    pass: (ms: number) => void (nowMs += ms),
    login,
    /** So many wrong ones, each on a connection of its own. */
    async guess(name: string, count: number) {
      for (let n = 0; n < count; n++) assert.equal(await login(name, 'wrong horse'), 'wrong-password');
    },
    /** What the line door answers to a name and its password. */
    async type(password: string) {
      const caller = await house.nc();
      caller.type('Janaki');
      await caller.until('Password: ');
      caller.type(password);
      return await caller.until(/^(?:error: .*|Connected with .*)\n/m);
    },
    [Symbol.asyncDispose]: () => house[Symbol.asyncDispose](),
  };
}

for (const host of LOOPBACKS) {
  test(`an address that has guessed wrongly waits, by every door, for any name: ${host}`, async () => {
    await using place = await aHouse(host);
    await place.guess('Janaki', 4);
    await place.guess('nobody', 4);
    assert.match(await place.type('wrong horse'), /the password is not right/);
    const caller = await place.house.nc();
    caller.type('login pl_nonsense');
    await caller.until('error: Cannot log in: the code or token is not valid\nEnter your name: ');
    for (const name of ['Janaki', 'nobody', 'no name at all', 'owner']) {
      assert.equal(await place.login(name, RIGHT), 'too-many-wrong', name);
    }
    const words = 'too many wrong ones came for this name or from your address; try again in 20 s';
    assert.match(await place.type(RIGHT), new RegExp(`error: Cannot check the password of Janaki: ${words}\n`));
    const talker = await place.house.talk();
    const answer = await talker.try('login.password', { name: 'Janaki', password: RIGHT });
    assert.deepEqual('error' in answer && answer.error.data, { code: 'too-many-wrong', waitMs: ADDRESS_MS });
    place.pass(ADDRESS_MS);
    assert.equal(await place.login('Janaki', RIGHT), 'in');
    assert.match(await place.type(RIGHT), /Connected with Server/);
  });

  test(`a name for which was guessed wrongly waits, on loopback too, and is the only one: ${host}`, async () => {
    await using place = await aHouse(host, { isLoopback: true });
    await place.house.account('Vamshi');
    for (const name of ['Janaki', 'nobody']) {
      await place.guess(name, NAME_RATE.burst);
      assert.equal(await place.login(name, RIGHT), 'too-many-wrong');
    }
    assert.equal(await place.login('somebody', RIGHT), 'wrong-password', 'another one that there is not');
    assert.match(await place.type(RIGHT), /try again in 10 s/);
    assert.equal(await place.login('Vamshi', 'password of Vamshi'), 'in');
    place.pass(NAME_MS);
    assert.match(await place.type(RIGHT), /Connected with Server/);
  });

  test(`a token that is right comes in from an address that has guessed wrongly: ${host}`, async () => {
    await using place = await aHouse(host);
    await place.guess('Janaki', ADDRESS_RATE.burst);
    const talker = await place.house.talk();
    assert.deepEqual(await talker.ask('login.token', { token: place.token }), { name: 'Janaki', role: 'member' });
    const caller = await place.house.nc();
    caller.type(`login ${place.token}`);
    await caller.until('Connected with Server');
  });

  test(`with one wrong code or token too many the connection ends: ${host}`, async () => {
    await using place = await aHouse(host);
    await place.guess('Janaki', ADDRESS_RATE.burst);
    for (const [method, params] of [
      ['login.token', { token: 'pl_x' }],
      ['login.code', { code: 'x' }],
    ] as const) {
      const talker = await place.house.talk();
      assert.equal(await talker.ask(method, params), 'bad-secret');
      const reason =
        method === 'login.code' ? 'the code is not valid any more, or never was' : 'the token is not valid';
      assert.deepEqual(await talker.closed(), { reason: `Cannot log in: ${reason}` });
    }
    const [nameless, guest] = [await place.house.nc(), await place.house.nc()];
    nameless.type('login pl_x');
    assert.match(await nameless.heard.rest(), /error: Cannot log in: the code or token is not valid\n$/);
    guest.type('Prashanth');
    await guest.until(/^Format: .*\n\n/m);
    guest.type('login pl_x');
    assert.equal(await guest.heard.rest(), 'error: Cannot log in: the token is not valid\n');
  });
}

test('what was not checked is logged as that, and a connection gets no more of it than of wrong ones', async () => {
  await using place = await aHouse('127.0.0.1');
  await place.guess('Janaki', ADDRESS_RATE.burst);
  place.house.warned.length = 0;
  const talker = await place.house.talk();
  for (let n = 0; n < 6; n++) {
    assert.equal(await talker.ask('login.password', { name: 'Janaki', password: RIGHT }), 'too-many-wrong');
  }
  await talker.closed();
  assert.deepEqual(
    place.house.warned,
    Array.from({ length: 6 }, () => 'password not checked'),
  );
});
