// Echo from end to end: the conversation the project began with, and RFC 862 in every direction, with strangers at
// either end, at length, and with a partner that does not read.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { test, type TestContext } from 'node:test';
import { Caller } from '../kit/caller.ts';
import { freePort } from '../kit/listener.ts';
import { needs } from '../kit/needs.ts';
import { hasProc, residentBytes, until } from '../kit/proc.ts';
import { outcomeOf, PARTYLINE, partyline, ROOT, start } from '../kit/program.ts';
import { at, LOOPBACKS, startServer, type TestServer } from '../kit/server.ts';

const TRANSCRIPT = join(ROOT, 'test/vectors/transcripts/echo-host-name.txt');
const MIB = 1_048_576;

/** Which of the loopback's names and addresses this machine knows, and under which address each is reached. */
async function knownHosts(t: TestContext): Promise<string[]> {
  const known: string[] = [];
  for (const host of ['127.0.0.1', '::1', 'localhost', 'ip6-localhost']) {
    if (
      await lookup(host).then(
        () => true,
        () => false,
      )
    )
      known.push(host);
    else t.diagnostic(`${host} is left out: this machine does not know the name`);
  }
  return known;
}

test('two names are exchanged and every line comes back, whatever the host is called: word for word', async (t) => {
  const hosts = await knownHosts(t);
  for (const host of LOOPBACKS) assert.ok(hosts.includes(host));
  await using server = await startServer();
  for (const host of hosts) {
    await using client = partyline(['echo', at(host, server.port), '--name', 'Client']);
    let replayed = 0;
    for (const line of readFileSync(TRANSCRIPT, 'utf8').split('\n')) {
      const [, who, does, text = ''] = /^(client|server) ([<>]) (.*)$/.exec(line) ?? [];
      if (who === undefined) continue;
      replayed++;
      if (does === '>') client.stdin.write(`${text}\n`);
      else if (who === 'client') assert.equal(await client.stdout.until('\n'), `${text}\n`);
      else await server.program.stdout.until(new RegExp(`^${wordsFor(text, host)}\n`, 'm'));
    }
    assert.equal(replayed, 11);
    assert.equal(await client.ended, 0, 'with no end of input: close was enough');
    assert.equal(await client.stdout.rest(), '');
    assert.equal(client.stderr.text, '');
  }
  const perHost = server.program.stdout.text.match(/^Received connection from (?:127\.0\.0\.1|::1)$/gm);
  assert.equal(perHost?.length, hosts.length);
  assert.doesNotMatch(server.program.stdout.text, /Name of client|connection closed/, 'an echo makes nobody present');
});

/** A line of the transcript as a pattern: the address is the one by which the client came. */
function wordsFor(text: string, host: string): string {
  const [words = '', ...rest] = text.split('127.0.0.1 (or ::1, as the client came)');
  const isLiteral = (LOOPBACKS as readonly string[]).includes(host);
  return rest.length === 0
    ? RegExp.escape(text)
    : `${RegExp.escape(words)}${isLiteral ? RegExp.escape(host) : String.raw`(?:127\.0\.0\.1|::1)`}`;
}

test('an end of the input ends it as close does; where nothing listens the status is 255', async () => {
  await using server = await startServer();
  for (const host of LOOPBACKS) {
    await using named = partyline(['echo', at(host, server.port), '--name', 'eve']);
    const echoed = { status: 0, stdout: 'Connected with Server\nServer : one\nServer : two', stderr: '' };
    assert.deepEqual(await outcomeOf(named, 'one\ntwo'), echoed);
    await server.program.stdout.until('eve : two\n');
    for (const args of [['--raw'], ['--name', 'eve']]) {
      await using plain = partyline(['echo', `echo://${at(host, server.echoPort)}`, ...args]);
      const once = { status: 0, stdout: `Connected with ${host}\n${host} : one\n`, stderr: '' };
      assert.deepEqual(await outcomeOf(plain, 'one\nclose\ntwo\n'), once);
    }
  }
  const { port, echoPort } = server;
  server.program.kill('SIGTERM');
  await server.program.ended;
  for (const host of LOOPBACKS) {
    for (const target of [at(host, port), `echo://${at(host, echoPort)}`]) {
      await using client = partyline(['echo', target]);
      const { status, stdout, stderr } = await outcomeOf(client, 'one\n');
      assert.deepEqual([status, stdout], [255, '']);
      assert.match(
        stderr,
        new RegExp(`^partyline echo: Cannot connect to ${RegExp.escape(host)} port \\d+: connection refused\n$`),
      );
    }
  }
});

