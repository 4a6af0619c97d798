// Starting and stopping: what the operator reads, and what is true when it does not work.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { Caller } from '../kit/caller.ts';
import { aDirectory } from '../kit/directory.ts';
import { freePort } from '../kit/listener.ts';
import { aMachine } from '../kit/machine.ts';
import { hasProc, isRunning } from '../kit/proc.ts';
import { outcomeOf, partyline, PARTYLINE, start } from '../kit/program.ts';
import { at, LOOPBACKS, startServer } from '../kit/server.ts';

async function failing(t: TestContext, args: readonly string[]) {
  await using program = partyline(['serve', '--data', aDirectory(t), ...args]);
  return await outcomeOf(program);
}

test('the start is told in order, one line for each address bound, and port 0 is one port for both families', async () => {
  await using server = await startServer({ args: ['--name', 'Lab'] });
  assert.match(
    server.program.stdout.text,
    new RegExp(
      `^server starting at date_time = \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d\n` +
        `listening on tcp://127\\.0\\.0\\.1:${server.port}\nlistening on tcp://\\[::1\\]:${server.port}\n` +
        `listening on echo://127\\.0\\.0\\.1:${server.echoPort}\nlistening on echo://\\[::1\\]:${server.echoPort}\nready\n$`,
    ),
  );
  assert.equal(server.program.stderr.text, '');
  assert.equal(statSync(join(server.directory, 'owner.token')).mode & 0o777, 0o600);
  await using caller = await Caller.connect('::1', server.port);
  caller.type('bob');
  assert.match(await caller.until('\n'), /^Connected with Lab at /);
});

test('with --json the same comes as JSON lines', async (t) => {
  await using program = partyline(['serve', '--json', '--data', aDirectory(t), '--listen', 'tcp://localhost:0']);
  const text = await program.stdout.until(/"ready"}\n/);
  const events = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    events.map(({ event }) => event),
    ['starting', 'listening', 'listening', 'ready'],
  );
  await using caller = await Caller.named('bob', '127.0.0.1', Number(new URL(events[1].url).port));
  assert.deepEqual(JSON.parse(await program.stdout.until('\n')), { event: 'arrived', name: 'bob' });
  assert.equal(await caller.barrier(), '');
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`${signal} tells everyone, flushes, and ends with status 0 without a word on stderr`, async (t) => {
    await using server = await startServer();
    const callers = await Promise.all(LOOPBACKS.map((host, n) => Caller.named(`c${n}`, host, server.port)));
    t.after(() => Promise.all(callers.map((caller) => caller[Symbol.asyncDispose]())));
    await using silent = await Caller.connect('::1', server.port);
    await using echo = await Caller.connect('127.0.0.1', server.echoPort);
    echo.type('hello');
    await echo.until('hello\n');
    callers[0]?.type('send all goodbye');
    await callers[1]?.until('goodbye\n');
    server.program.kill(signal);
    for (const caller of callers) assert.match(await caller.heard.rest(), /^Server is closing at date_time = .*\n$/);
    await silent.heard.rest();
    await echo.heard.rest();
    assert.equal(await server.program.ended, 0);
    assert.equal(server.program.stderr.text, '');
  });
}

test('a client that never closes its side does not keep the server from ending', async () => {
  await using server = await startServer();
  await using stuck = await Caller.named('stuck', '::1', server.port);
  stuck.socket.pause();
  await using echo = await Caller.connect('127.0.0.1', server.echoPort);
  echo.socket.pause();
  const startedMs = performance.now();
  server.program.kill('SIGTERM');
  assert.equal(await server.program.ended, 0);
  assert.ok(performance.now() - startedMs < 5_000, 'within the 5 s that are promised');
});

