import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { test, type TestContext } from 'node:test';
import { listenOn } from '../../test/kit/listener.ts';
import { converse } from './converse.ts';
import { EchoError, openEcho, type EchoOptions } from './echo.ts';

async function open(
  t: TestContext,
  host: string,
  { accept, ...options }: { accept: (socket: Socket) => void } & Partial<EchoOptions>,
) {
  const port = await listenOn(t, host, accept);
  const connection = await openEcho({ name: 'Client', ...options, host, port });
  t.after(() => connection.socket.destroy());
  return connection;
}

const heardOf = (error: unknown): string => {
  assert.ok(error instanceof EchoError, String(error));
  return error.message.replace(/(port |\.1:)\d+/g, '$1N');
};

/** Sends one byte a time, each in a segment of its own as far as that is up to us. */
async function dribble(socket: Socket, text: string): Promise<void> {
  for (const byte of Buffer.from(text)) await new Promise((sent) => socket.write(Buffer.of(byte), sent));
}

for (const host of ['127.0.0.1', '::1']) {
  test(`the answer is understood byte by byte, behind a prompt, and with echo behind it, over ${host}`, async (t) => {
    const { server, rest, socket } = await open(t, host, {
      accept: (socket) =>
        void socket.once('data', () => void dribble(socket, 'Enter your name: ECHO Hub 192.0.2.7 4711\nx')),
    });
    assert.deepEqual(server, { kind: 'partyline', name: 'Hub', seenAs: { address: '192.0.2.7', port: 4711 } });
    const [first = rest] = rest.length > 0 ? [rest] : await once(socket.resume(), 'data');
    assert.equal(String(first), 'x');
  });
}

for (const host of ['127.0.0.1', '::1']) {
  test(`where we come from is an address, and a mapped one is the IPv4 address that it is, over ${host}`, async (t) => {
    const seen = async (address: string) => {
      const accept = (socket: Socket) =>
        void socket.once('data', () => void socket.write(`ECHO Hub ${address} 4711\n`));
      const { server } = await open(t, host, { accept });
      return server.kind === 'partyline' ? server.seenAs.address : assert.fail();
    };
    assert.equal(await seen('::ffff:10.0.0.1'), '10.0.0.1');
    assert.equal(await seen('2001:db8::1'), '2001:db8::1');
    assert.equal(await seen('fe80::1%eth0'), 'fe80::1%eth0');
    for (const address of ['not-an-ip', '256.1.1.1', '10.0.0.01', '::1::', '::ffff:10.0.0.256']) {
      assert.equal(
        await seen(address).then(() => assert.fail(`${address} was an address`), heardOf),
        `${host} port N does not speak ECHO: it says that we come from "${address}", which is no address`,
      );
    }
  });
}

const chatter = (socket: Socket): void => void socket.write('x'.repeat(100_000));

test('what never ends is no answer', async (t) => {
  const message = await open(t, '::1', { accept: chatter }).then(() => assert.fail('it was an answer'), heardOf);
  assert.match(message, /^::1 port N does not speak ECHO: it answered "x{63}…"$/);
});

test('a server that says nothing is waited for no longer than the deadline', async (t) => {
  const silent = open(t, '127.0.0.1', { accept: (socket) => void socket.resume(), answerDeadlineMs: 1 });
  const message = await silent.then(() => assert.fail('it was an answer'), heardOf);
  assert.equal(
    message,
    '127.0.0.1 port N does not speak ECHO: no answer within 0.001 s; if that port takes TLS alone it is tls://127.0.0.1:N',
  );
});

test('a server that owes nothing and does not close is left', async (t) => {
  const connection = await open(t, '::1', { accept: (socket) => void socket.pipe(socket, { end: false }) });
  const input = new PassThrough();
  const output = new PassThrough();
  const ended = converse({ connection, input, output, show: (chunk) => chunk, endGraceMs: 1 });
  input.end('hello\n');
  assert.deepEqual(await ended, { why: 'done', by: 'end', sent: 6, received: 6 });
  assert.equal(String(output.read()), 'hello\n');
  assert.equal(connection.socket.destroyed, true);
});

test('while nobody takes the output, nothing more is read from the server', async (t) => {
  const connection = await open(t, '127.0.0.1', { accept: (socket) => void socket.pipe(socket) });
  const input = new PassThrough();
  const output = new PassThrough({ highWaterMark: 1 });
  const ended = converse({ connection, input, output, show: (chunk) => chunk });
  input.write('one\n');
  await once(output, 'readable');
  assert.equal(connection.socket.isPaused(), true);
  output.resume();
  await once(connection.socket, 'resume');
  input.end();
  assert.equal((await ended).why, 'done');
});
