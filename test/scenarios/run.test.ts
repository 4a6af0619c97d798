// `partyline run` against a real server: bytes, statuses, signals and refusals, over both families.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { aDirectory } from '../kit/directory.ts';
import { twoHosts } from '../kit/hosts.ts';
import { printed } from '../kit/namespace.ts';
import { needs } from '../kit/needs.ts';
import { hasProc, isAsleep, until, writtenBytes } from '../kit/proc.ts';
import { outcomeOf, PARTYLINE, partyline, ROOT, start, type Outcome } from '../kit/program.ts';
import { at, LOOPBACKS, startServer, type TestServer } from '../kit/server.ts';
import { Transcript } from '../kit/transcript.ts';

const TRANSCRIPT = join(ROOT, 'test/vectors/transcripts/run-both-families.txt');

const ONE_LINE = /^[^\n]+\n$/;

interface There {
  readonly server: TestServer;
  readonly host: string;
}

/** The program, on its way; the arguments are those after the host. */
function run({ server, host }: There, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return partyline(['run', at(host, server.port), ...args], { env: { ...server.env, ...env } });
}

async function outcome(there: There, args: readonly string[], input: string | Uint8Array = ''): Promise<Outcome> {
  await using program = run(there, args);
  return await outcomeOf(program, input);
}

