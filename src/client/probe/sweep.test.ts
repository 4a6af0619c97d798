import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { settled, stillClock, type StillClock } from '../../../test/kit/clock.ts';
import { listenOn } from '../../../test/kit/listener.ts';
import { until } from '../../../test/kit/proc.ts';
import { LOOPBACKS } from '../../../test/kit/server.ts';
import { EchoLink } from './echo-link.ts';
import type { Sweep } from './facts.ts';
import { LADDER } from './sizes.ts';
import { payloadOf, sweep, type SweepOptions } from './sweep.ts';
import { whereLost } from './unacknowledged.ts';

const SETTLING_MS = 1_500;
/** Longer than anything is waited for. */
const FOR_EVER_MS = 60_000;

/** What a server does with a connection. `pass`: time goes by for the client, once it has read all that it was sent. */
type Serve = (socket: Socket, pass: (ms?: number) => Promise<void>) => void;

const echo: Serve = (socket) => void socket.on('data', (chunk) => socket.write(chunk)).on('end', () => socket.end());

/** On loopback a write comes as one piece: this is a path that has room for so much, and tells nobody. */
const hole =
  (roomBytes: number): Serve =>
  (socket, pass) => {
    let isStuck = false;
    socket.on('data', (chunk) => {
      isStuck ||= chunk.length > roomBytes;
      if (isStuck) void pass();
      else socket.write(chunk);
    });
  };

/** Each connection has a clock of its own. */
async function opener(t: TestContext, host: string, serve: Serve) {
  const clients = new Map<number, { socket: Socket; clock: StillClock }>();
  const port = await listenOn(t, host, (socket) => {
    const { remotePort = 0 } = socket;
    serve(socket, async (ms = FOR_EVER_MS) => {
      const client = clients.get(remotePort) ?? assert.fail('nobody has connected from there');
      await until(() => client.socket.bytesRead === socket.bytesWritten, 'the client has read what it was sent');
      client.clock.pass(ms);
    });
  });
  return async () => {
    const socket = connect({ host, port, allowHalfOpen: true, noDelay: true }).on('error', () => {});
    t.after(() => void socket.destroy());
    await once(socket, 'connect');
    const clock = stillClock();
    clients.set(socket.localPort ?? 0, { socket, clock });
    return new EchoLink({ socket, rest: new Uint8Array() }, clock);
  };
}

async function sweepOf(t: TestContext, host: string, serve: Serve, given: Partial<SweepOptions> = {}) {
  const open = await opener(t, host, serve);
  const family = host.includes(':') ? 6 : 4;
  // An acknowledgement may be half a second late (RFC 1122 4.2.3.2), which is nothing to the times that are waited really.
  const lostOn = async (link: EchoLink): Promise<Sweep['lostOn']> => {
    let found: Sweep['lostOn'];
    await until(async () => (found = await whereLost(family, link.ports)) !== 'way-there', 'it is acknowledged');
    return found;
  };
  const link = await open();
  const swept = await sweep({ link, open, roundTripMs: 0, settlingMs: SETTLING_MS, lostOn, ...given });
  return { ...swept, isLinkOpen: link.isOpen };
}

const isLinux = process.platform === 'linux';

