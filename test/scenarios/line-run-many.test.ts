// Commands on many machines from `nc`: which are meant is shown, and many are confirmed, over both families.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Caller } from '../kit/caller.ts';
import { someMachines } from '../kit/machines.ts';
import { LOOPBACKS, startServer, type TestServer } from '../kit/server.ts';

async function owner(host: string, server: TestServer): Promise<Caller> {
  return await Caller.named(`login ${await server.token()}`, host, server.port);
}

/** All that it says up to the end of so many commands, in no order. */
async function endsOf(caller: Caller, count: number): Promise<string[]> {
  let heard = '';
  for (let ended = 0; ended < count; ended++) heard += await caller.until(/^\S+ exited \d+\n/m);
  return heard.trimEnd().split('\n').sort();
}

for (const host of LOOPBACKS) {
  test(`a pattern is shown as the machines that it means, all and more than ten wait for their count: ${host}`, async () => {
    await using server = await startServer();
    const names = Array.from({ length: 11 }, (_, index) => `web${index + 1}`);
    await using _machines = await someMachines(names, server, host);
    await using caller = await owner(host, server);
    caller.type('run web1 web2 : echo hi');
    assert.deepEqual(await endsOf(caller, 2), ['web1 exited 0', 'web1| hi', 'web2 exited 0', 'web2| hi']);
    caller.type('run web[1-2] : true');
    assert.equal(await caller.until('\n'), '2 machines: web[1-2]\n');
    await endsOf(caller, 2);
    for (const targets of ['all', 'web*', names.join(' ')]) {
      caller.type(`run ${targets} : echo hi`);
      const shown = '11 machines: web[1-11]\nType confirm 11 within 60 s to run it on all of them\n';
      assert.equal(await caller.until(/them\n$/), shown);
      caller.type('confirm 10');
      const wrong = 'error: Cannot confirm: 11 machines are meant, not 10; nothing was started\n';
      assert.equal(await caller.until('\n'), wrong);
      caller.type('confirm 11');
      assert.equal(await caller.until('\n'), 'error: Cannot confirm: no command waits for it\n');
    }
    // What was asked for last is what is meant, in one go as well.
    caller.type('run web* : echo no\nrun **,!web[3-11] : echo yes\nconfirm 2');
    await caller.until('Type confirm 2 within 60 s to run it on all of them\n');
    assert.deepEqual(await endsOf(caller, 2), ['web1 exited 0', 'web1| yes', 'web2 exited 0', 'web2| yes']);
    caller.type('confirm\nconfirm all');
    const form = 'error: Cannot read the command: its form is confirm COUNT\n';
    assert.equal((await caller.until('\n')) + (await caller.until('\n')), form + form);
    assert.equal(await caller.barrier(), '');
    assert.doesNotMatch(server.program.stdout.text, /Given command echo no/);
  });

  test(`other machines than were shown are not taken for them, nor is an end of input taken for a yes: ${host}`, async () => {
    await using server = await startServer();
    await using _machines = await someMachines(['web1'], server, host);
    await using caller = await owner(host, server);
    caller.type('run all : echo no');
    await caller.until('Type confirm 1 within 60 s to run it there\n');
    await using _more = await someMachines(['web2'], server, host);
    caller.type('confirm 1');
    const other = 'error: Cannot run: other machines are meant by now: 2 machines: web[1-2]; nothing was started\n';
    assert.equal(await caller.until('\n'), other);
    caller.type('run all : echo no');
    await caller.until('them\n');
    caller.socket.end();
    const dropped = 'error: Cannot run: 2 machines were not confirmed; nothing was started\n';
    assert.equal(await caller.until('\n'), dropped);
    assert.doesNotMatch(server.program.stdout.text, /Given command/);
  });
}
