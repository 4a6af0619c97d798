// Runs that go on without their client: watched, left, given input and ended by the programs themselves, over both families.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { aGate, call, calling, detach, untilEnded } from '../kit/detached.ts';
import { aDirectory } from '../kit/directory.ts';
import { aMachine } from '../kit/machine.ts';
import { someMachines } from '../kit/machines.ts';
import { isRunning } from '../kit/proc.ts';
import { outcomeOf, partyline, PARTYLINE, start } from '../kit/program.ts';
import { at, LOOPBACKS, startServer } from '../kit/server.ts';
import { loggedIn, refused, someone } from '../kit/someone.ts';

const NOT_ENDED = 75;

for (const host of LOOPBACKS) {
  test(`several watch at once; one that has stopped holds back neither the run nor the others: ${host}`, async (t) => {
    await using server = await startServer();
    await using machine = await aMachine('web1', server, host);
    const there = { server, host };
    const gate = aGate(t);
    const id = await detach(['--on', 'web1', '--', `echo begun; read x < ${gate.path}; seq 1500000`], there);
    await using stalled = calling(['attach', id], there);
    await using other = calling(['attach', id], there);
    await Promise.all([stalled.stdout.until('begun\n'), other.stdout.until('begun\n')]);
    stalled.kill('SIGSTOP');
    await gate.open();
    assert.equal(await other.ended, 0);
    assert.ok(other.stdout.text.endsWith('\n1500000\n'));
    assert.deepEqual(await untilEnded(id, there), [['exited', 0]]);
    stalled.kill('SIGCONT');
    assert.equal(await stalled.ended, 0);
    assert.equal(stalled.stdout.text, other.stdout.text);
    assert.ok(isRunning(machine.program.pid));
  });

  test(`whoever stops watching is told how to come back, and the run goes on: ${host}`, async (t) => {
    await using server = await startServer();
    await using machine = await aMachine('web1', server, host);
    const there = { server, host };
    const gate = aGate(t);
    const id = await detach(['--on', 'web1', '--', `echo begun; read x < ${gate.path}; echo end`], there);
    await using watcher = calling(['attach', id], there);
    await watcher.stdout.until('begun\n');
    watcher.kill('SIGINT');
    assert.equal(await watcher.ended, 130);
    const back = `partyline attach: Run ${id} goes on; partyline attach ${id} --from 6 shows the rest\n`;
    assert.equal(watcher.stderr.text, back);
    const waited = await call(['run', '--on', 'web1', '--wait', '0.2', '--', `exec cat ${gate.path}`], there);
    assert.equal(waited.status, NOT_ENDED);
    assert.match(waited.stderr, /^partyline run: Run 2 goes on; partyline attach 2 shows the rest\n$/);
    await call(['runs', 'cancel', '2'], there);
    await untilEnded('2', there);
    const quick = await call(['run', '--on', 'web1', '--wait', '1000', '--', 'echo out; echo err >&2; exit 6'], there);
    assert.deepEqual(quick, { status: 6, stdout: 'out\n', stderr: 'err\n' });
    await gate.open();
    assert.equal((await call(['attach', id, '--from', '6'], there)).stdout, 'end\n');
    assert.ok(isRunning(machine.program.pid));
  });

  test(`when the server stops, whoever watches is told that the run goes on, and what to paste: ${host}`, async () => {
    const server = await startServer();
    await using web1 = await aMachine('web1', server, host);
    await using web2 = await aMachine('web2', server, host);
    const before = { server, host };
    const one = await detach(['--on', 'web1', '--', 'echo begun; exec sleep 1000'], before);
    const both = await detach(['--on', 'web*', '--', 'echo begun; exec sleep 1000'], before);
    const own = await detach(['--', 'echo begun; exec sleep 1000'], before);
    const target = `tcp://${at(host, server.port)}`;
    // Brackets mean something to a shell.
    const pasted = target.includes('[') ? `'${target}'` : target;
    await using words = calling(['attach', one, '--host', target, '--on', ' WEB1'], before);
    await using json = calling(['attach', one, '--json'], before);
    await using wide = calling(['attach', both], before);
    await using servers = calling(['attach', own], before);
    for (const { stdout } of [words, json, wide, servers]) await stdout.until('begun');
    server.program.kill('SIGTERM');
    assert.equal(await server.program.ended, 0);
    for (const watcher of [words, json, wide, servers]) assert.equal(await watcher.ended, 255, watcher.stderr.text);
    const cut = 'partyline attach: The connection ended: the server is closing. Run';
    const back = `partyline attach ${one} --host ${pasted} --on ' WEB1' --from 6 shows the rest\n`;
    assert.equal(words.stderr.text, `${cut} ${one} goes on, as far as is known; ${back}`);
    const told = json.stdout.text
      .trim()
      .split('\n')
      .map((line): unknown => JSON.parse(line));
    assert.deepEqual(told.at(-1), { id: Number(one), goesOn: ['web1'], cursor: 6, reason: 'the server is closing' });
    assert.equal(told.length, 2);
    assert.equal(
      wide.stderr.text,
      `${cut} ${both} goes on, as far as is known; partyline attach ${both} shows the rest\n`,
    );
    assert.match(
      servers.stderr.text,
      new RegExp(`Run ${own} goes on, unless the server has ended, on which it is; partyline attach ${own}`),
    );
    assert.ok(isRunning(web1.program.pid) && isRunning(web2.program.pid));
  });

  test(`on several machines it is one run, watched in lines and ended on all of them: ${host}`, async () => {
    await using server = await startServer();
    await using web1 = await aMachine('web1', server, host);
    await using web2 = await aMachine('web2', server, host);
    const there = { server, host };
    const id = await detach(['--on', 'web[1-2]', '--', 'echo same; exec sleep 1000'], there);
    await using watcher = calling(['attach', id], there);
    await watcher.stdout.until('web[1-2]: same\n');
    await using one = calling(['attach', id, '--on', 'WEB2'], there);
    await one.stdout.until('same\n');
    const cancelled = await call(['runs', 'cancel', id], there);
    assert.deepEqual(cancelled, { status: 0, stdout: 'web1 is being ended\nweb2 is being ended\n', stderr: '' });
    assert.equal(await watcher.ended, await one.ended);
    assert.match(watcher.stderr.text, /2 cancelled: web\[1-2\]/);
    const results = await untilEnded(id, there);
    assert.deepEqual(
      results.map((result) => String(result).split(',')[0]),
      ['cancelled', 'cancelled'],
    );
    assert.match((await call(['runs', 'cancel', id], there)).stdout, /^web1 has ended already$/m);
    web2.program.kill('SIGTERM');
    await web2.program.ended;
    await server.program.stdout.until('web2 connection closed\n');
    const partial = await call(['run', '--detach', '--on', 'web[1-2]', '--json', '--', 'true'], there);
    assert.equal(partial.status, 255);
    const objects = partial.stdout
      .trim()
      .split('\n')
      .map((line): unknown => JSON.parse(line));
    assert.deepEqual(objects[0], { id: Number(id) + 1, hosts: ['web1'] });
    assert.match(JSON.stringify(objects[1]), /"host":"web2","result":"offline"/);
    assert.ok(isRunning(web1.program.pid));
  });

  test(`whoever has read enough of it ends the watching quietly, on one machine and on several: ${host}`, async () => {
    await using server = await startServer();
    await using _web1 = await aMachine('web1', server, host);
    await using _web2 = await aMachine('web2', server, host);
    const there = { server, host };
    const pipe = '{ "$0" attach "$2" --host "$1"; echo "status $?" >&2; } | head -n 1';
    for (const on of ['web1', 'web[1-2]']) {
      const id = await detach(['--on', on, '--', 'seq 200000; exec sleep 1000'], there);
      await using shell = start('sh', ['-c', pipe, PARTYLINE, at(host, server.port), id], { env: server.env });
      const { stdout, stderr } = await outcomeOf(shell);
      assert.match(stdout, /^(?:web\S+: )?1\n$/);
      assert.equal(stderr, 'status 0\n');
      await call(['runs', 'cancel', id], there);
      await untilEnded(id, there);
    }
  });

  test(`on more machines than can be asked for at once it is watched on all of them: ${host}`, async () => {
    await using server = await startServer();
    const names = Array.from({ length: 70 }, (_, index) => `web${index + 1}`);
    await using _machines = await someMachines(names, server, host);
    const there = { server, host };
    const id = await detach(['--on', 'web[1-70]', '--yes', '--', 'echo hi; exit 3'], there);
    const { status, stdout, stderr } = await call(['attach', id, '--no-fold'], there);
    assert.equal(status, 3, stderr);
    assert.deepEqual(stdout.trim().split('\n').sort(), names.map((name) => `${name}: hi`).sort());
  });

  test(`only whoever started it gives it input, others who may not see it find none, a revoked account's ends: ${host}`, async (t) => {
    const directory = aDirectory(t);
    writeFileSync(join(directory, 'policy.toml'), '[[allow]]\nwho = ["bob"]\non = "web1"\nshell = true\n', {
      mode: 0o600,
    });
    await using server = await startServer({ directory });
    await using machine = await aMachine('web1', server, host);
    const target = at(host, server.port);
    const owner = someone(directory, target);
    const [bob, eve] = [aDirectory(t), aDirectory(t)];
    const [bobs, eves] = [
      await loggedIn('bob', { owner, state: bob, target }),
      await loggedIn('eve', { owner, state: eve, target }),
    ];
    const started = await bobs.run(['run', '--detach', '--stdin', '--on', 'web1', '--', 'read x; echo "got $x"; cat']);
    assert.deepEqual(started, { status: 0, stdout: '1\n', stderr: '' });
    refused(await eves.run(['attach', '1']), /there is none of that number among those that you may see/, 255);
    refused(await eves.run(['runs', 'cancel', '1']), /there is none of that number/);
    refused(
      await eves.run(['run', '--detach', '--on', 'web1', '--', 'true']),
      /policy of the server does not allow it/,
      255,
    );
    refused(await owner.run(['attach', '1', '--stdin']), /only bob, who started it, may give it any/, 255);
    await using watching = partyline(['attach', '1'], { env: { PARTYLINE_DATA: directory, PARTYLINE_HOST: target } });
    const env = { PARTYLINE_DATA: bob, PARTYLINE_HOST: target, PARTYLINE_TOKEN_FILE: '' };
    await using giver = partyline(['attach', '1', '--stdin'], { env });
    giver.stdin.write('word\n');
    await giver.stdout.until('got word\n');
    refused(await bobs.run(['attach', '1', '--stdin']), /somebody is attached already who gives it input/, 255);
    // To leave ends no input.
    giver.kill('SIGINT');
    assert.equal(await giver.ended, 130);
    const last = await bobs.run(['attach', '1', '--stdin', '--from', '9'], 'more\n');
    assert.deepEqual(last, { status: 0, stdout: 'more\n', stderr: '' });
    assert.equal(await watching.ended, 0);
    assert.equal(watching.stdout.text, 'got word\nmore\n');
    const empty = await bobs.run(['run', '--wait', '1000', '--on', 'web1', '--', 'cat; echo empty'], 'never read');
    assert.deepEqual(empty, { status: 0, stdout: 'empty\n', stderr: '' });
    await bobs.run(['run', '--detach', '--on', 'web1', '--', 'exec sleep 1000']);
    assert.equal((await owner.run(['revoke', 'bob'])).status, 0);
    const results = await untilEnded('4', { server, host });
    assert.equal(results.flat()[0], 'cancelled');
    assert.ok(isRunning(machine.program.pid));
  });
}

test('what cannot be understood is one line', async () => {
  const cases: [string[], RegExp, number][] = [
    [['run', '--detach', '--wait', '1', '--', 'true'], /one of them/, 255],
    [['run', '--detach', '-tt', '--', 'true'], /-t shows a terminal here, and --detach and --wait leave/, 255],
    [['run', '--detach'], /no command, and no terminal for a prompt/, 255],
    [['run', '--wait', '0', '--', 'true'], /--wait takes seconds/, 255],
    [['run', '--detach', '--on', 'a', '--out', 'x', '--', 'true'], /do not go with --detach/, 255],
    [['attach'], /ID is missing: the number of a run/, 64],
    [['attach', 'x'], /number of a run is expected/, 64],
    [['attach', '1', '--from', 'here'], /--from takes start, end or a number/, 64],
    [['runs', 'cancel'], /ID is missing after cancel: the number of a run/, 64],
    [['runs', 'stop', '1'], /show ID or cancel ID is expected/, 64],
  ];
  for (const [args, pattern, status] of cases) refused(await outcomeOf(partyline(args)), pattern, status);
});
