// Runs that outlive their client, the connection and the server: started, left, watched, given input and ended by the programs
// themselves, over both families.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { aDirectory } from '../kit/directory.ts';
import { aMachine, joining } from '../kit/machine.ts';
import { someMachines } from '../kit/machines.ts';
import { isRunning, until } from '../kit/proc.ts';
import { outcomeOf, partyline, type Outcome, type Program } from '../kit/program.ts';
import { at, LOOPBACKS, startServer, type TestServer } from '../kit/server.ts';
import { loggedIn, refused, someone } from '../kit/someone.ts';

const NOT_ENDED = 75;

/** Commands that read its path wait until the test opens it. */
function aGate(t: TestContext): { readonly path: string; open(): Promise<void> } {
  const path = join(aDirectory(t), 'gate');
  execFileSync('mkfifo', [path]);
  return { path, open: () => writeFile(path, 'go\n') };
}

interface There {
  readonly server: TestServer;
  readonly host: string;
}

function calling(args: readonly string[], { server, host }: There): Program {
  return partyline(args, { env: { ...server.env, PARTYLINE_HOST: at(host, server.port) } });
}

function call(args: readonly string[], there: There): Promise<Outcome> {
  return outcomeOf(calling(args, there));
}

/** Its number. */
async function detach(args: readonly string[], there: There): Promise<string> {
  const { status, stdout, stderr } = await call(['run', '--detach', ...args], there);
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^[1-9]\d*\n$/);
  return stdout.trim();
}

async function resultsOf(id: string, { server, host }: There): Promise<unknown[]> {
  const [run] = await someone(server.directory, at(host, server.port)).json('runs', 'show', id);
  const results = run?.['results'];
  assert.ok(Array.isArray(results));
  return results.map(({ result, status }) => [result, status]);
}

async function untilEnded(id: string, there: There): Promise<unknown[]> {
  let results: unknown[] = [];
  const isEnded = async () => {
    results = await resultsOf(id, there);
    return !JSON.stringify(results).includes('running');
  };
  await until(isEnded, `run ${id} has ended`);
  return results;
}

