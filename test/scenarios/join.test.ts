// Machines that join a server, and commands on them, by the programs themselves over both families.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { copyFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { aDirectory } from '../kit/directory.ts';
import { Caller } from '../kit/caller.ts';
import { aMachine, codeFor, joining } from '../kit/machine.ts';
import { until } from '../kit/proc.ts';
import { outcomeOf, partyline } from '../kit/program.ts';
import { at, LOOPBACKS, startServer, type TestServer } from '../kit/server.ts';
import { refused, someone } from '../kit/someone.ts';

function runOn(names: string, { server, host }: { server: TestServer; host: string }, args: readonly string[]) {
  return partyline(['run', at(host, server.port), '--on', names, ...args], { env: { ...server.env } });
}

const isThere = (pid: string): boolean => statSync(`/proc/${pid}`, { throwIfNoEntry: false }) !== undefined;

for (const host of LOOPBACKS) {
  test(`a machine joins, is listed, and takes commands as the server does: ${host}`, async () => {
    await using server = await startServer();
    await using machine = await aMachine('web1', server, host, { args: ['--label', 'env=prod', '--label', 'x='] });
    const owner = someone(server.directory, at(host, server.port));
    const family = host === '::1' ? 'ipv6' : 'ipv4';
    const shown = await owner.json('hosts');
    const { rttMs, lastSeen, ...rest } = shown[0] ?? {};
    assert.equal(typeof rttMs, 'number');
    assert.match(String(lastSeen), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    assert.deepEqual([rest], [{ name: 'web1', state: 'online', family, labels: { env: 'prod', x: '' } }]);
    const present = (await owner.json('list')).map(({ name, kind }) => [name, kind]);
    assert.deepEqual(present, [['web1', 'host']]);
    assert.equal(statSync(join(machine.directory, 'machine.key')).mode & 0o777, 0o600);
    const there = { server, host };
    const cases: [string[], number][] = [
      [['--', 'true'], 0],
      [['--', 'exit 5'], 5],
      [['--', 'kill -9 $$'], 137],
      [['--', '/etc/passwd', 'x'], 126],
      [['--', 'no-such-program'], 127],
      [['--timeout', '0.2', '--', 'sleep 1000'], 124],
    ];
    for (const [args, status] of cases) {
      assert.equal((await outcomeOf(runOn('WEB1', there, args))).status, status, args.join(' '));
    }
    const apart = await outcomeOf(runOn('web1', there, ['--', 'cat; echo oh >&2']), 'in\n');
    assert.deepEqual(apart, { status: 0, stdout: 'in\n', stderr: 'oh\n' });
    await server.program.stdout.until('Given command cat; echo oh >&2 (owner from ');
    const words = await outcomeOf(runOn('web1', there, ['--', 'printf', '%s|', '$HOME', 'a  b']));
    assert.equal(words.stdout, '$HOME|a  b|');
    // Longer than every window and buffer on the way, both ways.
    const bytes = randomBytes(12 * 1_048_576);
    const digest = createHash('sha256').update(bytes).digest('hex');
    const taken = await outcomeOf(runOn('web1', there, ['--', 'sha256sum']), bytes);
    assert.equal(taken.stdout, `${digest}  -\n`);
    const lines = Array.from({ length: 1_500_000 }, (_, index) => `${index + 1}\n`).join('');
    const returned = await outcomeOf(runOn('web1', there, ['--', 'seq 1500000']));
    assert.ok(returned.stdout === lines, `${returned.stdout.length} of ${lines.length} characters came`);
  });

  test(`a second join on the same state is refused, and what the first one runs goes on: ${host}`, async () => {
    await using server = await startServer();
    await using machine = await aMachine('web1', server, host);
    const there = { server, host };
    const detached = await outcomeOf(runOn('web1', there, ['--detach', '--', 'sleep 1000']));
    assert.equal(detached.status, 0, detached.stderr);
    const env = { PARTYLINE_DATA: machine.directory };
    const second = await outcomeOf(partyline(['join', at(host, server.port)], { env }));
    assert.equal(second.status, 1);
    assert.match(second.stderr, /^partyline join: Cannot use .* another partyline join uses it; nothing was joined/);
    const [shown] = await someone(server.directory, at(host, server.port)).json('runs', 'show', detached.stdout.trim());
    assert.match(JSON.stringify(shown), /"result":"running"/);
  });

  test(`people at nc do not see machines among those who are here, and the owner runs there: ${host}`, async () => {
    await using server = await startServer();
    await using machine = await aMachine('web1', server, host);
    await using caller = await Caller.connect(host, server.port);
    caller.type('Vamshi\nget_list');
    await caller.until('Available client: Vamshi\n');
    caller.type('run web1 : echo hi');
    await caller.until('error: Cannot run');
    caller.type(`login ${await server.token()}\nrun web1 web1 : echo hi; echo oh >&2; exit 3`);
    const heard = await caller.until('web1 exited 3\n');
    assert.match(heard, /^web1\| hi$/m);
    assert.match(heard, /^web1! oh$/m);
    caller.type('run web1 web2 : echo no');
    await caller.until('error: Cannot run: no machine named "web2" has joined; nothing was started\n');
    machine.program.kill('SIGTERM');
    assert.equal(await machine.program.ended, 0);
    await server.program.stdout.until('web1 connection closed\n');
    caller.type('run web1 : echo no');
    await caller.until('web1 offline');
  });

  test(`unknown and offline machines are said, and nothing starts: ${host}`, async () => {
    await using server = await startServer();
    const there = { server, host };
    refused(
      await outcomeOf(runOn('web9', there, ['--', 'true'])),
      /no machine named "web9" has joined; nothing was started/,
      255,
    );
    const machine = await aMachine('web1', server, host);
    await machine[Symbol.asyncDispose]();
    await server.program.stdout.until('web1 connection closed\n');
    refused(await outcomeOf(runOn('web1', there, ['--', 'true'])), /on "web1": it is offline/, 255);
    const owner = someone(server.directory, at(host, server.port));
    const [shown] = await owner.json('hosts');
    const offline = { name: 'web1', state: 'offline', family: null, rttMs: null, labels: {} };
    assert.deepEqual({ ...shown, lastSeen: '' }, { ...offline, lastSeen: '' });
  });

  test(`a machine that is away is known by its labels to every later server: ${host}`, async () => {
    await using first = await startServer();
    const { directory, port } = first;
    await using web2 = await aMachine('web2', first, host, { args: ['--label', 'env=prod'] });
    web2.program.kill('SIGTERM');
    assert.equal(await web2.program.ended, 0);
    await first.program.stdout.until('web2 connection closed\n');
    const owner = someone(directory, at(host, port));
    const [before] = await owner.json('hosts');
    await using web1 = await aMachine('web1', first, host, { args: ['--label', 'env=prod', '--label', 'rack=r1'] });
    // Changes are durable in their order: so is that it has come, with this one.
    await codeFor('web3', first, host);
    // It is there when the server goes, without a word, and is away before the next one comes.
    first.program.kill('SIGKILL');
    await first.program.ended;
    web1.program.kill('SIGKILL');
    await web1.program.ended;
    for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
      await using server = await startServer({ directory, port });
      const [two, one] = await owner.json('hosts');
      assert.deepEqual(two, before, 'it is known as it was');
      assert.ok(Date.parse(String(one?.['lastSeen'])) > Date.parse(String(two?.['lastSeen'])));
      assert.match((await owner.run(['hosts'])).stdout, /^web1 +offline +- +- +env=prod,rack=r1 +last seen \d{4}-/m);
      const there = { server, host };
      const told = await outcomeOf(runOn('env=prod', there, ['--json', '--', 'true']));
      const lines = told.stdout.trim().split('\n').sort();
      assert.deepEqual(
        lines.map((line) => JSON.parse(line)).map(({ host: name, result }) => [name, result]),
        [
          ['web1', 'offline'],
          ['web2', 'offline'],
        ],
      );
      assert.equal(told.status, 255);
      refused(await outcomeOf(runOn('env=dev', there, ['--', 'true'])), /"env=dev" matches no machine/, 255);
      server.program.kill(signal);
      await server.program.ended;
    }
    // Back with other labels it has those.
    await using server = await startServer({ directory, port });
    await using back = joining(web2.directory, [at(host, port), '--label', 'env=dev']);
    await back.stdout.until('ready\n');
    const ran = await outcomeOf(runOn('env=dev', { server, host }, ['--', 'echo back']));
    assert.deepEqual([ran.status, ran.stdout.trim()], [0, 'web2: back']);
  });

  test(`a code counts once, for a machine, at that server: ${host}`, async (t) => {
    await using server = await startServer();
    const owner = someone(server.directory, at(host, server.port));
    const code = await codeFor('web1', server, host);
    const address = at(host, server.port);
    const first = aDirectory(t);
    // Of a machine that knows the server and has not joined it.
    const anew = () => {
      const directory = aDirectory(t);
      copyFileSync(join(first, 'known-servers'), join(directory, 'known-servers'));
      return directory;
    };
    const tampered = `${code.slice(0, -1)}${code.endsWith('A') ? 'B' : 'A'}`;
    // Another server's key, and so nothing was sent and the code still counts.
    for (const scheme of ['', 'tls://']) {
      const wrongPin = await outcomeOf(joining(aDirectory(t), [`${scheme}${address}`, '--code', tampered]));
      const told =
        /its key is sha256\/\/.* and the code is for sha256\/\/.*; the code still counts; nothing was sent$/m;
      refused(wrongPin, told);
    }
    await using machine = joining(first, [address, '--code', code]);
    await machine.stdout.until('ready\n');
    refused(await outcomeOf(joining(anew(), [address, '--code', code])), /code is not valid any more/);
    refused(await outcomeOf(joining(anew(), [address])), /no machine has joined with this key/);
    const [person] = await owner.json('invite', 'bob');
    refused(await outcomeOf(joining(aDirectory(t), [address, '--code', String(person?.['code'])])), /no code of/, 64);
    const other = await codeFor('web2', server, host);
    const long = await outcomeOf(joining(anew(), [address, '--label', `a=${'z'.repeat(200)}`]));
    refused(long, /--label: a label’s name has at most 128 characters, and its value as many$/m, 64);
    const many = Array.from({ length: 60 }, (_, i) => ['--label', `l${i}=${'z'.repeat(100)}`]).flat();
    refused(
      await outcomeOf(joining(anew(), [address, ...many])),
      /the labels have \d+ bytes, and 3072 are the most/,
      64,
    );
    // The same machine twice, and a person with a machine's code.
    const copied = anew();
    copyFileSync(join(first, 'machine.key'), join(copied, 'machine.key'));
    refused(await outcomeOf(joining(copied, [address, '--code', other])), /this machine's key has a name here already/);
    const [bare = ''] = other.split('.');
    const login = await someone(aDirectory(t), address).run(['login', '--code', bare], '\n');
    refused(login, /the code is a machine's, for partyline join/);
    await using second = joining(aDirectory(t), [`tls://${address}`, '--code', other]);
    await second.stdout.until('ready\n');
    // Its key was in the code, and was not taken on trust.
    assert.match(
      second.stderr.text,
      /^partyline join: \S+ has shown the key that the code names, sha256\/\/\S+, which is remembered in \S+\n$/,
    );
  });

  test(`a machine comes back to a server that was away, without a code, until it is revoked: ${host}`, async () => {
    const server = await startServer();
    await using machine = await aMachine('web1', server, host);
    server.program.kill('SIGKILL');
    await server.program.ended;
    await machine.program.stderr.until('is away');
    await using again = await startServer({ directory: server.directory, port: server.port });
    await machine.program.stdout.until('ready\n');
    const ran = await outcomeOf(runOn('web1', { server: again, host }, ['--', 'echo back']));
    assert.deepEqual(ran, { status: 0, stdout: 'back\n', stderr: '' });
    const owner = someone(server.directory, at(host, server.port));
    assert.equal((await owner.run(['revoke', 'web1'])).status, 0);
    assert.equal(await machine.program.ended, 1);
    assert.match(machine.program.stderr.text, /no machine has joined with this key, or it was revoked/);
    assert.deepEqual(await owner.json('hosts'), []);
    await again[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  test(`a machine set up anew takes its place by a new code, and its name again after it was revoked: ${host}`, async (t) => {
    await using server = await startServer();
    const address = at(host, server.port);
    const owner = someone(server.directory, address);
    await using first = await aMachine('web1', server, host);
    const says = await owner.run(['invite', 'web1', '--as', 'host']);
    assert.match(says.stdout, /^web1 has joined already: the machine that joins with this code takes its place/m);
    assert.match((await owner.run(['members'])).stdout, /^web1 +member +host .*, a code that takes it over until /m);
    const [, code = ''] = /--code (\S+)/.exec(says.stdout) ?? [];
    await using second = joining(aDirectory(t), [address, '--code', code]);
    await second.stdout.until('ready\n');
    assert.equal(await first.program.ended, 1);
    const revoked = await owner.run(['revoke', 'web1']);
    assert.match(revoked.stdout, /is revoked; its name is kept for a machine: partyline invite web1 --as host /);
    assert.equal(await second.ended, 1);
    refused(await owner.run(['invite', 'web1']), /belonged to a machine that was revoked, .*: --as host/);
    await using third = await aMachine('web1', server, host);
    const ran = await outcomeOf(runOn('web1', { server, host }, ['--', 'echo anew']));
    assert.deepEqual([ran.status, ran.stdout], [0, 'anew\n']);
    assert.match(third.program.stderr.text, /^[^\n]* has shown the key that the code names, [^\n]*\n$/);
    // A person's name is never another's.
    const [bob] = await owner.json('invite', 'bob');
    assert.equal(
      (await someone(aDirectory(t), address).run(['login', '--code', String(bob?.['code'])], 'secret word\n')).status,
      0,
    );
    assert.match(
      (await owner.run(['invite', 'bob'])).stdout,
      /^bob has an account already: whoever has this code takes it/m,
    );
    assert.equal((await owner.json('members')).filter(({ name }) => name === 'bob').length, 2, 'an account and a code');
    assert.equal((await owner.run(['members'])).stdout.match(/^bob /gm)?.length, 1);
    assert.match((await owner.run(['revoke', 'bob'])).stdout, /is revoked; its name stays taken for good$/m);
    for (const as of [[], ['--as', 'host']]) {
      refused(await owner.run(['invite', 'bob', ...as]), /belonged to an account that was revoked, and stays taken/);
    }
  });

  for (const [who, whom] of [
    ['the client', 'client'],
    ['the machine', 'machine'],
    ['the server', 'server'],
  ] as const) {
    test(`when ${who} is killed, nothing of the command is left: ${host}`, async () => {
      await using server = await startServer();
      await using machine = await aMachine('web1', server, host);
      await using client = runOn('web1', { server, host }, ['--', 'sleep 1000 & echo $$ $!; wait']);
      const [line = ''] = /^\d+ \d+\n/.exec(await client.stdout.until('\n')) ?? [];
      const pids = line.trim().split(' ');
      assert.equal(pids.length, 2);
      assert.ok(pids.every(isThere));
      ({ client, machine: machine.program, server: server.program })[whom].kill('SIGKILL');
      await until(() => !pids.some(isThere), `the command is gone after ${who} was killed`);
      if (whom === 'client') return;
      assert.equal(await client.ended, 255);
      assert.match(client.stderr.text, /The command is lost: .*(?:web1 was lost|connection|closed)/);
    });
  }
}
