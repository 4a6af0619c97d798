import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { listenOn } from '../../../test/kit/listener.ts';
import { LOOPBACKS } from '../../../test/kit/server.ts';
import { EchoLink } from './echo-link.ts';
import { LADDER } from './sizes.ts';
import { payloadOf, sweep } from './sweep.ts';
import { whereLost } from './unacknowledged.ts';

/** Long enough for an echo on loopback, whatever else the machine does. */
const SETTLING_MS = 700;

const echo = (socket: Socket) => void socket.on('data', (chunk) => socket.write(chunk)).on('end', () => socket.end());

/** On loopback a write comes as one piece: this is a path that has room for so much, and tells nobody. */
const hole = (roomBytes: number) => (socket: Socket) => {
  let isStuck = false;
  socket.on('data', (chunk) => {
    isStuck ||= chunk.length > roomBytes;
    if (!isStuck) socket.write(chunk);
  });
};

async function opener(t: TestContext, host: string, accept: (socket: Socket) => void) {
  const port = await listenOn(t, host, accept);
  return async () => {
    const socket = connect({ host, port, allowHalfOpen: true, noDelay: true }).on('error', () => {});
    t.after(() => void socket.destroy());
    await once(socket, 'connect');
    return new EchoLink({ socket, rest: new Uint8Array() });
  };
}

async function sweepOf(t: TestContext, host: string, accept: (socket: Socket) => void) {
  const open = await opener(t, host, accept);
  const family = host.includes(':') ? 6 : 4;
  const lostOn = (link: EchoLink) => whereLost(family, link.ports);
  return await sweep({ link: await open(), open, roundTripMs: 0, settlingMs: SETTLING_MS, lostOn });
}

const isLinux = process.platform === 'linux';

for (const host of LOOPBACKS) {
  test(`where every size comes back, each rung was tried once, on the one connection: ${host}`, async (t) => {
    let connections = 0;
    const swept = await sweepOf(t, host, (socket) => {
      connections++;
      echo(socket);
    });
    assert.deepEqual([swept.passes, swept.fails, connections], [16_384, undefined, 1]);
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
    const swept = await sweepOf(t, host, (socket) => {
      if (isFirst) hole(1_000)(socket);
      else echo(socket);
      isFirst = false;
    });
    assert.deepEqual([swept.passes, swept.fails], [16_384, undefined]);
  });

  test(`a slow line is not one that loses: ${host}`, async (t) => {
    const swept = await sweepOf(t, host, (socket) => {
      let owed = Buffer.alloc(0);
      const dribble = () => {
        socket.write(owed.subarray(0, 1_600));
        owed = owed.subarray(1_600);
        // All of 16,384 bytes takes longer than an echo is waited for of which nothing comes.
        if (owed.length > 0) setTimeout(dribble, SETTLING_MS / 8);
      };
      socket.on('data', (chunk: Buffer) => {
        const isIdle = owed.length === 0;
        owed = Buffer.concat([owed, chunk]);
        if (isIdle) dribble();
      });
    });
    assert.deepEqual([swept.passes, swept.fails], [16_384, undefined]);
    assert.ok((swept.sizes.at(-1)?.tookMs ?? 0) > SETTLING_MS);
  });

  test(`where no further connections come about nothing is said of sizes that were not tried: ${host}`, async (t) => {
    const open = await opener(t, host, hole(1_208));
    const swept = await sweep({
      link: await open(),
      open: async () => undefined,
      roundTripMs: 0,
      settlingMs: SETTLING_MS,
    });
    assert.deepEqual([swept.passes, swept.fails?.bytes, swept.comesInPieces], [1_200, 1_280, false]);
  });

  test(`what is lost in pieces too was not lost for its packet's size: ${host}`, async (t) => {
    // As a server that answers lines, and has a buffer of 1,000 bytes for one.
    const swept = await sweepOf(t, host, (socket) => {
      let line = Buffer.alloc(0);
      socket.on('data', (chunk: Buffer) => {
        line = Buffer.concat([line, chunk]);
        if (line.length > 1_000 || chunk.at(-1) !== 10) return;
        socket.write(line);
        line = Buffer.alloc(0);
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
    const short = await sweepOf(t, host, (socket) => {
      socket.on('data', (chunk: Buffer) => socket.write(chunk.subarray(0, 800)));
    });
    assert.deepEqual([short.passes, short.fails?.bytes, short.fails?.received], [800, 801, 800]);
  });

  test(`after our FIN each way of ending is told from the others: ${host}`, async (t) => {
    const endings: [expected: string, accept: (socket: Socket) => void][] = [
      ['answers', echo],
      ['stays-open', (socket) => void socket.on('data', (chunk) => socket.write(chunk))],
      ['cuts', (socket) => void socket.resume().on('end', () => socket.end())],
      ['resets', (socket) => void socket.resume().on('end', () => socket.resetAndDestroy())],
      ['silent', (socket) => void socket.resume()],
    ];
    for (const [expected, accept] of endings) {
      const open = await opener(t, host, accept);
      assert.equal(await (await open()).finish(Buffer.from('last\n'), SETTLING_MS), expected);
    }
  });

  test(`what comes late of one echo is not taken for the next: ${host}`, async (t) => {
    const open = await opener(t, host, (socket) => {
      let owed: Buffer[] = [];
      socket.on('data', (chunk: Buffer) => {
        owed.push(chunk);
        if (owed.length === 2) for (const one of owed.splice(0)) socket.write(one);
      });
    });
    const link = await open();
    assert.equal((await link.roundTrip(Buffer.from('one\n'), { deadlineMs: 1 })).came, 'late');
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
