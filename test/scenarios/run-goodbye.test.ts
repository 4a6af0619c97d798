// What whoever runs something on machines is told when the server closes under it, or the machine is revoked.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aMachine } from '../kit/machine.ts';
import { someMachines } from '../kit/machines.ts';
import { isRunning, until } from '../kit/proc.ts';
import { outcomeOf, partyline, type Program } from '../kit/program.ts';
import { at, LOOPBACKS, startServer, type TestServer } from '../kit/server.ts';
import { someone } from '../kit/someone.ts';

interface There {
  readonly server: TestServer;
  readonly host: string;
}

function run({ server, host }: There, args: readonly string[]): Program {
  return partyline(['run', at(host, server.port), ...args], { env: { ...server.env } });
}

const SLEEP = 'echo "pid $$"; exec sleep 1000';
/** It ends by KILL alone, later than a server waits. */
const STUBBORN = 'trap "" HUP TERM; echo "pid $$"; while :; do sleep 0.1; done';

async function pidOf(program: Program): Promise<number> {
  const [, pid] = /pid (\d+)\n/.exec(await program.stdout.until(/pid \d+\n/)) ?? [];
  return Number(pid);
}

for (const host of LOOPBACKS) {
  test(`a server that closes ends what runs on machines, and says so: ${host}`, async () => {
    await using server = await startServer();
    const there = { server, host };
    await using _machines = await someMachines(['web1', 'web2'], server, host);
    await using one = run(there, ['--on', 'web1', '--', SLEEP]);
    await using json = run(there, ['--on', 'web1', '--json', '--', 'echo ready; exec sleep 1000']);
    await using two = run(there, ['--on', 'web[1-2]', '--no-fold', '--', SLEEP]);
    await json.stdout.until('ready');
    const pids = [await pidOf(one), await pidOf(two), await pidOf(two)];
    server.program.kill('SIGTERM');
    assert.deepEqual([await one.ended, await json.ended, await two.ended], [255, 255, 255]);
    const why = 'he command was ended: the server is closing\n';
    assert.equal(one.stderr.text, `partyline run: T${why}`);
    assert.match(json.stdout.text, /\n\{"host":"web1","result":"cancelled","status":129\}\n$/);
    for (const name of ['web1', 'web2']) assert.ok(two.stderr.text.includes(`${name}: partyline: t${why}`));
    assert.match(two.stderr.text, /\n2 cancelled: web\[1-2\]\n$/);
    assert.equal(await server.program.ended, 0);
    await until(() => !pids.some((pid) => isRunning(pid)), 'the commands are gone');
  });

  test(`what does not end in time is lost, and why is said: ${host}`, async () => {
    await using server = await startServer();
    const there = { server, host };
    await using _machine = await aMachine('web1', server, host);
    await using stubborn = run(there, ['--on', 'web1', '--', STUBBORN]);
    await using several = run(there, ['--on', 'web1,web1', '--', STUBBORN]);
    const pids = [await pidOf(stubborn), await pidOf(several)];
    server.program.kill('SIGTERM');
    assert.deepEqual([await stubborn.ended, await several.ended], [255, 255]);
    const why = 'he command is lost: the server is closing, and what was running there is being ended\n';
    assert.equal(stubborn.stderr.text, `partyline run: T${why}`);
    assert.ok(several.stderr.text.endsWith(`web1: partyline: t${why}1 lost: web1\n`), several.stderr.text);
    assert.equal(await server.program.ended, 0);
    await until(() => !pids.some((pid) => isRunning(pid)), 'the commands are gone');
  });

  test(`a machine that is revoked ends what it runs, and why is said: ${host}`, async () => {
    await using server = await startServer();
    const there = { server, host };
    await using _machine = await aMachine('db1', server, host);
    await using running = run(there, ['--on', 'db1', '--', SLEEP]);
    const pid = await pidOf(running);
    const owner = someone(server.directory, at(host, server.port));
    const { stdout: id } = await outcomeOf(run(there, ['--on', 'db1', '--detach', '--', SLEEP]));
    await using watcher = partyline(['attach', id.trim()], {
      env: { ...server.env, PARTYLINE_HOST: at(host, server.port) },
    });
    await pidOf(watcher);
    assert.equal((await owner.run(['revoke', 'db1'])).status, 0);
    assert.deepEqual([await running.ended, await watcher.ended], [255, 255]);
    assert.equal(
      running.stderr.text,
      'partyline run: The command is lost: db1 was revoked, and what was running there is being ended\n',
    );
    assert.match(watcher.stderr.text, /^partyline attach: The connection ended: db1 was revoked\. /);
    await until(() => !isRunning(pid), 'the command is gone');
  });
}
