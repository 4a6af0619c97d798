import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, isIP, Server, type Socket } from 'node:net';
import { hostname } from 'node:os';
import { test, type TestContext } from 'node:test';
import { leaveOut } from '../../test/kit/needs.ts';
import { addressesOf, bind, parseListen, type Bound, type Listen } from './listen.ts';

function parsed(text: string): Listen {
  const listen = parseListen(text);
  assert.ok(!('refused' in listen), text);
  return listen;
}

async function bound(t: TestContext, text: string, onConnection: (socket: Socket) => void = () => {}): Promise<Bound> {
  const result = await bind(parsed(text), onConnection);
  t.after(() => result.listeners.forEach((listener) => listener.close()));
  return result;
}

const portOf = (url: string | undefined) => Number(/:(\d+)$/.exec(url ?? '')?.[1]);

test('a listen URL is a scheme, a host and a port', () => {
  const table: [text: string, listen: Listen][] = [
    ['tcp://localhost:7270', { scheme: 'tcp', isInsecure: false, host: 'localhost', port: 7_270 }],
    ['tcp://localhost', { scheme: 'tcp', isInsecure: false, host: 'localhost', port: 7_270 }],
    ['tls://*', { scheme: 'tls', isInsecure: false, host: '*', port: 7_270 }],
    ['https://localhost:8443', { scheme: 'https', isInsecure: false, host: 'localhost', port: 8_443 }],
    ['echo://localhost', { scheme: 'echo', isInsecure: false, host: 'localhost', port: 7_007 }],
    ['line+insecure://*:0', { scheme: 'line', isInsecure: true, host: '*', port: 0 }],
    ['http://[::1]:80', { scheme: 'http', isInsecure: false, host: '::1', port: 80 }],
    ['echo+insecure://192.0.2.7:7', { scheme: 'echo', isInsecure: true, host: '192.0.2.7', port: 7 }],
  ];
  for (const [text, listen] of table) assert.deepEqual(parseListen(text), listen, text);
});