/** Every byte value in every neighbourhood of 256; without a length more of them than a pipe or a read holds. */
function everyByte(length = 300_000): Buffer {
  return Buffer.from(Uint8Array.from({ length }, (_, at) => (at + Math.floor(at / 256)) % 256));
}

/** `ncat -e` jams on more than a pipe holds, and forgets at a FIN what its command has not said yet. */
const NCAT_LENGTH = 32_768;

interface Through {
  readonly input: Uint8Array;
  /** The input ends once so much has come out; without it at once. */
  readonly endAfter?: number | undefined;
}

/** What a program writes when it is given that to read, as bytes. */
async function bytesThrough(
  t: TestContext,
  [file, ...args]: readonly [string, ...string[]],
  { input, endAfter = 0 }: Through,
) {
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  t.after(() => child.kill('SIGKILL'));
  const [out, err]: [Buffer[], Buffer[]] = [[], []];
  let length = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    out.push(chunk);
    length += chunk.length;
    if (length >= endAfter) child.stdin.end();
  });
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  child.stdin.on('error', () => {}).write(input);
  if (endAfter === 0) child.stdin.end();
  const [status]: unknown[] = await once(child, 'close');
  return { status, stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString() };
}

const digestOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

for (const host of LOOPBACKS) {
  const family = host.includes(':') ? '6' : '4';
  const clients: Readonly<Record<string, (port: string) => string[]>> = {
    nc: (port) => ['-N', host, port],
    ncat: (port) => [host, port],
    // -t: how long it waits for the other direction once one has ended.
    socat: (port) => ['-t', '60', '-', `TCP${family}:${at(host, Number(port))}`],
  };
  for (const [program, argsFor] of Object.entries(clients)) {
    test(`${program} gets every byte back from an echo:// listener: ${host}`, async (t) => {
      if (!needs(t, [program])) return;
      await using server = await startServer();
      const sent = everyByte();
      const { status, stdout, stderr } = await bytesThrough(t, [program, ...argsFor(String(server.echoPort))], {
        input: sent,
      });
      assert.deepEqual([status, stderr], [0, '']);
      assert.equal(digestOf(stdout), digestOf(sent));
    });
  }

  const servers: Readonly<Record<string, (port: string) => string[]>> = {
    ncat: (port) => ['-v', '-l', '-k', host, port, '-e', '/bin/cat'],
    'socat with a pipe': (port) => [
      '-d',
      '-d',
      `TCP${family}-LISTEN:${port},bind=${at(host, 0).slice(0, -2)},fork`,
      'PIPE',
    ],
    'socat with cat': (port) => [
      '-d',
      '-d',
      `TCP${family}-LISTEN:${port},bind=${at(host, 0).slice(0, -2)},fork`,
      'EXEC:cat',
    ],
  };
  for (const [name, argsFor] of Object.entries(servers)) {
    test(`partyline echo gets every byte back from ${name}: ${host}`, async (t) => {
      const program = name.split(' ')[0] ?? '';
      if (!needs(t, [program])) return;
      const port = await freePort(host);
      await using stranger = start(program, argsFor(String(port)));
      await stranger.stderr.until(/listening on .*\n/i);
      const sent = everyByte(program === 'ncat' ? NCAT_LENGTH : undefined);
      const label = Buffer.from(`${host} : `);
      const lines = sent.toString('latin1').split(/(?<=\n)/);
      const shown = Buffer.concat(lines.flatMap((line) => [label, Buffer.from(line, 'latin1')]));
      const head = Buffer.from(`Connected with ${host}\n`);
      for (const args of [['--raw'], ['--name', 'Client']]) {
        const echoed = await bytesThrough(t, [PARTYLINE, 'echo', `echo://${at(host, port)}`, ...args], {
          input: sent,
          endAfter: program === 'ncat' ? head.length + shown.length : undefined,
        });
        assert.deepEqual([echoed.status, echoed.stderr], [0, '']);
        assert.equal(echoed.stdout.subarray(0, head.length).toString(), head.toString());
        assert.equal(digestOf(echoed.stdout.subarray(head.length)), digestOf(shown));
      }
    });
  }

  test(`what the console shows of an echo is little, short and escaped; what goes back is all: ${host}`, async () => {
    await using server = await startServer();
    const shown = async (name: string, bytes: Uint8Array): Promise<string[]> => {
      await using caller = await Caller.connect(host, server.port);
      caller.socket.setEncoding('latin1');
      caller.type(`ECHO ${name}`);
      await caller.until('\n');
      await server.program.stdout.until(`Connection established with : ${name}\n`);
      caller.socket.write(bytes);
      await caller.until(Buffer.from(bytes).toString('latin1'));
      // The console tells things in order: all that it has to say of these bytes comes before the next connection.
      await using next = await Caller.connect(host, server.port);
      next.type('ECHO next');
      const text = await server.program.stdout.until('established with : next\n');
      return text.split('\n').filter((line) => line.startsWith(`${name} :`));
    };
    // One segment, so one read: all in the same second.
    const hundred = Array.from({ length: 100 }, (_, n) => `line ${n}\n`);
    assert.deepEqual(
      await shown('flood', Buffer.from(hundred.join(''))),
      hundred.slice(0, 10).map((line) => `flood : ${line.trim()}`),
    );
    assert.deepEqual(await shown('long', Buffer.from(`${'x'.repeat(1_000)}\n`)), [`long : ${'x'.repeat(192)}…`]);
    assert.deepEqual(await shown('esc', Buffer.from('\x1b]0;owned\x07\t\u202e\r\n')), [
      'esc : \\x1b]0;owned\\x07\\t\\u202e',
    ]);
    assert.deepEqual(await shown('raw', Uint8Array.of(0x61, 0xff, 0x9b, 0x0a)), ['raw : a\ufffd\ufffd']);
    assert.deepEqual(await shown('grüße', Buffer.from('\nhi\n')), ['grüße : ', 'grüße : hi']);
  });
}

