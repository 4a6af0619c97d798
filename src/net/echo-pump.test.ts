import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { hasDirectHandle } from './direct-echo-pump.ts';
import { pumpEcho, StreamEchoPump, type EchoPump, type EchoPumpOptions } from './echo-pump.ts';

const MIB = 1_048_576;
const ADDRESSES = ['127.0.0.1', '::1'];
type Pump = (socket: Socket, options: EchoPumpOptions) => EchoPump;
const PUMPS: Readonly<Record<string, Pump>> = {
  direct: (socket, options) => {
    assert.ok(hasDirectHandle(socket), 'this Node is not known to the direct pump: see docs/decisions/0005');
    return pumpEcho(socket, options);
  },
  stream: (socket, options) => new StreamEchoPump(socket, options),
};

interface Echo {
  client: Socket;
  pump: EchoPump;
  /** Settles when the pump says that it is over. */
  closed: Promise<void>;
  connections: () => Promise<number>;
}

async function anEcho(
  t: TestContext,
  { pump, address, ...options }: { pump: Pump; address: string } & Partial<EchoPumpOptions>,
): Promise<Echo> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true });
  server.listen(0, address);
  await once(server, 'listening');
  const accepted = once(server, 'connection');
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a TCP server has no other kind of address
  const { port } = server.address() as AddressInfo;
  const client = connect({ port, host: address, allowHalfOpen: true, noDelay: true });
  client.on('error', () => {});
  const [socket]: Socket[] = await accepted;
  assert.ok(socket);
  const { promise: closed, resolve: onClosed } = Promise.withResolvers<void>();
  const running = pump(socket, { first: new Uint8Array(), ...options, onClosed });
  t.after(() => {
    client.destroy();
    running.destroy();
    server.close();
  });
  const connections = () => new Promise<number>((done) => server.getConnections((_, count) => done(count)));
  return { client, pump: running, closed, connections };
}

/** Everything that comes until the other end's FIN. */
async function readAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(socket, 'end');
  return Buffer.concat(chunks);
}

function noise(length: number, seed: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let state = seed || 1;
  for (let i = 0; i < length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[i] = state;
  }
  return bytes;
}

