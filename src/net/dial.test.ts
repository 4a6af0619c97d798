import assert from 'node:assert/strict';
import { once } from 'node:events';
import { BoundSocket, createServer, Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { settled, stillClock } from '../../test/kit/clock.ts';
import { dial, DialError, DIAL_DEADLINE_MS, RESOLUTION_DELAY_MS, type DialOptions, type Lookup } from './dial.ts';
import type { Candidate } from './race.ts';

const V6: Candidate = { address: '2001:db8::1', family: 6 };
const V4: Candidate = { address: '192.0.2.1', family: 4 };
const BOTH_LOOPBACKS: Candidate[] = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
];

/** A clock that moves only when told, and sockets that connect to nothing until told. */
function stillWorld(found: Candidate[] = [V6, V4]) {
  const clock = stillClock();
  const sockets = new Map<string, Socket>();
  const socketTo = (to: Candidate): Socket => {
    const socket = sockets.get(to.address);
    assert.ok(socket !== undefined, `nothing was started towards ${to.address}`);
    return socket;
  };
  const options: DialOptions = {
    host: 'hub.example',
    port: 7270,
    clock,
    lookup: async () => found,
    connect(to) {
      const socket = new Socket();
      sockets.set(to.address, socket);
      return socket;
    },
  };
  return {
    options,
    clock,
    started: () => [...sockets.keys()],
    socketTo,
    async pass(ms: number) {
      clock.pass(ms);
      await settled();
    },
    answers: (to: Candidate) => socketTo(to).emit('connect'),
    fails: (to: Candidate, code: string) => socketTo(to).emit('error', Object.assign(new Error(code), { code })),
  };
}

function failureOf(promise: Promise<unknown>): Promise<DialError> {
  return promise.then(
    () => assert.fail('it connected'),
    (error: unknown) => {
      assert.ok(error instanceof DialError, String(error));
      return error;
    },
  );
}

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

test('a name service that never answers is not waited for beyond the deadline', async () => {
  const world = stillWorld();
  const failing = failureOf(dial({ ...world.options, lookup: () => new Promise(() => {}), deadlineMs: 2_000 }));
  await settled();
  await world.pass(2_000);
  assert.equal(
    (await failing).message,
    'Cannot connect to hub.example port 7270: no answer within 2 s while resolving the name',
  );
});

/** A name whose answers come when told: for both families, or for the one that was asked for alone. */
function slowNames() {
  const asked: string[] = [];
  const pending = new Map<string, PromiseWithResolvers<Candidate[]>>();
  const word = (family?: number) => (family === undefined ? 'both' : `IPv${family}`);
  const answer = (what: string): PromiseWithResolvers<Candidate[]> => {
    const found = pending.get(what);
    assert.ok(found !== undefined, `nobody asked for ${what}`);
    return found;
  };
  const lookup: Lookup = (_, family) => {
    asked.push(word(family));
    const promise = Promise.withResolvers<Candidate[]>();
    pending.set(word(family), promise);
    return promise.promise;
  };
  return {
    asked,
    lookup,
    async finds(what: string, ...found: Candidate[]) {
      answer(what).resolve(found);
      await settled();
    },
    async fails(what: string, code: string) {
      answer(what).reject(Object.assign(new Error(code), { code }));
      await settled();
    },
  };
}

test('section 3: what answers within the Resolution Delay, 50 ms, is asked once, for both families', async () => {
  const [world, names] = [stillWorld(), slowNames()];
  const dialling = dial({ ...world.options, lookup: names.lookup });
  await world.pass(49);
  assert.deepEqual(names.asked, ['both']);
  await names.finds('both', V6, V4);
  assert.deepEqual(world.started(), ['2001:db8::1']);
  await world.pass(1);
  world.answers(V6);
  assert.deepEqual([(await dialling).address, names.asked], ['2001:db8::1', ['both']]);
  assert.equal(world.clock.waiting, 0);
});