test('what is none is refused with what was expected', () => {
  const table: [text: string, words: RegExp][] = [
    ['localhost:7270', /expected SCHEME:\/\/HOST:PORT, as in tcp:\/\/localhost:7270$/],
    ['', /expected SCHEME:\/\//],
    ['ftp://localhost', /the scheme is one of tcp, tls, line, http, https, echo, not "ftp"$/],
    ['ftp+insecure://localhost', /not "ftp"$/],
    ['tls+insecure://localhost', /tls:\/\/ is never plain text, and \+insecure asks for that$/],
    ['https+insecure://localhost', /https:\/\/ is never plain text/],
    ['irc+insecure://localhost', /irc:\/\/ is not available yet$/],
    ['tcp://', /the host is missing/],
    ['tcp://localhost:65536', /the port is "65536", expected a number from 0 to 65535/],
    ['tcp://::1:x', /not an IPv6 address/],
    ['tcp://localhost:1/path', /nothing may follow/],
  ];
  for (const [text, words] of table) {
    const refusal = parseListen(text);
    assert.ok('refused' in refusal, text);
    assert.match(refusal.refused, words);
    assert.match(refusal.refused, /^Cannot /);
  }
});

test('localhost is both loopbacks by address, and * every address, whatever the name service says', async () => {
  assert.deepEqual(await addressesOf('localhost'), ['127.0.0.1', '::1']);
  assert.deepEqual(await addressesOf('LOCALHOST'), ['127.0.0.1', '::1']);
  assert.deepEqual(await addressesOf('*'), ['0.0.0.0', '::']);
  assert.deepEqual(await addressesOf('::ffff:127.0.0.1'), ['127.0.0.1']);
  assert.deepEqual(await addressesOf('2001:db8::1'), ['2001:db8::1']);
});

test('port 0 is one free port for both families, and each address says its own URL', async (t) => {
  const { listeners, warnings } = await bound(t, 'tcp://localhost:0', (socket) => void socket.end('hi'));
  const port = portOf(listeners[0]?.url);
  assert.deepEqual(
    listeners.map(({ url, scheme }) => [url, scheme]),
    [
      [`tcp://127.0.0.1:${port}`, 'tcp'],
      [`tcp://[::1]:${port}`, 'tcp'],
    ],
  );
  assert.deepEqual(warnings, []);
  for (const host of ['127.0.0.1', '::1']) {
    const socket = connect(port, host);
    const [greeting]: unknown[] = await once(socket, 'data');
    assert.equal(String(greeting), 'hi');
    socket.destroy();
  }
});

test('connections come with a half that stays open after the other has ended', async (t) => {
  const { promise, resolve } = Promise.withResolvers<Socket>();
  const { listeners } = await bound(t, 'tcp://127.0.0.1:0', resolve);
  const socket = connect(portOf(listeners[0]?.url), '127.0.0.1');
  socket.end('question');
  const accepted = await promise;
  accepted.resume();
  await once(accepted, 'end');
  accepted.end('answer');
  const [answer]: unknown[] = await once(socket, 'data');
  assert.equal(String(answer), 'answer');
});

test('all addresses are bound or none: a port taken in one family is free in the other afterwards', async (t) => {
  const { listeners: both } = await bound(t, 'tcp://localhost:0');
  const port = portOf(both[0]?.url);
  both[0]?.close();
  await assert.rejects(
    bind(parsed(`tcp://localhost:${port}`), () => {}),
    {
      message: `Cannot listen on tcp://[::1]:${port}: the address is in use`,
    },
  );
  const { listeners } = await bound(t, `tcp://127.0.0.1:${port}`);
  assert.equal(listeners.length, 1);
});

test('plain text beyond loopback has to be asked for', async (t) => {
  for (const [text, exposed] of [
    ['tcp://*:0', '0.0.0.0'],
    ['line://[::]:0', '::'],
    ['echo://192.0.2.7:0', '192.0.2.7'],
    ['http://[2001:db8::1]:0', '2001:db8::1'],
  ] as const) {
    const url = text.replace('://', '+insecure://');
    await assert.rejects(
      bind(parsed(text), () => {}),
      {
        message: `Cannot listen on ${text}: ${exposed} is reachable from other machines and this would be plain text; ${url} says that it is meant`,
      },
    );
  }
  const { listeners } = await bound(t, 'tcp://127.0.0.1:0');
  assert.match(listeners[0]?.url ?? '', /^tcp:\/\/127\.0\.0\.1:\d+$/);
});

test('an address that this machine does not have is said to be so', async () => {
  // RFC 5737 and RFC 3849: for documentation, nobody has them.
  for (const host of ['192.0.2.7', '[2001:db8::1]']) {
    await assert.rejects(
      bind(parsed(`tcp+insecure://${host}:0`), () => {}),
      {
        message: `Cannot listen on tcp+insecure://${host}:0: this machine does not have the address`,
      },
    );
  }
});

test('a connection that cannot be accepted is told, and is not the end of the server', async (t) => {
  // The kernel cannot be brought to it at will: Node's own server is, which emits what accept(2) said.
  const listening = t.mock.method(Server.prototype, 'listen');
  const told: Error[] = [];
  const sayHi = (socket: Socket) => void socket.end('hi');
  const heeded = await bind(parsed('tcp://localhost:0'), sayHi, { onAcceptError: (error) => told.push(error) });
  const unheeded = await bound(t, 'tcp://localhost:0', sayHi);
  t.after(() => heeded.listeners.forEach((listener) => listener.close()));
  const servers = listening.mock.calls.map((call) => call.this).filter((server) => server instanceof Server);
  assert.equal(servers.length, 4);
  const error = Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' });
  for (const server of servers) for (let times = 0; times < 2; times++) server.emit('error', error);
  assert.deepEqual(told, [error, error, error, error]);
  for (const { url } of [...heeded.listeners, ...unheeded.listeners]) {
    const socket = connect(portOf(url), url.includes('[') ? '::1' : '127.0.0.1');
    const [greeting]: unknown[] = await once(socket, 'data');
    assert.equal(String(greeting), 'hi');
    socket.destroy();
  }
});

test('a listener that was asked for by a name has that beside its address, and no other has one', async (t) => {
  for (const text of ['tcp://localhost:0', 'tcp+insecure://*:0', 'tcp://[::1]:0']) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other, on one machine
    const { listeners } = await bound(t, text);
    assert.deepEqual(new Set(listeners.map(({ named }) => named)), new Set([undefined]), text);
  }
  const name = hostname();
  const isKnown = await addressesOf(name).then(
    () => true,
    () => false,
  );
  if (!isKnown || isIP(name) !== 0) return leaveOut(t, `this machine does not know its own name, ${name}`);
  const { listeners } = await bound(t, `tcp+insecure://${name}:0`);
  const [first] = listeners;
  assert.equal(first?.named, `tcp+insecure://${name}:${portOf(first?.url)}`);
});
