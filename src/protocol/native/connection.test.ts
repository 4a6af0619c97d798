// The two ends of a native connection, each by itself and joined in memory.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { aPair } from '../../../test/kit/connection-pair.ts';
import { NativeConnection, type NativeEvent } from './connection.ts';
import type { Frame } from './frame.ts';
import {
  CREDIT_STEP_BYTES,
  INITIAL_WINDOW_BYTES,
  MAX_DATA_BYTES,
  MAX_OUTSTANDING_REQUESTS,
  MAX_STREAMS,
} from './limits.ts';

/** A stream from server to client, as a run's output is. */
function withOutput() {
  const pair = aPair();
  const stream = pair.client.nextStream();
  pair.client.open(stream, 'in');
  pair.server.accept(stream, 'out');
  return { ...pair, stream };
}

const bytesIn = (events: readonly NativeEvent[]) =>
  events.reduce((sum, event) => sum + (event.type === 'data' ? event.bytes.length : 0), 0);

test('a request is answered, by either end', () => {
  for (const asking of ['client', 'server'] as const) {
    const pair = aPair();
    const other = asking === 'client' ? 'server' : 'client';
    const id = pair[asking].request('ping', { a: 1 });
    assert.deepEqual(pair.settle()[other], [{ type: 'request', id, method: 'ping', params: { a: 1 } }]);
    pair[other].respond(id, { b: 2 });
    pair[other].respond(id, { again: true });
    assert.deepEqual(pair.settle()[asking], [{ type: 'answer', id, result: { b: 2 } }]);
  }
});

test('what is held back for want of credit goes out as credit comes, in order and with its END last', () => {
  const { client, server, settle, stream } = withOutput();
  const chunk = new Uint8Array(INITIAL_WINDOW_BYTES + 10);
  assert.equal(server.write(stream, chunk), false);
  server.end(stream);
  const first = settle();
  assert.equal(bytesIn(first.client), INITIAL_WINDOW_BYTES);
  assert.ok(first.frames.every((frame) => frame.kind !== 'data' || frame.bytes.length <= MAX_DATA_BYTES));
  client.consume(stream, CREDIT_STEP_BYTES);
  const second = settle();
  assert.deepEqual(
    second.client.map((event) => event.type),
    ['data', 'end'],
  );
  assert.equal(bytesIn(second.client), 10);
  assert.deepEqual(second.server, [{ type: 'finished', stream }]);
});

test('whoever was told to wait is told when there is room, and only then', () => {
  const { client, server, settle, stream } = withOutput();
  assert.equal(server.write(stream, new Uint8Array(INITIAL_WINDOW_BYTES)), true);
  assert.equal(server.write(stream, new Uint8Array(CREDIT_STEP_BYTES + 1)), false);
  settle();
  client.consume(stream, CREDIT_STEP_BYTES);
  assert.deepEqual(settle().server, []);
  client.consume(stream, CREDIT_STEP_BYTES);
  assert.deepEqual(settle().server, [{ type: 'drain', stream }]);
});

test('who sends more than was granted is told why and heard no more', () => {
  const server = new NativeConnection('server');
  server.accept(1, 'in');
  for (let sent = 0; sent < INITIAL_WINDOW_BYTES; sent += MAX_DATA_BYTES) {
    server.receive({ kind: 'data', stream: 1, bytes: new Uint8Array(MAX_DATA_BYTES) });
  }
  assert.equal(bytesIn(server.takeEvents()), INITIAL_WINDOW_BYTES);
  server.receive({ kind: 'data', stream: 1, bytes: Uint8Array.of(1) });
  const reason = 'more bytes on stream 1 than were granted';
  assert.deepEqual(server.takeEvents(), [{ type: 'failed', reason }]);
  const params = { reason, code: 'broken-rule' };
  const text = JSON.stringify({ jsonrpc: '2.0', method: 'connection.closing', params });
  assert.deepEqual(server.takeOutput(), [{ kind: 'control', text }]);
  server.receive({ kind: 'control', text: '{"jsonrpc":"2.0","id":1,"method":"ping"}' });
  server.write(1, Uint8Array.of(1));
  server.notify('ping', {});
  assert.deepEqual([server.takeEvents(), server.takeOutput()], [[], []]);
});

test('credit beyond every bound breaks the connection', () => {
  const { server, stream } = withOutput();
  server.receive({ kind: 'credit', stream, bytes: 0xffff_ffff });
  assert.deepEqual(server.takeEvents(), [
    { type: 'failed', reason: `more credit on stream ${stream} than a window may hold` },
  ]);
});

test('a reset ends the writing, and what was on its way is dropped', () => {
  const { client, server, settle, stream } = withOutput();
  server.write(stream, Uint8Array.of(1));
  client.reset(stream);
  const { client: heard, server: told } = settle();
  assert.deepEqual(heard, []);
  assert.deepEqual(told, [
    { type: 'reset', stream },
    { type: 'finished', stream },
  ]);
  assert.equal(server.write(stream, new Uint8Array(2 * INITIAL_WINDOW_BYTES)), true);
  server.end(stream);
  assert.deepEqual(settle(), { client: [], server: [], frames: [] });
});

test('a stream that is forgotten holds nothing back, tells nobody, and leaves no room taken', () => {
  const { client, server, settle, stream } = withOutput();
  server.write(stream, new Uint8Array(2 * INITIAL_WINDOW_BYTES));
  server.forget(stream);
  assert.equal(server.isHoldingBack(stream), false);
  settle();
  client.forget(stream);
  client.consume(stream, INITIAL_WINDOW_BYTES);
  client.reset(stream);
  assert.deepEqual(settle(), { client: [], server: [], frames: [] });
});