test('section 3: where A is there and AAAA is not, IPv4 begins after 50 ms; AAAA joins when it comes', async () => {
  const [world, names] = [stillWorld(), slowNames()];
  const dialling = dial({ ...world.options, lookup: names.lookup });
  await world.pass(50);
  assert.deepEqual(names.asked, ['both', 'IPv4', 'IPv6']);
  assert.deepEqual(world.started(), []);
  await names.finds('IPv4', V4);
  assert.deepEqual(world.started(), ['192.0.2.1']);
  await world.pass(100);
  await names.finds('both', V6, V4);
  await world.pass(149);
  assert.deepEqual(world.started(), ['192.0.2.1']);
  await world.pass(1);
  assert.deepEqual(world.started(), ['192.0.2.1', '2001:db8::1']);
  world.answers(V6);
  assert.equal((await dialling).address, '2001:db8::1');
  assert.deepEqual([world.socketTo(V4).destroyed, world.clock.waiting], [true, 0]);
});

test('section 3: where AAAA is there and A is not, IPv6 begins as soon', async () => {
  const [world, names] = [stillWorld(), slowNames()];
  const dialling = dial({ ...world.options, lookup: names.lookup });
  await world.pass(RESOLUTION_DELAY_MS);
  await names.finds('IPv6', V6);
  assert.deepEqual(world.started(), ['2001:db8::1']);
  world.answers(V6);
  assert.equal((await dialling).address, '2001:db8::1');
  // Its question is still open: the answer is nobody's any more.
  await names.finds('both', V6, V4);
  await names.finds('IPv4', V4);
  assert.deepEqual(world.started(), ['2001:db8::1']);
});

test('section 3: addresses that come once more with the other family are not tried again', async () => {
  const [world, names] = [stillWorld(), slowNames()];
  const failing = failureOf(dial({ ...world.options, lookup: names.lookup }));
  await world.pass(RESOLUTION_DELAY_MS);
  await names.finds('both', V6, V4);
  await names.finds('IPv4', V4);
  await names.finds('IPv6', V6);
  world.fails(V6, 'ECONNREFUSED');
  world.fails(V4, 'ECONNREFUSED');
  assert.equal((await failing).attempts.length, 2);
});

test('one family’s question may fail: what counts is the one for both', async () => {
  const [world, names] = [stillWorld(), slowNames()];
  const dialling = dial({ ...world.options, lookup: names.lookup });
  await world.pass(RESOLUTION_DELAY_MS);
  await names.fails('IPv6', 'ENOTFOUND');
  await names.fails('IPv4', 'EAI_AGAIN');
  await names.finds('both', V4);
  world.answers(V4);
  assert.equal((await dialling).address, '192.0.2.1');
});

test('where the question for both fails, what is under way may still connect; else that is why', async () => {
  const [world, names] = [stillWorld(), slowNames()];
  const dialling = dial({ ...world.options, lookup: names.lookup });
  await world.pass(RESOLUTION_DELAY_MS);
  await names.finds('IPv4', V4);
  await names.fails('both', 'EAI_AGAIN');
  world.answers(V4);
  assert.equal((await dialling).address, '192.0.2.1');

  const [other, none] = [stillWorld(), slowNames()];
  const failing = failureOf(dial({ ...other.options, lookup: none.lookup }));
  await other.pass(RESOLUTION_DELAY_MS);
  await none.fails('both', 'ENOTFOUND');
  assert.equal((await failing).reason, 'name does not resolve');
  await none.finds('IPv4', V4);
  assert.deepEqual([other.started(), other.clock.waiting], [[], 0]);
});

test('-4 and -6 do not wait for the family that they do not want', async () => {
  const [world, names] = [stillWorld(), slowNames()];
  const dialling = dial({ ...world.options, lookup: names.lookup, family: 4 });
  await world.pass(RESOLUTION_DELAY_MS);
  assert.deepEqual(names.asked, ['both', 'IPv4']);
  await names.finds('IPv4', V6, V4);
  assert.deepEqual(world.started(), ['192.0.2.1']);
  world.answers(V4);
  assert.equal((await dialling).address, '192.0.2.1');
});

test('a family whose addresses never come is named with those that failed, when the deadline is over', async () => {
  const [world, names] = [stillWorld(), slowNames()];
  const failing = failureOf(dial({ ...world.options, lookup: names.lookup, deadlineMs: 2_000 }));
  await world.pass(RESOLUTION_DELAY_MS);
  await names.finds('IPv4', V4);
  world.fails(V4, 'ECONNREFUSED');
  await world.pass(2_000);
  assert.equal((await failing).reason, '192.0.2.1: connection refused; no answer within 2 s while resolving the name');
  assert.equal(world.clock.waiting, 0);
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