test('a data directory serves one server, and is free again after a kill -9', async (t) => {
  const directory = aDirectory(t);
  const first = await startServer({ directory });
  const token = await first.token();
  await using second = partyline(['serve', '--data', directory, '--listen', 'tcp://localhost:0']);
  const { status, stderr } = await outcomeOf(second);
  assert.deepEqual(
    [status, stderr],
    [1, `partyline serve: Cannot use ${directory} for the server's data: another server uses it\n`],
  );
  first.program.kill('SIGKILL');
  await first.program.ended;
  await using third = await startServer({ directory });
  assert.equal(await third.token(), token);
});

test('what fails at start is one line that says what was attempted and what is true, with status 1', async (t) => {
  await using server = await startServer();
  const inUse = `tcp://[::1]:${server.port}`;
  const table: [args: string[], words: RegExp][] = [
    [
      ['--listen', inUse],
      new RegExp(`^partyline serve: Cannot listen on tcp://\\[::1\\]:${server.port}: the address is in use\n$`),
    ],
    [
      ['--listen', `tcp://localhost:${server.port}`],
      /Cannot listen on tcp:\/\/127\.0\.0\.1:\d+: the address is in use\n$/,
    ],
    [
      ['--listen', 'tcp://*:0'],
      /Cannot listen on tcp:\/\/\*:0: 0\.0\.0\.0 is reachable from other machines and this would be plain text; tcp\+insecure:\/\/\*:0 says that it is meant\n$/,
    ],
    [['--listen', 'echo://0.0.0.0:0'], /echo\+insecure:\/\/0\.0\.0\.0:0 says that it is meant\n$/],
    [['--listen', 'line://[::]:0'], /line\+insecure:\/\/\[::\]:0 says that it is meant\n$/],
    [['--listen', 'tcp://nowhere.invalid:0'], /Cannot listen on tcp:\/\/nowhere\.invalid:0: the name does not resolve/],
    [['--run-as', 'no-such-user'], /no such user\n$/],
  ];
  for (const [args, words] of table) {
    const { status, stderr } = await failing(t, args);
    assert.equal(status, 1, args.join(' '));
    assert.match(stderr, words);
    assert.equal(stderr.split('\n').length, 2, `one line: ${stderr}`);
  }
});

test('a directory that a failed start has made is gone again, one that was there stays', async (t) => {
  await using server = await startServer();
  const parent = aDirectory(t);
  const directory = join(parent, 'made', 'data');
  for (const args of [
    ['--listen', 'tcp://localhost:0', '--listen', `tcp://localhost:${server.port}`],
    ['--listen', 'tcp://localhost:0', '--tls-cert', 'no.pem', '--tls-key', 'no.pem'],
  ]) {
    await using program = partyline(['serve', '--data', directory, ...args]);
    assert.equal((await outcomeOf(program)).status, 1);
    assert.deepEqual(readdirSync(parent), [], args.join(' '));
  }
  writeFileSync(join(parent, 'precious'), '');
  await using program = partyline(['serve', '--data', parent, '--listen', `tcp://localhost:${server.port}`]);
  assert.equal((await outcomeOf(program)).status, 1);
  assert.ok(readdirSync(parent).includes('precious'));
});

test('wrong usage is status 64 and says what is expected', async (t) => {
  const table: [args: string[], words: RegExp][] = [
    [['--nonsense'], /nonsense/],
    [['--listen', 'ftp://localhost'], /the scheme is one of tcp, tls, line, http, https, echo, not "ftp"/],
    [['--listen', 'localhost:7270'], /expected SCHEME:\/\/HOST:PORT/],
    [['--listen', 'tcp://localhost:70000'], /port/],
    [['--listen', 'ircs://localhost:0'], /ircs:\/\/ is not available yet/],
    [['--listen', 'tls+insecure://localhost:0'], /tls:\/\/ is never plain text, and \+insecure asks for that/],
    [['--name', 'a b'], /Cannot use "a b" as a name/],
    [['--name', 'all'], /it means everyone/],
    [['--name', 'Lab', '--owner', 'lab'], /a name belongs to one/],
    [['extra'], /extra/],
  ];
  for (const [args, words] of table) {
    const { status, stderr, stdout } = await failing(t, args);
    assert.deepEqual([status, stdout], [64, ''], args.join(' '));
    assert.match(stderr, words);
  }
});

