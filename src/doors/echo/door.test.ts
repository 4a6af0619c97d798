import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import type { Log } from '../../log/log.ts';
import { peerOf } from '../../net/peer.ts';
import { MAX_ECHO_LINE_BYTES } from '../../protocol/echo/exchange.ts';
import { EchoDoor } from './door.ts';

const ADDRESSES = ['127.0.0.1', '::1'];

interface Given {
  address: string;
  mode: 'named' | 'plain';
  /** How many bytes the listener reads before the door gets the connection. */
  peek?: number;
  firstLineTimeoutMs?: number;
}

async function aDoor(t: TestContext, { address, mode, peek = 0, firstLineTimeoutMs }: Given) {
  const told: string[] = [];
  const log: Log = { tell: ({ text }) => void told.push(text), info: () => {}, warn: () => {} };
  const bound = firstLineTimeoutMs === undefined ? {} : { firstLineTimeoutMs };
  const door = new EchoDoor({ mode, serverName: 'Server', log, now: () => 0, ...bound });
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (socket) => {
    const peer = peerOf(socket);
    assert.ok(peer);
    if (peek === 0) return door.accept(socket, peer, new Uint8Array());
    // As a listener does that looks at the first bytes: the door is called from inside the read.
    socket.once('data', (first: Buffer) => {
      socket.pause();
      door.accept(socket, peer, first);
    });
    socket.resume();
  });
  server.listen(0, address);
  await once(server, 'listening');
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a TCP server has no other kind of address
  const { port } = server.address() as AddressInfo;
  t.after(async () => {
    server.close();
    await door.close(AbortSignal.abort());
  });
  const dial = () => {
    const client = connect({ port, host: address, allowHalfOpen: true, noDelay: true });
    t.after(() => client.destroy());
    return client;
  };
  return { door, dial, told };
}

async function readAll(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(socket, 'end');
  return Buffer.concat(chunks).toString();
}

function exchange(client: Socket, text: string | Uint8Array): Promise<string> {
  client.end(text);
  return readAll(client);
}

for (const address of ADDRESSES) {
  for (const peek of [0, 1]) {
    const title = (text: string) => `${address}${peek === 0 ? '' : ', first bytes read before'}: ${text}`;

    test(title('a named connection is answered, echoed and logged'), async (t) => {
      const { dial, told } = await aDoor(t, { address, mode: 'named', peek });
      const client = dial();
      await once(client, 'connect');
      const port = client.localPort;
      assert.equal(
        await exchange(client, 'ECHO Client\nhello\n\x1b[2J\nclose'),
        `ECHO Server ${address} ${port}\nhello\n\x1b[2J\nclose`,
      );
      assert.deepEqual(told, [
        `Received connection from ${address}`,
        `Connection Established. Connected From: ${address}`,
        'Connection established with : Client',
        'Client : hello',
        'Client : \\x1b[2J',
        'Client : close',
      ]);
    });

    test(title('the name may come byte by byte'), async (t) => {
      const { dial } = await aDoor(t, { address, mode: 'named', peek });
      const client = dial();
      for (const byte of 'ECHO zoë\nhi') client.write(byte);
      assert.match(await exchange(client, '!'), /^ECHO Server \S+ \d+\nhi!$/);
    });

    test(title('a plain listener echoes a line ECHO x like any other and logs nothing'), async (t) => {
      const { dial, told } = await aDoor(t, { address, mode: 'plain', peek });
      assert.equal(await exchange(dial(), 'ECHO x\nECHO y\r\n'), 'ECHO x\nECHO y\r\n');
      assert.deepEqual(told, []);
    });

    test(title('a name that is none is refused in one line, and the connection closed'), async (t) => {
      const { dial, told } = await aDoor(t, { address, mode: 'named', peek });
      assert.match(await exchange(dial(), 'ECHO two words\nhello\n'), /^error: .*"two words".*\n$/);
      assert.match(await exchange(dial(), Buffer.from([69, 67, 72, 79, 32, 255, 10])), /^error: .*not UTF-8.*\n$/);
      assert.match(
        await exchange(dial(), `ECHO ${'x'.repeat(MAX_ECHO_LINE_BYTES)}\n`),
        /^error: .*512 bytes without an end.*\n$/,
      );
      assert.ok(told.every((line) => !line.startsWith('Connection established with')));
    });
  }

  test(`${address}: a line that does not end in time is refused`, async (t) => {
    const { dial } = await aDoor(t, { address, mode: 'named', firstLineTimeoutMs: 20 });
    const client = dial();
    client.write('ECHO nobo');
    assert.match(await readAll(client), /^error: .*no end within 20 ms.*\n$/);
  });

  test(`${address}: many lines at a still clock are logged ten times and all echoed`, async (t) => {
    const { dial, told } = await aDoor(t, { address, mode: 'named' });
    const lines = 'x\n'.repeat(10_000);
    assert.equal((await exchange(dial(), `ECHO a\n${lines}`)).split('\n').length, 10_002);
    assert.equal(told.filter((line) => line === 'a : x').length, 10);
  });

  test(`${address}: closing ends everyone, idle, named or not yet named`, async (t) => {
    const { door, dial } = await aDoor(t, { address, mode: 'named' });
    const named = dial();
    named.write('ECHO a\n');
    await once(named, 'data');
    const waiting = dial();
    waiting.on('error', () => {});
    waiting.write('ECH');
    const other = dial();
    other.write('ECHO b\n');
    await once(other, 'data');
    const gone = [named, other, waiting].map((client) => {
      client.on('end', () => client.end()).resume();
      return once(client, 'close');
    });
    await door.close(new AbortController().signal);
    await Promise.all(gone);
  });

  test(`${address}: who does not close is cut at the signal`, async (t) => {
    const { door, dial } = await aDoor(t, { address, mode: 'plain' });
    const client = dial();
    client.on('error', () => {});
    client.write('x');
    await once(client, 'data');
    const controller = new AbortController();
    const closing = door.close(controller.signal);
    await once(client, 'end');
    controller.abort();
    await closing;
  });
}