for (const [name, pump] of Object.entries(PUMPS)) {
  for (const address of ADDRESSES) {
    const title = (text: string) => `${name} pump, ${address}: ${text}`;

    test(title('every byte value comes back, and the FIN after the last byte'), async (t) => {
      const { client, closed, connections } = await anEcho(t, { pump, address });
      const sent = Buffer.from(Array.from({ length: 1_024 }, (_, i) => i));
      const all = readAll(client);
      client.end(sent);
      assert.deepEqual(await all, sent);
      await closed;
      assert.equal(await connections(), 0);
    });

    test(title('pieces of every size come back in order'), async (t) => {
      const seed = randomInt(1, 2 ** 31);
      t.diagnostic(`seed ${seed}`);
      const sizes = [1, 2_047, 2_048, 2_049, 3, 4_096, 300_000, 5, 262_144, 1, 70_000, 2_048, 2_048, 9];
      const { client } = await anEcho(t, { pump, address });
      const sent = noise(
        sizes.reduce((sum, size) => sum + size, 0),
        seed,
      );
      const back: Buffer[] = [];
      let at = 0;
      for (const size of sizes) {
        // Each piece is awaited, so that the server meets it alone.
        const wanted = at + size;
        const arrived = new Promise<void>((resolve) => {
          const onData = (chunk: Buffer) => {
            back.push(chunk);
            at += chunk.length;
            if (at < wanted) return;
            client.off('data', onData);
            resolve();
          };
          client.on('data', onData);
        });
        client.write(sent.subarray(wanted - size, wanted));
        await arrived;
      }
      assert.ok(Buffer.concat(back).equals(sent));
    });

    test(
      title('the answer, then what had been read already, then the rest; all but the answer is shown'),
      async (t) => {
        let shown = '';
        const { client } = await anEcho(t, {
          pump,
          address,
          first: Buffer.from('one '),
          answer: Buffer.from('hello '),
          onChunk: (chunk) => (shown += Buffer.from(chunk).toString()),
        });
        const all = readAll(client);
        client.end('two');
        assert.equal((await all).toString(), 'hello one two');
        assert.equal(shown, 'one two');
      },
    );

    test(title('a reader that stops is not read from, costs nobody, and gets everything later'), async (t) => {
      const seed = randomInt(1, 2 ** 31);
      t.diagnostic(`seed ${seed}`);
      let taken = 0;
      const onChunk = (chunk: Uint8Array) => void (taken += chunk.length);
      const { client } = await anEcho(t, { pump, address, onChunk });
      const other = await anEcho(t, { pump, address });
      client.pause();
      const sent = noise(64 * MIB, seed);
      client.end(sent);
      // The other connection's round trips are the clock: at rest means that a hundred of them changed nothing.
      for (let before = -1, same = 0; same < 100; same = taken === before ? same + 1 : 0) {
        before = taken;
        other.client.write('x');
        await once(other.client, 'data');
      }
      // What the kernel's buffers hold, and no more.
      assert.ok(taken > 0 && taken < 40 * MIB, `the server took ${taken} bytes`);
      client.resume();
      const all = await readAll(client);
      assert.ok(all.equals(sent));
    });

    test(title('finish flushes what is under way and sends a FIN; the end comes with the peer’s'), async (t) => {
      const { client, pump: running, closed } = await anEcho(t, { pump, address });
      client.write('kept');
      await once(client, 'readable');
      assert.equal(String(client.read()), 'kept');
      const all = readAll(client);
      running.finish();
      assert.equal((await all).length, 0);
      client.end('no longer echoed');
      await closed;
    });

    test(title('destroy and a reset by the peer end it at once'), async (t) => {
      const cut = await anEcho(t, { pump, address });
      cut.pump.destroy();
      await cut.closed;
      assert.equal(await cut.connections(), 0);
      const reset = await anEcho(t, { pump, address });
      reset.client.write('x');
      await once(reset.client, 'data');
      reset.client.resetAndDestroy();
      await reset.closed;
      assert.equal(await reset.connections(), 0);
    });
  }
}

test('many connections at once get their own bytes back, short and long', async (t) => {
  const seed = randomInt(1, 2 ** 31);
  t.diagnostic(`seed ${seed}`);
  const bytes = noise(1_100_000, seed);
  const lengths = [1, 64, 129, 4_095, 4_096, 4_097, 65_536, 100_000];
  const echoes = await Promise.all(
    Array.from({ length: 150 }, (_, i) => anEcho(t, { pump: pumpEcho, address: ADDRESSES[i % 2] ?? '' })),
  );
  await Promise.all(
    echoes.map(async ({ client }, i) => {
      const sent: Buffer[] = [];
      const all = readAll(client);
      for (let round = 0; round < 8; round++) {
        const from = (i * 6_607 + round * 911) % 1_000_000;
        const piece = bytes.subarray(from, from + (lengths[(i + round * 3) % lengths.length] ?? 1));
        sent.push(piece);
        await new Promise((resolve) => client.write(piece, resolve));
      }
      client.end();
      assert.ok((await all).equals(Buffer.concat(sent)), `connection ${i}`);
    }),
  );
});

test('256 MiB pass through in flat memory', async (t) => {
  const total = 256 * MIB;
  const { client } = await anEcho(t, { pump: pumpEcho, address: '127.0.0.1' });
  const block = noise(MIB, 7);
  let received = 0;
  let rssAfterWarmUp = 0;
  client.on('data', (chunk: Buffer) => {
    const at = received % MIB;
    const wanted = block.subarray(at, at + chunk.length);
    assert.ok(chunk.subarray(0, wanted.length).equals(wanted));
    received += chunk.length;
    if (rssAfterWarmUp === 0 && received > 32 * MIB) rssAfterWarmUp = process.memoryUsage.rss();
  });
  for (let sent = 0; sent < total; sent += MIB) if (!client.write(block)) await once(client, 'drain');
  client.end();
  await once(client, 'end');
  assert.equal(received, total);
  const growth = process.memoryUsage.rss() - rssAfterWarmUp;
  assert.ok(growth < 96 * MIB, `grew by ${Math.round(growth / MIB)} MiB`);
});
