import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { listenOn } from '../../../test/kit/listener.ts';
import { LOOPBACKS } from '../../../test/kit/server.ts';
import { EchoLink } from './echo-link.ts';

async function aLink(t: TestContext, { host, serve }: { host: string; serve: (socket: Socket) => void }) {
  const port = await listenOn(t, host, serve);
  const socket = connect({ host, port, noDelay: true }).on('error', () => {});
  t.after(() => void socket.destroy());
  await once(socket, 'connect');
  return new EchoLink({ socket, rest: new Uint8Array() });
}

const PATIENCE = { deadlineMs: 20_000 };

for (const host of LOOPBACKS) {
  test(`a server that sends for ever echoes nothing, however often it is asked: ${host}`, async (t) => {
    const serve = (socket: Socket) => {
      const more = () => {
        while (socket.writable && socket.write(Buffer.alloc(65_536, 'A')));
      };
      socket.on('drain', more).resume();
      more();
    };
    const link = await aLink(t, { host, serve });
    // Even where it is what was sent, to the byte.
    for (const letter of ['B', 'A', 'A']) {
      const { came } = await link.roundTrip(Buffer.alloc(16_384, letter), PATIENCE);
      assert.equal(came, 'changed');
    }
  });

  test(`one byte too many, and nothing that follows is an echo: ${host}`, async (t) => {
    let isFirst = true;
    const serve = (socket: Socket) =>
      void socket.on('data', (chunk: Buffer) => {
        socket.write(isFirst ? Buffer.concat([chunk, Buffer.from('x')]) : chunk);
        isFirst = false;
      });
    const link = await aLink(t, { host, serve });
    const round = async () => (await link.roundTrip(Buffer.from('xxxx'), PATIENCE)).came;
    assert.deepEqual([await round(), await round(), await round()], ['changed', 'changed', 'changed']);
  });
}
