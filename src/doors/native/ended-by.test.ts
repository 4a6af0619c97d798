// Who or what ended a run is on record with its end.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePolicy } from '../../core/run/policy-file.ts';
import { STREAMS, until } from '../../../test/kit/approving-house.ts';
import { aNativeHouse } from '../../../test/kit/native-house.ts';
import { LOOPBACKS } from '../../../test/kit/server.ts';

const CANCELLED = { result: 'cancelled', status: 143 } as const;

async function aHouse(host: string) {
  const policy = parsePolicy('[[allow]]\nwho = ["bob"]\non = "Server"\nshell = true\n');
  assert.ok(!('refused' in policy));
  const house = await aNativeHouse(host, { policy, isServerOpen: true });
  const { token } = await house.account('Bob');
  return {
    house,
    token,
    bob: async () => {
      const talker = await house.talk();
      await talker.ask('login.token', { token });
      return talker;
    },
    /** Ends the last command as a runner does that was told to, and says what is on record of it. */
    reasonOf: async (id: number): Promise<unknown> => {
      const run = house.runner.runs[id - 1] ?? assert.fail();
      await run.cancelled;
      run.finish(CANCELLED);
      await run.ended;
      await new Promise<void>((resolve) => setImmediate(() => house.journal.settle(resolve)));
      const [on] = (await house.journal.run({ id, member: undefined }))?.hosts ?? [];
      const result = on?.end?.result ?? assert.fail('it has no end');
      assert.equal(result.result, 'cancelled');
      return 'reason' in result ? result.reason : undefined;
    },
  };
}

for (const host of LOOPBACKS) {
  test(`on record is who ended a run: whoever ran it, its going, a revocation, the server: ${host}`, async () => {
    const { house, token, bob, reasonOf } = await aHouse(host);
    await using _ = house;
    const start = async (talker: Awaited<ReturnType<typeof bob>>) =>
      await talker.ask('run.start', { command: { shell: 'sleep 9' }, ...STREAMS });
    const first = await bob();
    assert.deepEqual(await start(first), { run: 1, record: 1 });
    await first.ask('run.cancel', { run: 1 });
    first.cut();
    // Whatever happens later: it was ended by then.
    assert.equal(await reasonOf(1), 'ended by Bob');
    const second = await bob();
    await start(second);
    second.cut();
    assert.equal(await reasonOf(2), 'whoever ran it has gone');
    const nc = await house.nc();
    nc.type(`login ${token}\nrun : sleep 9`);
    await until(async () => (await (await bob()).barrier(), house.runner.runs.length === 3));
    nc.socket.resetAndDestroy();
    assert.equal(await reasonOf(3), 'whoever ran it has gone');
    const guest = await house.nc();
    guest.type(`Vamshi\nlogin ${token}\nrun : sleep 9`);
    await until(async () => (await (await bob()).barrier(), house.runner.runs.length === 4));
    await start(await bob());
    const owner = await house.call();
    await owner.becomeOwner();
    assert.deepEqual(await owner.ask('account.revoke', { name: 'Bob' }), { revoked: 'account' });
    assert.equal(await reasonOf(4), 'whoever ran it has no longer the rights that a token had lent');
    assert.equal(await reasonOf(5), 'whoever ran it was revoked');
    await owner.ask('run.start', { command: { shell: 'sleep 9' }, ...STREAMS });
    const closing = house.door.close(AbortSignal.timeout(10_000));
    assert.equal(await reasonOf(6), 'the server closed');
    await closing;
  });
}
