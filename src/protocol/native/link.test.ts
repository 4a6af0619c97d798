// Prefaces, the line protocol's greeting, and a whole session as bytes.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import vectors from '../../../test/vectors/native.json' with { type: 'json' };
import { NativeLink, type LinkEvent } from './link.ts';
import { LINE_GREETING } from './preface.ts';

const SPECIFICATION = readFileSync(`${import.meta.dirname}/../../../docs/protocol/native.md`, 'utf8');
const textOf = (pieces: readonly Uint8Array[]) => Buffer.concat(pieces).toString();
const hexOf = (pieces: readonly Uint8Array[]) => Buffer.concat(pieces).toString('hex');

function heard(link: NativeLink, chunks: Iterable<Uint8Array>): LinkEvent[] {
  const events: LinkEvent[] = [];
  for (const chunk of chunks) {
    link.receive(chunk);
    events.push(...link.takeEvents());
  }
  return events;
}

function* everyChunking(bytes: Uint8Array): Generator<Uint8Array[]> {
  yield [bytes];
  for (let at = 1; at < bytes.length; at++) yield [bytes.subarray(0, at), bytes.subarray(at)];
  yield Array.from(bytes, (byte) => Uint8Array.of(byte));
}

test('a server answers each preface of the vectors as they say, however it is cut', () => {
  for (const { client, server } of vectors.prefaces) {
    for (const chunks of everyChunking(Buffer.from(client))) {
      const link = new NativeLink('server', { serverName: 'Server' });
      const events = heard(link, chunks);
      assert.equal(textOf(link.takeOutput()), server ?? '', JSON.stringify(client));
      const isFine = server?.startsWith('PARTYLINE/1 ') ?? false;
      assert.deepEqual(
        events.map((event) => event.type),
        [isFine ? 'opened' : 'unusable'],
      );
    }
  }
});

test('a client opens at once, and skips the greeting of the line protocol exactly once', () => {
  const answer = 'PARTYLINE/1 Zoë\n';
  for (const text of [answer, `${LINE_GREETING}${answer}`]) {
    for (const chunks of everyChunking(Buffer.from(text))) {
      const link = new NativeLink('client');
      assert.equal(textOf(link.takeOutput()), 'PARTYLINE/1\n');
      assert.deepEqual(heard(link, chunks), [{ type: 'opened', version: 1, serverName: 'Zoë' }]);
    }
  }
});

test('a client goes no further with what is not a native server', () => {
  const answers = [
    'SSH-2.0-x\n',
    'PARTYLINE/1\n',
    'PARTYLINE/2 x\n',
    'PARTYLINE/0 too old\n',
    `${LINE_GREETING}${LINE_GREETING}PARTYLINE/1 x\n`,
    `Enter your name, PARTYLINE/1 x\n`,
    'x'.repeat(600),
  ];
  for (const text of answers) {
    const link = new NativeLink('client');
    link.takeOutput();
    const events = heard(link, [Buffer.from(text), Buffer.from('\n'), Buffer.from('PARTYLINE/1 x\n')]);
    assert.deepEqual(
      events.map((event) => event.type),
      ['unusable'],
      text,
    );
    assert.deepEqual(link.takeOutput(), []);
  }
});

test('the end is told after everything that came before it, once', () => {
  const link = new NativeLink('server', { serverName: 'Server' });
  const ping = vectors.frames[0];
  link.receive(Buffer.concat([Buffer.from('PARTYLINE/1\n'), Buffer.from(ping?.hex ?? '', 'hex')]));
  link.receiveEnd();
  link.receiveEnd();
  assert.deepEqual(
    [...link.takeEvents(), ...link.takeEvents()].map((event) => event.type),
    ['opened', 'request', 'ended'],
  );
});

test('the session of the vectors, which the specification shows, is what two ends say to each other', () => {
  const client = new NativeLink('client');
  const server = new NativeLink('server', { serverName: 'Server' });
  for (const { from, what, hex, ...rest } of vectors.session) {
    if ('text' in rest) assert.ok(SPECIFICATION.includes(rest.text.trim()), `the specification lacks ${rest.text}`);
    const [link, other] = from === 'client' ? [client, server] : [server, client];
    const { connection } = link;
    const params = 'text' in rest && rest.text.startsWith('{') ? JSON.parse(rest.text) : undefined;
    if (what === 'start') for (const stream of [1, 3, 5]) connection.open(stream, stream === 1 ? 'out' : 'in');
    if (what === 'started') for (const stream of [1, 3, 5]) connection.accept(stream, stream === 1 ? 'in' : 'out');
    if (params?.result !== undefined) connection.respond(params.id, params.result);
    else if (params?.id !== undefined) connection.request(params.method, params.params);
    else if (params !== undefined) connection.notify(params.method, params.params);
    else if (what.startsWith('input')) connection.write(1, Buffer.from('hi\n'));
    else if (what.startsWith('output')) connection.write(3, Buffer.from('hi\n'));
    else if (what.startsWith('end of')) connection.end({ input: 1, stdout: 3, stderr: 5 }[what.slice(7)] ?? 0);
    assert.equal(hexOf(link.takeOutput()), hex, `${from}: ${what}`);
    other.receive(Buffer.from(hex, 'hex'));
    const events = [...other.takeEvents()];
    assert.ok(
      events.every((event) => event.type !== 'failed' && event.type !== 'unusable'),
      what,
    );
  }
});