/** A long stream whose every byte is known by its place: the same megabyte over and over. */
const PATTERN = Buffer.from(Uint8Array.from({ length: MIB }, (_, at) => Math.imul(at, 2_654_435_761) >>> (at % 24)));
const TWICE = Buffer.concat([PATTERN, PATTERN]);
/** Sent at once: no divisor of the pattern's length, so that the cuts fall everywhere. */
const PIECE = 262_139;

class Stream {
  sent = 0;
  received = 0;
  readonly #socket: Socket;
  readonly #total: number;
  readonly #done = Promise.withResolvers<void>();

  constructor(socket: Socket, total: number) {
    this.#socket = socket;
    this.#total = total;
    socket.on('data', (chunk: Buffer) => this.#check(chunk));
    socket.on('error', this.#done.reject);
    socket.on('end', () => this.#done.reject(new Error(`ended after ${this.received} bytes`)));
    this.#done.promise.catch(() => {});
  }

  /** Everything has come back. */
  get done(): Promise<void> {
    return this.#done.promise;
  }

  start(): void {
    this.#socket.on('drain', () => this.#send());
    this.#send();
  }

  #send(): void {
    while (this.sent < this.#total) {
      const from = this.sent % MIB;
      const piece = TWICE.subarray(from, from + Math.min(PIECE, this.#total - this.sent));
      this.sent += piece.length;
      if (!this.#socket.write(piece)) return;
    }
  }

  #check(chunk: Buffer): void {
    const from = this.received % MIB;
    if (!chunk.equals(TWICE.subarray(from, from + chunk.length))) {
      this.#done.reject(new Error(`other bytes came back between ${this.received} and ${chunk.length} further on`));
      this.#socket.destroy();
    }
    this.received += chunk.length;
    if (this.received === this.#total) this.#done.resolve();
  }
}

/** A connection that is echoed from here on. */
async function openStream(t: TestContext, server: TestServer, { host, isNamed }: { host: string; isNamed: boolean }) {
  const socket = connect({ host, port: isNamed ? server.port : server.echoPort, noDelay: true });
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  if (isNamed) {
    socket.write('ECHO long\n');
    const [answer]: unknown[] = await once(socket, 'data');
    assert.match(String(answer), /^ECHO Server \S+ \d+\n$/);
  }
  return socket;
}

/** Read buffers, buffers of the pump and room for the garbage collector to take its time: not what flows through. */
const MAX_GROWTH_BYTES = 64 * MIB;
const MILESTONE_BYTES = 16 * MIB;

for (const { isNamed, host, mebibytes } of [
  { isNamed: false, host: '::1', mebibytes: 1_024 },
  { isNamed: false, host: '127.0.0.1', mebibytes: 256 },
  { isNamed: true, host: '127.0.0.1', mebibytes: 1_024 },
  { isNamed: true, host: '::1', mebibytes: 256 },
]) {
  const where = isNamed ? 'a named connection' : 'an echo:// listener';
  test(`${mebibytes} MiB go through ${where} and back in flat memory: ${host}`, async (t) => {
    if (!hasProc(t)) return;
    await using server = await startServer();
    const socket = await openStream(t, server, { host, isNamed });
    const before = residentBytes(server.pid);
    const stream = new Stream(socket, mebibytes * MIB);
    let highest = before;
    let milestone = 0;
    socket.on('data', () => {
      if (stream.received < milestone) return;
      milestone += MILESTONE_BYTES;
      highest = Math.max(highest, residentBytes(server.pid));
    });
    stream.start();
    await stream.done;
    assert.equal(milestone, mebibytes * MIB + MILESTONE_BYTES);
    t.diagnostic(`grew by ${Math.round((highest - before) / MIB)} MiB`);
    assert.ok(highest - before < MAX_GROWTH_BYTES, `grew by ${highest - before} bytes`);
  });

  test(`who does not read is not read from, and gets everything later: ${where}, ${host}`, async (t) => {
    if (!hasProc(t)) return;
    await using server = await startServer();
    const socket = await openStream(t, server, { host, isNamed });
    await using other = await Caller.connect(host, server.echoPort);
    const before = residentBytes(server.pid);
    const offered = 96 * MIB;
    const stream = new Stream(socket, offered);
    socket.pause();
    stream.start();
    // It stands still once the kernel's buffers are full in both directions.
    const taken = () => stream.sent - socket.writableLength;
    let last = -1;
    await until(async () => {
      for (let turn = 0; turn < 20; turn++) {
        other.type('turn');
        await other.until('turn\n');
      }
      const isStill = taken() === last;
      last = taken();
      return isStill;
    }, 'no more is taken');
    // Linux lets a loopback connection hold 10 MiB each way (tcp_rmem, tcp_wmem); the server holds one read.
    assert.ok(last < 32 * MIB, `${last} bytes were taken from a client that has read nothing`);
    assert.ok(residentBytes(server.pid) - before < MAX_GROWTH_BYTES);
    socket.resume();
    await stream.done;
    assert.equal(stream.received, offered);
  });
}

for (const host of LOOPBACKS) {
  test(`of a probe the console shows the rounds, and once that the rest is no text: ${host}`, async () => {
    await using server = await startServer();
    const probe = ['echo', at(host, server.port), '--probe', '--count', '2', '--interval', '1', '--name', 'Vamshi'];
    assert.equal((await outcomeOf(partyline(probe))).status, 0);
    const heard = await server.program.stdout.until('Vamshi : (bytes that are no text)\n');
    assert.deepEqual(heard.match(/^Vamshi : probe \d/gm), ['Vamshi : probe 0', 'Vamshi : probe 1']);
    const last = await outcomeOf(partyline(['echo', at(host, server.port), '--name', 'Bob']), 'hello\n');
    assert.equal(last.status, 0);
    assert.doesNotMatch(await server.program.stdout.until('Bob : hello\n'), /^Vamshi/m);
  });
}
