// What fits no frame, or has no form in JSON: it is refused where it is said, and the connection goes on.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aPair } from '../../../test/kit/connection-pair.ts';
import { MAX_CONTROL_BYTES } from './limits.ts';

test('a request of as many bytes as a frame may have is sent, and one more is refused here: the connection goes on', () => {
  const frameOf = (id: number, words: string) =>
    JSON.stringify({ jsonrpc: '2.0', id, method: 'chat.search', params: { words } });
  const room = MAX_CONTROL_BYTES - frameOf(1, '').length;
  // Of one, two and three bytes, and one that JSON writes in six.
  for (const [letter, bytes] of [
    ['x', 1],
    ['é', 2],
    ['€', 3],
    ['\u0001', 6],
  ] as const) {
    const { client, settle } = aPair();
    const words = letter.repeat(Math.floor(room / bytes)) + 'x'.repeat(room % bytes);
    const sent = client.request('chat.search', { words });
    assert.deepEqual(settle().server, [{ type: 'request', id: sent, method: 'chat.search', params: { words } }]);
    const refused = client.request('chat.search', { words: `${words}x` });
    const message =
      'Cannot ask for chat.search: the request has 1048577 bytes, and 1048576 are the most; it was not sent';
    const { client: told, frames } = settle();
    const error = { code: -32_602, message, data: { code: 'bad-params' } };
    assert.deepEqual([told, frames], [[{ type: 'refusal', id: refused, error }], []]);
  }
});

test('a notification that cannot be sent is a TypeError, nothing of it leaves, and the connection goes on', () => {
  const circle: Record<string, unknown> = {};
  circle['itself'] = circle;
  for (const [params, message] of [
    [{ id: 5n }, /^Cannot notify of chat\.ack: JSON cannot say it \(.*BigInt.*\); it was not sent$/],
    [circle, /^Cannot notify of chat\.ack: JSON cannot say it \(.*circular.*\); it was not sent$/],
    [
      { id: 'x'.repeat(MAX_CONTROL_BYTES) },
      /: the notification has \d+ bytes, and 1048576 are the most; it was not sent$/,
    ],
  ] as const) {
    const { client, settle } = aPair();
    assert.throws(() => client.notify('chat.ack', params), { name: 'TypeError', message });
    assert.deepEqual(settle().frames, []);
    client.notify('chat.ack', { id: 5 });
    assert.deepEqual(settle().server, [{ type: 'notification', method: 'chat.ack', params: { id: 5 } }]);
  }
});

test('an answer or a refusal that is too long is a short refusal in its place, and the connection goes on', () => {
  const { client, server, settle } = aPair();
  const told = (reply: (id: number) => void) => {
    const id = client.request('chat.list', {});
    settle();
    reply(id);
    const [event, ...others] = settle().client;
    assert.deepEqual(others, []);
    return event?.type === 'refusal' && event.id === id ? event.error : assert.fail(JSON.stringify(event));
  };
  const long = 'é'.repeat(MAX_CONTROL_BYTES / 2);
  assert.deepEqual(
    told((id) => server.respond(id, { long })),
    {
      code: -32_000,
      message: 'Cannot answer: the answer has 1048621 bytes, and 1048576 are the most',
      data: { code: 'answer-too-long' },
    },
  );
  const refusal = { code: -32_000, message: long, data: { code: 'unknown-recipient', names: [long] } };
  const { message, ...error } = told((id) => server.refuse(id, refusal));
  assert.deepEqual(error, { code: -32_000, data: { code: 'unknown-recipient' } });
  assert.ok(message.startsWith('éé') && message.length <= 1_000, `${message.length}`);
  const id = client.request('ping', {});
  settle();
  server.respond(id, { long: 'é'.repeat(MAX_CONTROL_BYTES / 2 - 100) });
  assert.equal(settle().client[0]?.type, 'answer');
});

test('a reason that is longer than a frame is cut: whoever is told why the connection ends can read it', () => {
  const { client, server } = aPair();
  const message = 'x'.repeat(MAX_CONTROL_BYTES - 100);
  const error = JSON.stringify({ jsonrpc: '2.0', id: null, error: { code: 1, message } });
  server.receive({ kind: 'control', text: error });
  for (const frame of server.takeOutput()) client.receive(frame);
  const [event] = client.takeEvents();
  assert.ok(event?.type === 'notification' && event.method === 'connection.closing', JSON.stringify(event));
  assert.match(
    JSON.stringify(event.params),
    /^\{"reason":"an error that answers no request: x{900,970}…","code":"broken-rule"\}$/,
  );
});

test('a request that JSON has no form for is refused here, in one line: the connection goes on', () => {
  const circle: Record<string, unknown> = {};
  circle['itself'] = circle;
  for (const [params, why] of [
    [{ env: { LANG: 5n } }, /^Cannot ask for run\.start: JSON cannot say it \(.*BigInt.*\); it was not sent$/],
    [circle, /^Cannot ask for run\.start: JSON cannot say it \(.*circular.*\); it was not sent$/],
  ] as const) {
    const { client, settle } = aPair();
    const refused = client.request('run.start', params);
    const { client: told, frames } = settle();
    const [event] = told;
    assert.ok(event?.type === 'refusal' && event.id === refused && told.length === 1);
    assert.match(event.error.message, why);
    assert.equal(event.error.data?.code, 'bad-params');
    assert.deepEqual(frames, []);
    const sent = client.request('ping', {});
    assert.deepEqual(settle().server, [{ type: 'request', id: sent, method: 'ping', params: {} }]);
  }
});