/** The digest of what comes out when that goes in. */
async function digestThrough({ server, host }: There, args: readonly string[], input: Uint8Array) {
  const child = spawn(PARTYLINE, ['run', at(host, server.port), ...args], {
    env: { ...process.env, ...server.env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.end(input);
  const hash = createHash('sha256');
  child.stdout.on('data', (chunk: Buffer) => hash.update(chunk));
  const [status]: unknown[] = await once(child, 'close');
  return { status, digest: hash.digest('hex') };
}

const digestOf = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex');

/** Waits, on the server itself, until no process has that id; status 124 if that takes more than 10 s. */
async function goneThere(there: There, pid: string): Promise<void> {
  assert.match(pid, /^\d+$/);
  const gone = await outcome(there, ['--timeout', '10', '--', `while kill -0 ${pid} 2>&-; do sleep 0.05; done`]);
  assert.equal(gone.status, 0, `process ${pid} is still there`);
}

/** Ends the server: without a line for the command on its whole console nothing was asked for, or it was refused. */
async function assertNothingRan(server: TestServer): Promise<void> {
  server.program.kill('SIGTERM');
  assert.equal(await server.program.ended, 0);
  assert.doesNotMatch(server.program.stdout.text, /Given command/);
}

for (const host of LOOPBACKS) {
  test(`the status is the command's, as a shell would have it: ${host}`, async () => {
    await using server = await startServer();
    const there = { server, host };
    const cases: [string[], number][] = [
      [['--', 'true'], 0],
      [['--', 'exit 5'], 5],
      [['--', 'exit 255'], 255],
      [['--', 'kill -9 $$'], 137],
      [['--', '/etc/passwd', 'x'], 126],
      [['--', 'no-such-program'], 127],
      [['--', 'no-such-program', 'x'], 127],
      [['--timeout', '0.2', '--', 'sleep 1000'], 124],
      [['--on', 'SERVER', '--', 'exit 3'], 3],
    ];
    for (const [args, status] of cases) assert.equal((await outcome(there, args)).status, status, args.join(' '));
    // By its status alone it could be the command's own.
    const late = await outcome(there, ['--timeout', '0.2', '--', 'sleep 1000']);
    assert.deepEqual([late.stdout, late.stderr], ['', 'partyline run: ended after 0.2 s (--timeout)\n']);
  });

  test(`-n leaves the lines of a loop to the loop: ${host}`, async () => {
    await using server = await startServer();
    const run = (n: string) => `'${PARTYLINE}' run '${at(host, server.port)}' ${n} -- "cat; echo $line"`;
    const loop = (n: string) => start('/bin/sh', ['-c', `while read line; do ${run(n)}; done`], { env: server.env });
    const lines = 'one\ntwo\n';
    assert.deepEqual(await outcomeOf(loop('-n'), lines), { status: 0, stdout: lines, stderr: '' });
    assert.deepEqual(await outcomeOf(loop(''), lines), { status: 0, stdout: 'two\none\n', stderr: '' });
    const both = await outcome({ server, host }, ['-n', '--on', 'web1', '--stdin', '--', 'cat']);
    assert.equal(both.stderr, 'partyline run: -n passes no input on, and --stdin does: one of them\n');
  });

  test(`the same commands bring the same as in the transcript of both families: ${host}`, async () => {
    await using server = await startServer();
    // Commands run where the server was started, and that is here.
    const { stdout: listing } = spawnSync('ls', { encoding: 'utf8' });
    const heard: Readonly<Record<string, { stdout: string; stderr: RegExp }>> = {
      hi: { stdout: 'hi\n', stderr: /^$/ },
      'the shell\'s "not found"': { stdout: '', stderr: /^.*: invalid: not found\n$/ },
      'the listing, one per line': { stdout: listing, stderr: /^$/ },
      nothing: { stdout: '', stderr: /^$/ },
    };
    const lines = readFileSync(TRANSCRIPT, 'utf8').matchAll(/^client > (.+?) {2,}client < (.+?) {2,}status (\d+)$/gm);
    let replayed = 0;
    for (const [, command = '', answer = '', status] of lines) {
      const expected = heard[answer];
      assert.ok(expected, `no test for ${answer}`);
      const { stdout, stderr, status: had } = await outcome({ server, host }, ['--', command]);
      assert.deepEqual([stdout, had], [expected.stdout, Number(status)], command);
      assert.match(stderr, expected.stderr, command);
      replayed++;
    }
    assert.equal(replayed, 4);
  });

  test(`the last of a million lines: ${host}`, async () => {
    await using server = await startServer();
    const last = await outcome({ server, host }, ['--', 'seq 1 1000000 | tail -1']);
    assert.deepEqual(last, { status: 0, stdout: '1000000\n', stderr: '' });
  });

  test(`one argument is a shell's, several are nobody's: ${host}`, async () => {
    await using server = await startServer();
    const there = { server, host };
    const shell = await outcome(there, ['--', 'echo $((1 + 1)); echo oh >&2']);
    assert.deepEqual(shell, { status: 0, stdout: '2\n', stderr: 'oh\n' });
    const vector = await outcome(there, ['--', 'printf', '%s|', '$HOME', 'a  b', '', '--json']);
    assert.deepEqual(vector, { status: 0, stdout: '$HOME|a  b||--json|', stderr: '' });
    assert.match(await server.program.stdout.until(/^Given command printf .*\n/m), / \(owner from .+\)\n$/);
    assert.ok(
      server.program.stdout.text.includes(
        `Given command echo $((1 + 1)); echo oh >&2 (owner from ${host} on Server)\n`,
      ),
    );
  });

  test(`a million lines come through, and any bytes go there and back: ${host}`, async () => {
    await using server = await startServer();
    const there = { server, host };
    const lines = Array.from({ length: 1_000_000 }, (_, index) => `${index + 1}\n`).join('');
    assert.deepEqual(await digestThrough(there, ['--', 'seq 1000000'], Buffer.alloc(0)), {
      status: 0,
      digest: digestOf(lines),
    });
    // Longer than every window and buffer on the way, both ways.
    const bytes = randomBytes(16 * 1_048_576);
    assert.deepEqual(await digestThrough(there, ['--', 'cat'], bytes), { status: 0, digest: digestOf(bytes) });
    const summed = await outcome(there, ['--', 'sha256sum; wc -c'], bytes);
    assert.equal(summed.stdout, `${digestOf(bytes)}  -\n0\n`);
  });

  test(`input is passed on as it comes, its end too, and an open one keeps nobody: ${host}`, async () => {
    await using server = await startServer();
    const there = { server, host };
    await using talk = run(there, ['--', 'while read line; do echo "got $line"; done; echo end']);
    talk.stdin.write('one\n');
    await talk.stdout.until('got one\n');
    talk.stdin.write('two\n');
    await talk.stdout.until('got two\n');
    talk.stdin.end();
    await talk.stdout.until('end\n');
    assert.equal(await talk.ended, 0);
    await using unread = run(there, ['--', 'exit 4']);
    assert.equal(await unread.ended, 4);
  });

  test(`a command that reads no more lets the writer go: ${host}`, async () => {
    await using server = await startServer();
    const there = { server, host };
    const bytes = Buffer.alloc(8 * 1_048_576, 'x');
    assert.deepEqual(await outcome(there, ['--', 'head -c 3; exec <&-; echo'], bytes), {
      status: 0,
      stdout: 'xxx\n',
      stderr: '',
    });
  });

  test(`whoever has read enough ends the command, quietly: ${host}`, async () => {
    await using server = await startServer();
    const child = spawn(PARTYLINE, ['run', at(host, server.port), '--', 'exec yes'], {
      env: { ...process.env, ...server.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.once('data', () => child.stdout.destroy());
    let words = '';
    child.stderr.on('data', (chunk: Buffer) => (words += String(chunk)));
    const [status]: unknown[] = await once(child, 'close');
    assert.deepEqual({ status, words }, { status: 141, words: '' });
  });

  for (const [signal, status] of [['SIGINT', 130] as const, ['SIGTERM', 143] as const]) {
    test(`after ${signal} nothing of the command is left: ${host}`, async () => {
      await using server = await startServer();
      const there = { server, host };
      await using program = run(there, ['--', 'trap "echo bye" HUP; sleep 1000 & echo $! $$; wait; wait']);
      const [child = '', shell = ''] = (await program.stdout.until(/^\d+ \d+\n/)).trim().split(' ');
      program.kill(signal);
      assert.equal(await program.ended, status);
      assert.equal(program.stderr.text, '');
      await goneThere(there, child);
      await goneThere(there, shell);
    });
  }

  test(`an interrupted command ends although nobody reads what it says: ${host}`, async (t) => {
    if (!hasProc(t)) return;
    await using server = await startServer();
    const there = { server, host };
    const command = 'yes & echo $! >&2; while read line; do echo heard >&2; done; wait';
    const child = spawn(PARTYLINE, ['run', at(host, server.port), '--', command], {
      env: { ...process.env, ...server.env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const words = new Transcript();
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => words.add(chunk));
    child.stderr.on('close', () => words.end());
    const pid = (await words.until(/^\d+\n/)).trim();
    // What goes there and comes back passes everything that is still on the move: if meanwhile nothing more was said by
    // who sleeps at a full pipe, every window on the way is full.
    await until(async () => {
      const written = writtenBytes(Number(pid));
      child.stdin.write('\n');
      await words.until('heard\n');
      return written > 0 && writtenBytes(Number(pid)) === written && isAsleep(Number(pid));
    }, 'nothing more fits');
    child.kill('SIGINT');
    const [status]: unknown[] = await once(child, 'exit');
    child.stdout.destroy();
    await once(child, 'close');
    assert.equal(status, 130);
    assert.equal(await words.rest(), '', 'nothing else was to be said');
    await goneThere(there, pid);
  });

  test(`a client that dies takes its command with it: ${host}`, async () => {
    await using server = await startServer();
    const there = { server, host };
    await using program = run(there, ['--', 'echo $$; exec sleep 1000']);
    const pid = (await program.stdout.until('\n')).trim();
    program.kill('SIGKILL');
    assert.equal(await program.ended, 137);
    await goneThere(there, pid);
  });

  test(`a server that goes away is one line and 255; one that closes says how the command ended: ${host}`, async () => {
    await using server = await startServer();
    await using program = run({ server, host }, ['--', 'echo ready; exec sleep 1000']);
    await program.stdout.until('ready\n');
    server.program.kill('SIGKILL');
    assert.equal(await program.ended, 255);
    assert.match(program.stderr.text, ONE_LINE);
    await using other = await startServer();
    await using told = run({ server: other, host }, ['--json', '--', 'echo ready; exec sleep 1000']);
    await told.stdout.until('"ready\\n"}\n');
    other.program.kill('SIGTERM');
    assert.equal(await told.ended, 255);
    assert.equal(told.stderr.text, 'partyline run: The command was ended: the server is closing\n');
    assert.equal(await told.stdout.rest(), '{"host":"Server","result":"cancelled","status":129}\n');
    assert.equal(await other.program.ended, 0);
  });

  test(`with --json each line says where it is from: ${host}`, async () => {
    await using server = await startServer();
    const there = { server, host };
    await using talk = run(there, [
      '--json',
      '--',
      String.raw`printf 'h\303'; read x; printf '\251\n'; printf '\377' >&2`,
    ]);
    await talk.stdout.until('{"host":"Server","stream":"stdout","data":"h"}\n');
    talk.stdin.write('\n');
    assert.equal(await talk.ended, 0);
    const lines = (await talk.stdout.rest()).trim().split('\n');
    assert.deepEqual(lines.slice(0, 2).sort(), [
      '{"host":"Server","stream":"stderr","dataBase64":"/w=="}',
      '{"host":"Server","stream":"stdout","data":"é\\n"}',
    ]);
    assert.deepEqual(lines.slice(2), ['{"host":"Server","result":"exited","status":0}']);
    const died = await outcome(there, ['--json', '--', 'kill -9 $$']);
    assert.deepEqual(died, {
      status: 137,
      stdout: '{"host":"Server","result":"signalled","status":137}\n',
      stderr: '',
    });
    const late = await outcome(there, ['--json', '--timeout', '0.1', '--', 'sleep 1000']);
    assert.equal(late.stdout, '{"host":"Server","result":"timeout","status":124}\n');
  });

  test(`an unknown host is refused, and nothing starts anywhere: ${host}`, async () => {
    await using server = await startServer();
    const there = { server, host };
    for (const on of ['web1', 'all', 'Server,web1']) {
      const refused = await outcome(there, ['--json', '--on', on, '--', 'true']);
      assert.equal(refused.status, 255);
      assert.match(
        refused.stderr,
        /^partyline run: Cannot run: (?:no machine named "web1" has joined|"all" matches no machine); nothing was started\n$/,
      );
      const { reason, ...told } = JSON.parse(refused.stdout);
      assert.deepEqual(told, { host: on, result: 'denied', status: null });
      assert.equal(`partyline run: ${reason}\n`, refused.stderr);
    }
    await assertNothingRan(server);
  });

  test(`where nobody listens is one line and 255: ${host}`, async () => {
    await using server = await startServer();
    await using echoing = partyline(['run', at(host, server.echoPort), '--', 'true'], { env: server.env });
    assert.equal(await echoing.ended, 255);
    assert.match(echoing.stderr.text, /: not a native server: it answered "PARTYLINE\/1"\n$/);
    const port = server.port;
    server.program.kill('SIGTERM');
    await server.program.ended;
    await using program = partyline(['run', '--', 'true'], { env: { ...server.env, PARTYLINE_HOST: at(host, port) } });
    assert.equal(await program.ended, 255);
    assert.match(program.stderr.text, ONE_LINE);
    assert.match(program.stderr.text, /connection refused\n$/);
  });
}

test('a command line as people type it finds the server on the port that nobody names', async (t) => {
  if (!needs(t, ['ip', 'dnsmasq'], { root: true, netns: true })) return;
  // A host of its own: there the port is free.
  const { server } = await twoHosts(t);
  const data = aDirectory(t);
  const serve = server.start(PARTYLINE, 'serve', '--data', data);
  await printed(serve.stdout, /^ready$/m);
  const line = `partyline run localhost -- 'seq 1 1000000 | tail -1'`;
  const typed = await server.run(
    '',
    'env',
    `PATH=${ROOT}:${process.env['PATH']}`,
    `PARTYLINE_DATA=${data}`,
    'sh',
    '-c',
    line,
  );
  assert.deepEqual(typed, { status: 0, stdout: '1000000\n', stderr: '' });
});

test('wrong usage is 255 and one line', async () => {
  const cases = [
    ['true'],
    ['localhost'],
    ['localhost', '--'],
    ['a', 'b', '--', 'true'],
    ['--wat', '--', 'true'],
    ['--timeout', '0', '--', 'true'],
    ['--on', '', '--', 'true'],
    ['--timeout', 'soon', '--', 'true'],
    ['--timeout', '9999999999', '--', 'true'],
    ['host:x', '--', 'true'],
    ['http://localhost', '--', 'true'],
  ];
  for (const args of cases) {
    await using program = partyline(['run', ...args]);
    assert.equal(await program.ended, 255, args.join(' '));
    assert.match(program.stderr.text, ONE_LINE, args.join(' '));
    assert.equal(program.stdout.text, '');
  }
});

test(
  'what cannot be written is said, not swallowed',
  { skip: process.platform !== 'linux' && 'no /dev/full' },
  async () => {
    await using server = await startServer();
    for (const [into, why] of [
      ['>/dev/full', 'ENOSPC'],
      ['>&-', 'EBADF'],
    ]) {
      const command = `'${PARTYLINE}' run localhost:${server.port} -- 'echo lost' ${into}`;
      await using shell = start('/bin/sh', ['-c', command], { env: server.env });
      assert.equal(await shell.ended, 255);
      assert.equal(shell.stderr.text, `partyline run: Cannot write stdout: ${why}\n`);
    }
  },
);