test('frames for streams that nobody opened are dropped', () => {
  const server = new NativeConnection('server');
  server.receive({ kind: 'data', stream: 9, bytes: Uint8Array.of(1) });
  server.receive({ kind: 'end', stream: 9 });
  server.receive({ kind: 'credit', stream: 9, bytes: 0xffff_ffff });
  server.receive({ kind: 'reset', stream: 9 });
  assert.deepEqual([server.takeEvents(), server.takeOutput()], [[], []]);
});

test('numbers of streams grow, and each end has its own', () => {
  const server = new NativeConnection('server');
  assert.equal(server.refusalToAccept([1, 3, 5]), undefined);
  for (const streams of [[2], [0], [1, 1], [3, 1]]) assert.equal(server.refusalToAccept(streams), 'stream-number');
  server.accept(7, 'in');
  assert.equal(server.refusalToAccept([5]), 'stream-number');
  assert.throws(() => server.accept(7, 'in'), RangeError);
  assert.equal(server.nextStream(), 2);
  const client = new NativeConnection('client');
  client.open(1, 'both');
  assert.equal(client.nextStream(), 3);
  assert.throws(() => client.open(5, 'in'), RangeError);
  assert.equal(client.refusalToAccept([2]), undefined);
});

test('only so many streams are open at once; one that has ended makes room', () => {
  const server = new NativeConnection('server');
  for (let index = 0; index < MAX_STREAMS; index++) server.accept(2 * index + 1, 'in');
  const next = 2 * MAX_STREAMS + 1;
  assert.equal(server.refusalToAccept([next]), 'too-many-streams');
  server.receive({ kind: 'end', stream: 1 });
  assert.equal(server.refusalToAccept([next]), undefined);
});

test('requests beyond the bound are refused, those before them are not forgotten', () => {
  const { client, server, settle } = aPair();
  for (let count = 0; count <= MAX_OUTSTANDING_REQUESTS; count++) client.request('slow', {});
  const { client: heard, server: asked } = settle();
  assert.equal(asked.length, MAX_OUTSTANDING_REQUESTS);
  assert.equal(heard.length, 1);
  assert.ok(heard[0]?.type === 'refusal' && heard[0].error.data?.code === 'too-many-requests');
  server.respond(1, {});
  assert.deepEqual(settle().client, [{ type: 'answer', id: 1, result: {} }]);
});

test('an answer to nothing, an error to nothing and an id used twice break the connection', () => {
  const cases = [
    '{"jsonrpc":"2.0","id":5,"result":{}}',
    '{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"m"}}',
  ];
  for (const text of [...cases, '{"jsonrpc":"2.0","id":5,"error":{"code":1,"message":"m"}}']) {
    const connection = new NativeConnection('client');
    connection.receive({ kind: 'control', text });
    assert.deepEqual(
      connection.takeEvents().map((event) => event.type),
      ['failed'],
    );
  }
  const server = new NativeConnection('server');
  const twice: Frame = { kind: 'control', text: '{"jsonrpc":"2.0","id":5,"method":"a"}' };
  server.receive(twice);
  server.receive(twice);
  assert.deepEqual(
    server.takeEvents().map((event) => event.type),
    ['request', 'failed'],
  );
});

test('property: however two ends write, consume and reset, no window is ever exceeded and no byte is lost', () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('write' as const), bytes: fc.integer({ min: 1, max: 900_000 }) }),
    fc.record({ do: fc.constant('consume' as const), bytes: fc.integer({ min: 1, max: 900_000 }) }),
    fc.record({ do: fc.constant('settle' as const) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { client, server, settle, stream } = withOutput();
      let [written, received, consumed] = [0, 0, 0];
      const look = () => {
        const { client: heard, server: told } = settle();
        assert.ok([...heard, ...told].every((event) => event.type !== 'failed'));
        received += bytesIn(heard);
        assert.ok(received - consumed <= INITIAL_WINDOW_BYTES, 'more is on its way than the window allows');
      };
      const consume = (count: number) => {
        const now = Math.min(count, received - consumed);
        consumed += now;
        client.consume(stream, now);
      };
      for (const one of steps) {
        if (one.do === 'write') {
          written += one.bytes;
          server.write(stream, new Uint8Array(one.bytes));
        } else if (one.do === 'consume') consume(one.bytes);
        look();
      }
      server.end(stream);
      look();
      for (let before = -1; before !== consumed;) {
        before = consumed;
        consume(Infinity);
        look();
      }
      assert.equal(received, written);
    }),
  );
});

test('property: no sequence of frames makes a connection throw', () => {
  const stream = fc.integer({ min: 1, max: 6 });
  const frame = fc.oneof(
    fc.record({ kind: fc.constant('data' as const), stream, bytes: fc.uint8Array({ minLength: 1, maxLength: 9 }) }),
    fc.record({ kind: fc.constant('end' as const), stream }),
    fc.record({ kind: fc.constant('reset' as const), stream }),
    fc.record({ kind: fc.constant('credit' as const), stream, bytes: fc.integer({ min: 1, max: 0xffff_ffff }) }),
    fc.record({ kind: fc.constant('control' as const), text: fc.oneof(fc.json(), fc.string()) }),
  );
  fc.assert(
    fc.property(fc.array(frame), (frames) => {
      const server = new NativeConnection('server');
      server.accept(1, 'in');
      server.accept(3, 'both');
      for (const one of frames) server.receive(one);
      const events = server.takeEvents();
      const failures = events.filter((event) => event.type === 'failed').length;
      assert.equal(failures, server.isOver ? 1 : 0);
      if (server.isOver) assert.equal(events.at(-1)?.type, 'failed');
    }),
  );
});