for (const host of LOOPBACKS) {
  test(`where every size comes back, each rung was tried once, on the one connection: ${host}`, async (t) => {
    let connections = 0;
    const swept = await sweepOf(t, host, (socket, pass) => {
      connections++;
      echo(socket, pass);
    });
    assert.deepEqual([swept.passes, swept.fails, connections, swept.isLinkOpen], [16_384, undefined, 1, true]);
    assert.deepEqual(
      swept.sizes.map(({ bytes, came }) => [bytes, came]),
      LADDER.map((bytes) => [bytes, 'back']),
    );
  });

  test(`the size above which nothing comes back is found to the byte: ${host}`, async (t) => {
    const swept = await sweepOf(t, host, hole(1_208));
    assert.deepEqual([swept.passes, swept.fails?.bytes, swept.fails?.came], [1_208, 1_209, 'late']);
    assert.equal(swept.comesInPieces, true);
    // The server's system has taken the bytes: they did get there.
    assert.equal(swept.lostOn, isLinux ? 'way-back' : undefined);
  });

  test(`a stall that was not for the size is forgotten: ${host}`, async (t) => {
    let isFirst = true;
    const swept = await sweepOf(t, host, (socket, pass) => {
      if (isFirst) hole(1_000)(socket, pass);
      else echo(socket, pass);
      isFirst = false;
    });
    // It stands still for ever, and is of no more use.
    assert.deepEqual([swept.passes, swept.fails, swept.isLinkOpen], [16_384, undefined, false]);
  });

  test(`a slow line is not one that loses: ${host}`, async (t) => {
    const pieceBytes = 1_600;
    const swept = await sweepOf(t, host, (socket, pass) => {
      const dribble = async (owed: Buffer): Promise<void> => {
        socket.write(owed.subarray(0, pieceBytes));
        if (owed.length <= pieceBytes) return;
        await pass(SETTLING_MS / 2);
        await dribble(owed.subarray(pieceBytes));
      };
      socket.on('data', (chunk: Buffer) => void dribble(chunk));
    });
    assert.deepEqual([swept.passes, swept.fails], [16_384, undefined]);
    // Far longer than an echo is waited for of which nothing comes.
    assert.equal(swept.sizes.at(-1)?.tookMs, (10 * SETTLING_MS) / 2);
  });

  test(`what came while the program stood still is read before anything is called late: ${host}`, async (t) => {
    const port = await listenOn(t, host, (socket) => void socket.resume());
    const socket = connect({ host, port });
    t.after(() => void socket.destroy());
    await once(socket, 'connect');
    const clock = stillClock();
    const link = new EchoLink({ socket, rest: new Uint8Array() }, clock);
    const echoed = link.roundTrip(Buffer.from('half and half\n'), { deadlineMs: 60_000, quietMs: 1_000 });
    clock.pass(1_000);
    socket.emit('data', Buffer.from('half and '));
    await settled();
    clock.pass(999);
    socket.emit('data', Buffer.from('half\n'));
    assert.equal((await echoed).came, 'back');
    const half = link.roundTrip(Buffer.from('half and half\n'), { deadlineMs: 60_000, quietMs: 1_000 });
    socket.emit('data', Buffer.from('half and '));
    clock.pass(1_000);
    assert.deepEqual(await half, { came: 'late', tookMs: 1_000, received: 9 });
  });

  test(`where no further connections come about nothing is said of sizes that were not tried: ${host}`, async (t) => {
    const swept = await sweepOf(t, host, hole(1_208), { open: async () => undefined });
    assert.deepEqual([swept.passes, swept.fails?.bytes, swept.comesInPieces], [1_200, 1_280, false]);
  });

  test(`what is lost in pieces too was not lost for its packet's size: ${host}`, async (t) => {
    // As a server that answers lines, and has a buffer of 1,000 bytes for one.
    const swept = await sweepOf(t, host, (socket, pass) => {
      let line = Buffer.alloc(0);
      socket.on('data', (chunk: Buffer) => {
        line = Buffer.concat([line, chunk]);
        if (line.length > 1_000 || chunk.at(-1) !== 10) return void pass();
        socket.write(line);
        line = Buffer.alloc(0);
        return undefined;
      });
    });
    assert.deepEqual([swept.passes, swept.fails?.bytes, swept.comesInPieces], [1_000, 1_001, false]);
  });

  test(`a size at which the connection ends, and how, is found to the byte: ${host}`, async (t) => {
    for (const [how, end] of [
      ['reset', (socket: Socket) => void socket.resetAndDestroy()],
      ['closed', (socket: Socket) => void socket.end()],
    ] as const) {
      const swept = await sweepOf(t, host, (socket) => {
        socket.on('data', (chunk) => (chunk.length > 700 ? end(socket) : void socket.write(chunk)));
      });
      assert.deepEqual([swept.passes, swept.fails?.bytes, swept.fails?.came], [700, 701, how]);
    }
  });

  test(`an echo that comes back changed in a byte, or short, is not one: ${host}`, async (t) => {
    const changed = await sweepOf(t, host, (socket) => {
      socket.on('data', (chunk: Buffer) => socket.write(Buffer.from(chunk.map((byte) => (byte === 255 ? 254 : byte)))));
    });
    assert.deepEqual(
      [changed.passes, changed.fails?.bytes, changed.fails?.came],
      [256, 257, 'changed'],
      '255 is not among 256 of which the last ends a line',
    );
    const short = await sweepOf(t, host, (socket, pass) => {
      socket.on('data', (chunk: Buffer) => {
        socket.write(chunk.subarray(0, 800));
        if (chunk.length > 800) void pass();
      });
    });
    assert.deepEqual([short.passes, short.fails?.bytes, short.fails?.received], [800, 801, 800]);
  });

  test(`after our FIN each way of ending is told from the others: ${host}`, async (t) => {
    const endings: [expected: string, serve: Serve][] = [
      ['answers', echo],
      [
        'stays-open',
        (socket, pass) => void socket.on('data', (chunk) => socket.write(chunk)).on('end', () => void pass()),
      ],
      ['cuts', (socket) => void socket.resume().on('end', () => socket.end())],
      ['resets', (socket) => void socket.resume().on('end', () => socket.resetAndDestroy())],
      ['silent', (socket, pass) => void socket.resume().on('end', () => void pass())],
    ];
    for (const [expected, serve] of endings) {
      const open = await opener(t, host, serve);
      assert.equal(await (await open()).finish(Buffer.from('last\n'), SETTLING_MS), expected);
    }
  });

  test(`what comes late of one echo is not taken for the next: ${host}`, async (t) => {
    const open = await opener(t, host, (socket, pass) => {
      let owed: Buffer[] = [];
      socket.on('data', (chunk: Buffer) => {
        owed.push(chunk);
        if (owed.length === 1) void pass();
        else for (const one of owed.splice(0)) socket.write(one);
      });
    });
    const link = await open();
    assert.equal((await link.roundTrip(Buffer.from('one\n'), { deadlineMs: SETTLING_MS })).came, 'late');
    assert.equal((await link.roundTrip(Buffer.from('two\n'), { deadlineMs: SETTLING_MS })).came, 'back');
  });
}

test('a payload has every byte value in it, ends a line, and is the same each time', () => {
  const payload = payloadOf(1_400);
  assert.equal(new Set(payload).size, 256);
  assert.equal(payload.at(-1), 10);
  assert.deepEqual(payload, payloadOf(1_400));
  assert.deepEqual([payloadOf(1).length, payloadOf(64).length], [1, 64]);
});
