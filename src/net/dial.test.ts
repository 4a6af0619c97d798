import assert from 'node:assert/strict';
import { once } from 'node:events';
import { BoundSocket, createServer } from 'node:net';
import { test, type TestContext } from 'node:test';
import { settled } from '../../test/kit/clock.ts';
import { failureOf, stillWorld, V4, V6 } from '../../test/kit/dialling.ts';
import { dial, DIAL_DEADLINE_MS, type DialOptions } from './dial.ts';
import type { Candidate } from './race.ts';

const BOTH_LOOPBACKS: Candidate[] = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
];

test('the first address to answer wins, though it began later; the other one is then destroyed', async () => {
  const world = stillWorld();
  const dialling = dial(world.options);
  await settled();
  assert.deepEqual(world.started(), ['2001:db8::1']);
  await world.pass(249);
  assert.deepEqual(world.started(), ['2001:db8::1']);
  await world.pass(1);
  assert.deepEqual(world.started(), ['2001:db8::1', '192.0.2.1']);
  assert.equal(world.socketTo(V6).destroyed, false);
  await world.pass(20);
  world.answers(V4);
  const { socket, address, family, attempts } = await dialling;
  assert.equal(socket, world.socketTo(V4));
  assert.deepEqual([address, family, socket.destroyed, world.socketTo(V6).destroyed], ['192.0.2.1', 4, false, true]);
  assert.deepEqual(
    attempts.map((attempt) => [attempt.outcome, attempt.startedAtMs, attempt.endedAtMs]),
    [
      ['cancelled', 0, 270],
      ['connected', 250, 270],
    ],
  );
  assert.deepEqual([world.clock.waiting, socket.listenerCount('error')], [0, 0]);
});

test('a slow first address wins, though a second was started meanwhile', async () => {
  const world = stillWorld();
  const dialling = dial(world.options);
  await settled();
  await world.pass(250);
  world.answers(V6);
  assert.equal((await dialling).address, '2001:db8::1');
  assert.equal(world.socketTo(V4).destroyed, true);
});

test('a refusal is followed by the next address without a wait', async () => {
  const world = stillWorld();
  const dialling = dial(world.options);
  await settled();
  world.fails(V6, 'ECONNREFUSED');
  assert.deepEqual(world.started(), ['2001:db8::1', '192.0.2.1']);
  world.answers(V4);
  assert.equal((await dialling).address, '192.0.2.1');
});

test('when all fail, one line names every address and why', async () => {
  const world = stillWorld();
  const failing = failureOf(dial(world.options));
  await settled();
  world.fails(V6, 'ENETUNREACH');
  world.fails(V4, 'ECONNREFUSED');
  const { message, attempts } = await failing;
  assert.equal(
    message,
    'Cannot connect to hub.example port 7270: 2001:db8::1: network unreachable; 192.0.2.1: connection refused',
  );
  assert.deepEqual(
    attempts.map((attempt) => attempt.outcome),
    ['failed', 'failed'],
  );
  assert.equal(world.clock.waiting, 0);
});

test('where nothing answers, the deadline ends it and every attempt', async () => {
  const world = stillWorld();
  const failing = failureOf(dial(world.options));
  await settled();
  await world.pass(250);
  await world.pass(DIAL_DEADLINE_MS - 251);
  assert.deepEqual([world.socketTo(V6).destroyed, world.socketTo(V4).destroyed], [false, false]);
  await world.pass(1);
  assert.equal(
    (await failing).message,
    'Cannot connect to hub.example port 7270: 2001:db8::1: no answer within 30 s; 192.0.2.1: no answer within 30 s',
  );
  assert.deepEqual([world.socketTo(V6).destroyed, world.socketTo(V4).destroyed], [true, true]);
});

test('a signal ends the dialling with its own reason, before, while and after resolving', async () => {
  for (const moment of ['before', 'resolving', 'connecting']) {
    const world = stillWorld();
    const interrupt = new AbortController();
    if (moment === 'before') interrupt.abort(new Error('enough'));
    const lookup = moment === 'resolving' ? () => new Promise<Candidate[]>(() => {}) : async () => [V6, V4];
    const dialling = dial({ ...world.options, lookup, signal: interrupt.signal });
    const rejected = assert.rejects(dialling, /^Error: enough$/, moment);
    await settled();
    interrupt.abort(new Error('enough'));
    await rejected;
    assert.equal(world.clock.waiting, 0, moment);
    if (moment === 'connecting') assert.equal(world.socketTo(V6).destroyed, true);
    else assert.deepEqual(world.started(), [], moment);
  }
});

