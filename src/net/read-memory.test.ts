import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, Socket } from 'node:net';
import { test } from 'node:test';
import { aDirectory } from '../../test/kit/directory.ts';
import { Random, seedOf } from '../../test/kit/random.ts';
import { LINES, reach } from '../client/reach.ts';
import type { Log } from '../log/log.ts';
import { formatHostPort } from './address.ts';
import { memoryOf, ReadMemory } from './read-memory.ts';
import { TlsServer } from './tls-server.ts';

const QUIET: Log = { tell() {}, info() {}, warn() {} };
const RECORD = 16_384;
const BUFFER_BYTES = 4 * RECORD;

/** A socket that brings what it is told to, as Node would. */
function reading(): { memory: ReadMemory; bring: (length: number) => Uint8Array } {
  const memory = new ReadMemory();
  const came: Uint8Array[] = [];
  const socket = memory.serve(new Socket());
  socket.push = (chunk: Uint8Array) => came.push(chunk) > 0;
  const { onread } = memory;
  return {
    memory,
    bring(length) {
      assert.ok(typeof onread.buffer === 'function');
      const view = onread.buffer();
      assert.ok(view.length >= length, 'a record fits');
      onread.callback(length, view);
      return came.pop() ?? new Uint8Array(0);
    },
  };
}

function bufferful({ bring }: ReturnType<typeof reading>): Uint8Array[] {
  return Array.from({ length: BUFFER_BYTES / RECORD }, () => bring(RECORD));
}

test('memory is used again when all of it was read and nobody holds a piece, and not before', () => {
  const one = reading();
  const { memory } = one;
  const first = bufferful(one);
  assert.equal(new Set(first.map(({ buffer }) => buffer)).size, 1);
  const [piece = new Uint8Array(0), ...others] = first;
  const release = memory.hold(piece);
  for (const bytes of others) memory.read(bytes);
  bufferful(one); // the next one is being filled already
  assert.notEqual(bufferful(one)[0]?.buffer, piece.buffer, 'one piece is neither read nor released');
  memory.read(piece);
  bufferful(one);
  assert.notEqual(bufferful(one)[0]?.buffer, piece.buffer, 'one piece is held');
  release?.();
  release?.(); // twice is as good as once
  bufferful(one);
  const [again, ...more] = bufferful(one);
  assert.equal(again?.buffer, piece.buffer);
  assert.equal(more[0]?.buffer, piece.buffer);
  assert.notEqual(bufferful(one)[0]?.buffer, piece.buffer, 'it is given out once');
});

test('what is held only once all was read stays as it is, and is given out once afterwards', () => {
  const one = reading();
  const { memory } = one;
  const first = bufferful(one);
  const [piece = new Uint8Array(0)] = first;
  for (const bytes of first) memory.read(bytes);
  const [release, another] = [memory.hold(piece), memory.hold(piece)];
  bufferful(one); // the next one is being filled already
  assert.notEqual(bufferful(one)[0]?.buffer, piece.buffer, 'it is held twice');
  release?.();
  bufferful(one);
  assert.notEqual(bufferful(one)[0]?.buffer, piece.buffer, 'it is held');
  another?.();
  memory.hold(piece)?.();
  memory.read(piece.subarray(0, 0));
  bufferful(one);
  const later = [bufferful(one)[0]?.buffer, bufferful(one)[0]?.buffer, bufferful(one)[0]?.buffer];
  assert.equal(later.filter((buffer) => buffer === piece.buffer).length, 1);
});

test('few bytes are copied, and the next ones come where they came', () => {
  const one = reading();
  const large = one.bring(RECORD);
  const few = one.bring(100);
  assert.notEqual(few.buffer, large.buffer);
  assert.equal(one.memory.hold(few), undefined);
  assert.equal(one.bring(RECORD).byteOffset, large.byteOffset + RECORD);
});

for (const host of ['127.0.0.1', '::1']) {
  for (const scheme of ['tls', 'tcp']) {
    test(`what somebody holds is not overwritten, and little memory serves: ${scheme}, ${host}`, async (t) => {
      const random = new Random(seedOf(t));
      const block = random.bytes(1_048_576);
      const sent = Buffer.concat(Array.from({ length: 8 }, (_, index) => block.map((byte) => byte ^ index)));
      const tls = new TlsServer({ directory: aDirectory(t), names: [host], now: Date.now, log: QUIET });
      const server = createServer({ allowHalfOpen: true }, (socket) => {
        socket.on('error', () => {});
        if (scheme === 'tcp') socket.end(sent);
        else tls.secure(socket, new Uint8Array(0), (secured) => 'inside' in secured && secured.inside.end(sent));
      }).listen(0, host);
      await once(server, 'listening');
      const address = server.address();
      assert.ok(address !== null && typeof address === 'object');
      const text = `${scheme}://${formatHostPort(host, address.port)}`;
      const trust = { meet: () => ({ met: 'again' as const }), tell() {} };
      const { socket } = await reach(text, { policy: LINES, trust });
      const memory = memoryOf(socket);
      assert.ok(memory !== undefined);
      t.after(() => {
        socket.destroy();
        server.close();
      });

      const held: { at: number; bytes: Uint8Array; release: (() => void) | undefined }[] = [];
      const release = () => {
        const [one] = held.splice(random.int(held.length), 1);
        if (one === undefined) return;
        assert.ok(sent.subarray(one.at, one.at + one.bytes.length).equals(one.bytes), `altered at ${one.at}`);
        one.release?.();
      };
      const places = new Set<ArrayBufferLike>();
      let at = 0;
      socket.on('data', (bytes: Buffer) => {
        if (bytes.length >= RECORD) places.add(bytes.buffer);
        held.push({ at, bytes, release: memory.hold(bytes) });
        memory.read(bytes);
        at += bytes.length;
        while (held.length > 8) release();
        if (random.int(8) > 0) return;
        socket.pause();
        setImmediate(() => socket.resume());
      });
      await once(socket, 'end');
      while (held.length > 0) release();
      assert.equal(at, sent.length);
      assert.ok(places.size <= 20, `${places.size} buffers for 128 times as much as fills one`);
    });
  }
}