for (const host of LOOPBACKS) {
  test(`a run goes on when its client is killed, and another one sees all of it and its status: ${host}`, async (t) => {
    await using server = await startServer();
    await using machine = await aMachine('web1', server, host);
    const there = { server, host };
    const gate = aGate(t);
    const said = `echo begun; read x < ${gate.path}; seq 300000; echo oh >&2; exit 5`;
    await using first = calling(['run', '--on', 'web1', '--wait', '1000', '--', said], there);
    await first.stdout.until('begun\n');
    first.kill('SIGKILL');
    await first.ended;
    assert.deepEqual(await resultsOf('1', there), [['running', null]]);
    await using second = calling(['attach', '1'], there);
    await second.stdout.until('begun\n');
    await gate.open();
    const whole = `begun\n${Array.from({ length: 300_000 }, (_, index) => `${index + 1}\n`).join('')}`;
    const digest = (text: string) => createHash('sha256').update(text).digest('hex');
    for (const { status, stdout, stderr } of [await outcomeOf(second), await call(['attach', '1'], there)]) {
      assert.equal(digest(stdout), digest(whole));
      assert.deepEqual([status, stderr], [5, 'oh\n']);
    }
    const rest = await call(['attach', '1', '--from', String(whole.length - 7)], there);
    assert.deepEqual(rest, { status: 5, stdout: '300000\n', stderr: 'oh\n' });
    assert.deepEqual((await call(['attach', '1', '--from', 'end'], there)).stdout, '');
    const [shown] = await someone(server.directory, at(host, server.port)).json('runs', 'show', '1');
    assert.ok(
      JSON.stringify(shown?.['results']).includes(`"stdout":{"bytes":${whole.length},"sha256":"${digest(whole)}"`),
    );
    assert.equal((await call(['verify', '--data', server.directory], there)).status, 0);
    assert.equal(machine.program.stderr.text, '');
  });

  test(`a server that is killed and started again finds its runs, those that ended meanwhile too: ${host}`, async (t) => {
    const server = await startServer();
    await using machine = await aMachine('web1', server, host);
    const [one, other] = [aGate(t), aGate(t)];
    const before = { server, host };
    const ended = await detach(['--on', 'web1', '--', `read x < ${one.path}; echo one; exit 3`], before);
    const open = await detach(['--on', 'web1', '--', `echo begun; read x < ${other.path}; echo two; exit 4`], before);
    await using watcher = calling(['attach', open], before);
    await watcher.stdout.until('begun\n');
    server.program.kill('SIGKILL');
    await server.program.ended;
    assert.equal(await watcher.ended, 255);
    const cut = `The connection ended: the server closed the connection. Run ${open} goes on, as far as is known`;
    assert.equal(watcher.stderr.text, `partyline attach: ${cut}; partyline attach ${open} --from 6 shows the rest\n`);
    await machine.program.stderr.until('is away');
    await one.open();
    await using again = await startServer({ directory: server.directory, port: server.port });
    const there = { server: again, host };
    await machine.program.stdout.until('ready\n');
    assert.deepEqual(await untilEnded(ended, there), [['exited', 3]]);
    assert.deepEqual(await resultsOf(open, there), [['running', null]]);
    assert.deepEqual(await call(['attach', ended], there), { status: 3, stdout: 'one\n', stderr: '' });
    await using later = calling(['attach', open, '--from', '6'], there);
    await other.open();
    assert.deepEqual(await outcomeOf(later), { status: 4, stdout: 'two\n', stderr: '' });
    assert.deepEqual(await untilEnded(open, there), [['exited', 4]]);
    const kept = await call(['runs', 'show', ended, '--stdout'], there);
    assert.equal(kept.stdout, 'one\n');
  });

  test(`when the program that runs it is killed nothing of it is left, and it is on record as lost: ${host}`, async () => {
    await using server = await startServer();
    await using machine = await aMachine('web1', server, host);
    const there = { server, host };
    const id = await detach(['--on', 'web1', '--', 'echo $$; exec sleep 1000'], there);
    await using watcher = calling(['attach', id], there);
    const pid = Number(await watcher.stdout.until('\n'));
    machine.program.kill('SIGKILL');
    await machine.program.ended;
    assert.equal(await watcher.ended, 255);
    assert.match(
      watcher.stderr.text,
      /^partyline attach: The connection ended: the connection to the machine was lost\. Run 1/,
    );
    await until(() => !isRunning(pid), 'the command is gone');
    // As long as the machine is away nobody knows.
    assert.deepEqual(await resultsOf(id, there), [['running', null]]);
    refused(await call(['attach', id], there), /web1 is offline, where it may go on; partyline runs show/, 255);
    await using again = joining(machine.directory, [at(host, server.port)]);
    await again.stdout.until('ready\n');
    assert.deepEqual(await untilEnded(id, there), [['lost', null]]);
    refused(await call(['attach', id], there), /what it said is not kept there any more/, 255);
  });

  test(`on the server itself a run outlives its client, and ends with the server: ${host}`, async () => {
    const server = await startServer();
    const before = { server, host };
    const short = await detach(['--', 'echo short; exit 2'], before);
    assert.deepEqual(await call(['attach', short], before), { status: 2, stdout: 'short\n', stderr: '' });
    const long = await detach(['--', 'echo long; exec sleep 1000'], before);
    server.program.kill('SIGTERM');
    assert.equal(await server.program.ended, 0);
    await using again = await startServer({ directory: server.directory, port: server.port });
    const there = { server: again, host };
    assert.deepEqual((await untilEnded(long, there)).flat()[0], 'cancelled');
    const killed = await detach(['--', 'exec sleep 1000'], there);
    again.program.kill('SIGKILL');
    await again.program.ended;
    await using third = await startServer({ directory: server.directory, port: server.port });
    assert.deepEqual(await untilEnded(killed, { server: third, host }), [['lost', null]]);
    refused(await call(['attach', killed], { server: third, host }), /not kept there any more/, 255);
  });

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

  test(`of a command that is not there no number is printed, and its status is that of a shell: ${host}`, async () => {
    await using server = await startServer();
    await using machine = await aMachine('web1', server, host);
    const there = { server, host };
    for (const [number, on, where, argument, status, why] of [
      [1, ['--on', 'web1'], 'web1', 'no-such-program', 127, 'no-such-program: not found'],
      [2, [], 'Server', '/etc/passwd', 126, '/etc/passwd: permission denied'],
    ] as const) {
      const { stdout, stderr, ...gone } = await call(['run', '--detach', ...on, '--', argument, 'x'], there);
      assert.deepEqual([gone.status, stdout], [status, '']);
      const told = `partyline run: Cannot start the command on ${where}: ${why}; run ${number} has it on record\n`;
      assert.equal(stderr, told);
      assert.deepEqual(await untilEnded(String(number), there), [['exited', status]]);
    }
    const json = await call(['run', '--detach', '--json', '--on', 'web1', '--', 'no-such-program', 'x'], there);
    assert.deepEqual(JSON.parse(json.stdout), {
      id: 3,
      host: 'web1',
      result: 'exited',
      status: 127,
      reason: 'no-such-program: not found',
    });
    const watched = await call(['run', '--wait', '100', '--on', 'web1', '--', 'no-such-program', 'x'], there);
    assert.deepEqual(watched, { status: 127, stdout: '', stderr: 'partyline: no-such-program: not found\n' });
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

  test(`a machine that is away keeps its runs, and those that were to end do when it is back: ${host}`, async () => {
    const server = await startServer();
    await using machine = await aMachine('web1', server, host);
    const id = await detach(['--on', 'web1', '--', 'exec sleep 1000'], { server, host });
    server.program.kill('SIGKILL');
    await server.program.ended;
    await machine.program.stderr.until('is away');
    // As if the network were gone for longer than the lease: nothing that is heard of the server ends the run.
    machine.program.kill('SIGSTOP');
    await using again = await startServer({ directory: server.directory, port: server.port });
    const there = { server: again, host };
    const cancelled = await call(['runs', 'cancel', id], there);
    assert.equal(cancelled.stdout, 'web1 is offline: it will be ended there when it is back\n');
    assert.deepEqual(await resultsOf(id, there), [['running', null]]);
    machine.program.kill('SIGCONT');
    assert.equal((await untilEnded(id, there)).flat()[0], 'cancelled');
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
    [['attach'], /number of a run is expected/, 64],
    [['attach', 'x'], /number of a run is expected/, 64],
    [['attach', '1', '--from', 'here'], /--from takes start, end or a number/, 64],
    [['runs', 'cancel'], /cancel takes the number of a run/, 64],
    [['runs', 'stop', '1'], /show ID or cancel ID is expected/, 64],
  ];
  for (const [args, pattern, status] of cases) refused(await outcomeOf(partyline(args)), pattern, status);
});
