// Runs that outlive their client, the connection and the server, by the programs themselves, over both families.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { aGate, call, calling, detach, resultsOf, untilEnded } from '../kit/detached.ts';
import { aMachine, joining } from '../kit/machine.ts';
import { isRunning, until } from '../kit/proc.ts';
import { outcomeOf } from '../kit/program.ts';
import { at, LOOPBACKS, startServer } from '../kit/server.ts';
import { refused, someone } from '../kit/someone.ts';

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
    assert.match(machine.program.stderr.text, /^[^\n]* has shown the key that the code names, [^\n]*\n$/);
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
      /^partyline attach: The connection ended: the connection to web1 was lost\. Run 1/,
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
      const told = `partyline run: The command did not start on ${where}: ${why}; run ${number} has it on record\n`;
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
    let there = { server: again, host };
    const cancelled = await call(['runs', 'cancel', id], there);
    assert.equal(cancelled.stdout, 'web1 is offline: it will be ended there when it is back\n');
    assert.deepEqual(await resultsOf(id, there), [['running', null]]);
    // What was wished is on record: the next server knows of it.
    again.program.kill('SIGKILL');
    await again.program.ended;
    await using third = await startServer({ directory: server.directory, port: server.port });
    there = { server: third, host };
    machine.program.kill('SIGCONT');
    assert.equal((await untilEnded(id, there)).flat()[0], 'cancelled');
    const seen = await call(['attach', id], there);
    assert.match(seen.stderr, new RegExp(`^partyline attach: The run on web1 was cancelled$`, 'm'));
    refused(
      await call(['attach', '99999'], there),
      /attach: Cannot look at run 99999: there is none of that number/,
      255,
    );
  });
}
