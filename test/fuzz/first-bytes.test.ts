// What other programs say first when they take our port for theirs, whole, cut, doubled and with bits turned over: each is
// told something or let go, nothing runs, nobody is let in, and whoever comes after is served.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Caller } from '../kit/caller.ts';
import { seedOf } from '../kit/random.ts';
import { LOOPBACKS, startServer } from '../kit/server.ts';

/** Conversations of each family, so many of them at once. */
const RUNS = 60;
const AT_ONCE = 4;
const hex = (digits: string): Buffer => Buffer.from(digits.replaceAll(' ', ''), 'hex');
const text = (said: string): Buffer => Buffer.from(said, 'latin1');

const FIRST: readonly Buffer[] = [
  // Our own.
  ...[
    'PARTYLINE/1\n',
    'PARTYLINE/99999999999999999999\n',
    'ECHO x\n',
    'ECHO \n',
    'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
  ].map(text),
  // Lines.
  ...['SSH-2.0-OpenSSH_9.6\r\n', 'EHLO example.com\r\n', 'USER a b c :d\r\nNICK a\r\n', 'CAP LS 302\r\n'].map(text),
  ...[
    'USER anonymous\r\n',
    'a1 LOGIN a b\r\n',
    '*1\r\n$4\r\nPING\r\n',
    'stats\r\n',
    'CONNECT {"verbose":false}\r\n',
  ].map(text),
  ...['@RSYNCD: 31.0\n', '0032git-upload-pack /a\0host=b\0', 'RTSP/1.0 200\r\n', 'OPTIONS sip:a SIP/2.0\r\n\r\n'].map(
    text,
  ),
  ...['PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n', '<?xml version="1.0"?><stream:stream>', 'RFB 003.008\n', '\r\n\r\n'].map(
    text,
  ),
  ...[
    'CNXN\0\0\0\x01',
    'JRMI\0\x02K',
    'AMQP\0\0\x09\x01',
    '\x13BitTorrent protocol',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  ].map(text),
  // TLS 1.3, SSL 2, and what is binary: PROXY 2, SMB, RDP, SOCKS 5 and 4, MQTT, PostgreSQL, MongoDB, LDAP, DNS, Kafka, X11.
  hex('16 0301 0200 0100 01fc 0303'),
  hex('80 2e 01 0002 0015 0000 0010'),
  hex('0d0a0d0a000d0a515549540a 20 00 0000'),
  hex('00000054 ff534d42 72 00000000'),
  hex('0300 0013 0ee0 0000 0000 0001 0008 0003 0000 00'),
  hex('05 02 00 02'),
  hex('04 01 0050 7f000001 00'),
  hex('10 0c 0004 4d515454 04 02 003c 0000'),
  hex('0000 0008 04d2 162f'),
  hex('3a000000 01000000 00000000 d4070000'),
  hex('30 0c 0201 01 60 07 0201 03 0400 8000'),
  hex('001d 1234 0100 0001 0000 0000 0000'),
  hex('00000010 0012 0000 00000001 0001 61'),
  hex('6c 00 0b00 0000 0000 0000 0000'),
];

const bytes = fc
  .tuple(
    fc.array(fc.constantFrom(...FIRST), { minLength: 1, maxLength: 3 }),
    fc.array(fc.tuple(fc.nat(), fc.nat({ max: 7 })), { maxLength: 3 }),
    fc.nat({ max: 12 }),
  )
  .map(([pieces, flips, cut]) => {
    const whole = Buffer.concat(pieces);
    for (const [at, bit] of flips) whole[at % whole.length] = (whole[at % whole.length] ?? 0) ^ (1 << bit);
    return whole.subarray(0, Math.max(1, whole.length - cut));
  });

/** All that is answered, to the end of the connection: it comes when ours has come. */
async function answered(said: Uint8Array, target: { host: string; port: number }): Promise<string> {
  const socket = connect({ ...target, allowHalfOpen: true });
  let heard = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => (heard += chunk));
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.end(said);
  if (!socket.closed) await once(socket, 'close');
  return heard;
}

test('whatever a program of another protocol says first, nothing comes of it', { timeout: 110_000 }, async (t) => {
  const seed = seedOf(t);
  await using server = await startServer();
  for (const host of LOOPBACKS) {
    const property = fc.asyncProperty(fc.array(bytes, { minLength: AT_ONCE, maxLength: AT_ONCE }), async (many) => {
      await Promise.all(many.map((said) => answered(said, { host, port: server.port })));
    });
    await fc.assert(property, { seed, numRuns: RUNS, endOnFailure: true });
    await using bob = await Caller.named('bob', host, server.port);
    bob.type('get_list');
    assert.match(await bob.until(/Available client: .*\n/), /^Available client: bob$/m);
  }
  assert.doesNotMatch(server.program.stdout.text, /Given command/);
  for (const line of server.program.stderr.text.split('\n')) {
    assert.match(line, /^(?:warn (?:native connection broke the rules|wrong [a-z ]+) .*)?$/);
  }
});