const notFound = () => Promise.reject(Object.assign(new Error('x'), { code: 'ENOTFOUND' }));

test('a name that cannot be used says so', async () => {
  const { options } = stillWorld([V4]);
  const message = async (more: Partial<DialOptions>) => (await failureOf(dial({ ...options, ...more }))).message;
  const start = 'Cannot connect to hub.example port 7270: ';
  assert.equal(await message({ lookup: notFound }), `${start}name does not resolve`);
  assert.equal(await message({ lookup: async () => [] }), `${start}name does not resolve`);
  assert.equal(await message({ family: 6 }), `${start}hub.example has no IPv6 address`);
  assert.equal(
    await message({ host: '::1', family: 4 }),
    'Cannot connect to ::1 port 7270: ::1 is not an IPv4 address',
  );
});

test('an IPv4-mapped address is dialled and judged as the IPv4 address that it is', async () => {
  const world = stillWorld([]);
  const dialling = dial({ ...world.options, host: '::ffff:192.0.2.1', family: 4 });
  await settled();
  world.answers(V4);
  assert.equal((await dialling).family, 4);
});

// From here on with real sockets.

const other = (address: string) => (address === '::1' ? '127.0.0.1' : '::1');

/** Listens on one loopback, and holds the same port of the other one so that nobody else can listen there. */
async function listen(t: TestContext, host: string): Promise<number> {
  const { port, release } = holdPort();
  release(host);
  t.after(() => release(other(host)));
  const server = createServer({ allowHalfOpen: true }, (socket) => void socket.pipe(socket));
  t.after(() => server.close());
  server.listen(port, host);
  await once(server, 'listening');
  return port;
}

/** One port of both loopbacks, bound but not listened on: connections are refused as long as it is held. */
function holdPort(): { port: number; release: (address: string) => void } {
  for (let attempt = 0; attempt < 20; attempt++) {
    const v4 = new BoundSocket({ host: '127.0.0.1', port: 0 });
    const { port } = v4.address();
    try {
      const v6 = new BoundSocket({ host: '::1', port });
      return { port, release: (address) => (address === '::1' ? v6 : v4).close() };
    } catch {
      v4.close();
    }
  }
  return assert.fail('no port is free on both loopbacks');
}

for (const { address, family } of BOTH_LOOPBACKS) {
  test(`over a real socket ${address} is reached, and echoes after a half-close`, async (t) => {
    const port = await listen(t, address);
    const { socket, ...found } = await dial({ host: address, port, allowHalfOpen: true });
    t.after(() => socket.destroy());
    assert.deepEqual([found.address, found.family, socket.remoteAddress], [address, family, address]);
    socket.setEncoding('utf8').end('still here');
    assert.equal((await socket.toArray()).join(''), 'still here');
  });

  test(`a name with both loopbacks reaches the one that listens, ${address}`, async (t) => {
    const port = await listen(t, address);
    const { socket, attempts } = await dial({ host: 'both.example', port, lookup: async () => BOTH_LOOPBACKS });
    t.after(() => socket.destroy());
    assert.equal(socket.remoteAddress, address);
    assert.deepEqual(
      attempts.map(({ outcome, reason }) => reason ?? outcome),
      address === '127.0.0.1' ? ['connected'] : ['connection refused', 'connected'],
    );
  });

  test(`nobody listening on ${address} is a refusal in words`, async (t) => {
    const { port, release } = holdPort();
    t.after(() => ['127.0.0.1', '::1'].forEach(release));
    const { message } = await failureOf(dial({ host: address, port }));
    assert.equal(message, `Cannot connect to ${address} port ${port}: connection refused`);
    const both = await failureOf(dial({ host: 'both.example', port, lookup: async () => BOTH_LOOPBACKS }));
    assert.equal(both.reason, '127.0.0.1: connection refused; ::1: connection refused');
  });
}
