// What is still to be fetched when a connection of the line door ends.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aNativeHouse } from '../../../test/kit/native-house.ts';
import { LOOPBACKS } from '../../../test/kit/server.ts';
import { parsePolicy } from '../../core/run/policy-file.ts';

/** What no socket takes at once, and less than what stops a command. */
const CHUNK = Buffer.from(`${'x'.repeat(60_000)}\n`);

for (const host of LOOPBACKS) {
  test(`whoever has ended their input and reads slowly gets all that their command said: ${host}`, async (t) => {
    const policy = parsePolicy('[[allow]]\nwho = ["eve"]\non = "Server"\nrun = ["ls"]\n');
    assert.ok(!('refused' in policy));
    await using house = await aNativeHouse(host, { policy, isServerOpen: true });
    const { token } = await house.account('Eve');
    t.mock.timers.enable({ apis: ['setInterval'] });
    const eve = await house.nc();
    eve.type(`login ${token}`);
    await eve.until(/^Format: .*\n\n/m);
    eve.type('run Server : ls');
    await eve.barrier();
    const [run] = house.runner.runs;
    assert.ok(run !== undefined);
    eve.socket.pause();
    eve.socket.end();
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    while (house.hub.list().length > 0) await turn();
    let given = 0;
    // Until nobody wants more: then bytes wait in the server.
    while (run.stdout.isWanted && given < 1_000) {
      run.stdout.give(CHUNK);
      given++;
      await turn();
    }
    assert.ok(given < 1_000, 'nothing waits');
    run.finish({ result: 'exited', status: 0 });
    await run.ended;
    for (let turns = 0; turns < 10; turns++) await turn();
    // It looks whether somebody is there.
    for (let looks = 0; looks < 3; looks++) t.mock.timers.tick(2_000);
    eve.socket.resume();
    const heard = await eve.heard.rest();
    assert.equal(heard.split('\n').filter((line) => line.startsWith('Server| x')).length, given);
    assert.match(heard, /\nServer exited 0\n$/);
  });
}