test('a console that cannot be written to costs its lines, not the server', async (t) => {
  const port = await freePort('::1');
  const command = 'exec "$0" serve --data "$1" --listen "tcp://localhost:$2" >/dev/full';
  await using server = start('/bin/sh', ['-c', command, PARTYLINE, aDirectory(t), String(port)]);
  // It cannot say when it is ready: knock until somebody opens.
  let caller: Caller | undefined;
  while (caller === undefined) caller = await Caller.named('bob', '::1', port).catch(() => undefined);
  assert.equal(await caller.barrier(), '');
  await caller[Symbol.asyncDispose]();
  server.kill('SIGTERM');
  assert.equal(await server.ended, 0);
  assert.equal(server.stderr.text, '');
});

test('an owner token that others can read is refused, not used', async (t) => {
  const directory = aDirectory(t);
  writeFileSync(join(directory, 'owner.token'), `${'x'.repeat(43)}\n`, { mode: 0o644 });
  await using program = partyline(['serve', '--data', directory, '--listen', 'tcp://localhost:0']);
  const { status, stderr } = await outcomeOf(program);
  assert.equal(status, 1);
  assert.match(stderr, /owner\.token.*0644/);
});

test('a console that nobody reads costs lines, never the server', async (t) => {
  const args = ['serve', '--data', aDirectory(t), '--listen', 'tcp://localhost:0'];
  const child = spawn(PARTYLINE, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  child.stdout.setEncoding('utf8');
  let text = '';
  for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
    text += chunk;
    if (text.includes('ready\n')) break;
  }
  const port = Number(/tcp:\/\/127\.0\.0\.1:(\d+)/.exec(text)?.[1]);
  child.stdout.pause();
  // 4,000 arrivals and departures are 200 KB, three times what a pipe holds.
  const name = (n: number) => `${'guest'.repeat(4)}${n}`;
  for (let wave = 0; wave < 4_000; wave += 100) {
    const guests = await Promise.all(Array.from({ length: 100 }, (_, n) => Caller.named(name(wave + n), '::1', port)));
    await Promise.all(guests.map((guest) => guest[Symbol.asyncDispose]()));
  }
  await using caller = await Caller.named('last', '127.0.0.1', port);
  assert.equal(await caller.barrier(), '');
  child.kill('SIGTERM');
  const [status]: unknown[] = await once(child, 'exit');
  assert.equal(status, 0);
});

test('SIGUSR1 opens no debugger in a server, a machine, a client or what they start, and ends none of them', async (t) => {
  if (!hasProc(t)) return;
  await using server = await startServer();
  const [host] = LOOPBACKS;
  await using machine = await aMachine('web1', server, host);
  const run = ['run', at(host, server.port), '--on', 'web1', '--', 'echo begun; cat'];
  await using client = partyline(run, { env: { ...server.env } });
  await client.stdout.until('begun\n');
  const programs = [server.program, machine.program, client];
  const pids = programs.flatMap(({ pid }) => [pid, ...nodesUnder(pid)]);
  assert.equal(pids.length, 4, 'the three, and the runner process of one');
  for (const pid of pids) {
    assert.ok(readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes('--disable-sigusr1'), String(pid));
  }
  for (const pid of pids) process.kill(pid, 'SIGUSR1');
  client.stdin.end('still here\n');
  assert.equal(await client.ended, 0);
  assert.match(client.stdout.text, /still here\n$/);
  for (const { stderr } of programs) assert.doesNotMatch(stderr.text, /debugger/i);
  for (const pid of pids) if (pid !== client.pid) assert.ok(isRunning(pid), `${pid} is there`);
});

/** Those that run on Node among the children of a process. */
function nodesUnder(parent: number): number[] {
  const children = readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').match(/\d+/g) ?? [];
  return children.map(Number).filter((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('process.mjs'));
}
