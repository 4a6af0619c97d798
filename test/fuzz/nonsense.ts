// What may arrive at a port that anybody can reach: bytes of no protocol, and of each protocol gone wrong.

import { MAX_LINE_BYTES } from '../../src/protocol/line/decoder.ts';
import type { Random } from '../kit/random.ts';

/** How a connection goes on after its bytes. */
export type Ending =
  /** FIN at once behind the bytes; what comes back is read. */
  | 'fin'
  /** RST at once. */
  | 'reset'
  /** Stays open, says no more, reads nothing; cut off much later. */
  | 'stay'
  /** FIN, then stays and reads nothing. */
  | 'half-close';

export interface Nonsense {
  readonly bytes: Uint8Array;
  readonly ending: Ending;
}

type Maker = (random: Random) => string | Uint8Array;

const ESC = '\x1b]0;owned\x07';
const TLS_HELLO = Buffer.from('160301020001000 1fc0303'.replaceAll(' ', ''), 'hex');

const MAKERS: readonly [Maker, ...Maker[]] = [
  () => '',
  (random) => random.bytes(1 + random.int(64)),
  (random) => random.bytes(1 + random.int(4_096)),
  // TLS: a record that ends early, one that lies about its length, a first byte alone.
  (random) => Buffer.concat([TLS_HELLO, random.bytes(random.int(600))]),
  (random) => TLS_HELLO.subarray(0, 1 + random.int(TLS_HELLO.length - 1)),
  (random) => Buffer.concat([Buffer.of(0x16, 3, 1), random.bytes(40)]),
  // HTTP: half a request line, a head without an end or too long, a body that is none.
  (random) => 'POST /healthz?x HTTP/1.1'.slice(0, 1 + random.int(23)),
  (random) => `GET /${'a'.repeat(random.int(12_000))}`,
  (random) => `GET / HTTP/1.1\r\nHost: localhost\r\n${'X-A: b\r\n'.repeat(random.int(50))}`,
  () => `GET / HTTP/1.1\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`,
  (random) =>
    `POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n${random.bytes(30).toString('latin1')}`,
  () => 'GET / HTTP/1.1\r\nContent-Length: -1\r\nContent-Length: 5\r\n\r\n',
  () => 'GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\nHost: evil.example\r\n\r\n',
  () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  () => 'GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n\0\xff',
  // The native preface: half, of a future version, with frames of chance, with lengths that lie.
  (random) => 'PARTYLINE/1\n'.slice(0, 1 + random.int(11)),
  (random) => `PARTYLINE/${random.int(1e9)}\n`,
  (random) => Buffer.concat([Buffer.from('PARTYLINE/1\n'), random.bytes(random.int(2_000))]),
  (random) => Buffer.concat([Buffer.from('PARTYLINE/1\n'), Buffer.of(0xff, 0xff, 0xff, 0xff), random.bytes(9)]),
  (random) => Buffer.concat([Buffer.from('PARTYLINE/1\n'), Buffer.of(0, 0, 0, random.int(40)), random.bytes(50)]),
  (random) => Buffer.concat([Buffer.from('PARTYLINE/'), random.bytes(700)]),
  // ECHO: too long, without an end, names that are none, and a good one with anything after it.
  (random) => `ECHO ${'x'.repeat(random.int(1_000))}`,
  () => 'ECHO a b\nmore\n',
  () => Buffer.from('ECHO \xff\xfe\n', 'latin1'),
  () => `ECHO ${ESC}\n`,
  (random) => Buffer.concat([Buffer.from('ECHO x\n'), random.bytes(random.int(5_000))]),
  // Lines: too long with and without an end, not UTF-8, names refused, telnet cut off anywhere, commands misused.
  (random) => `${'n'.repeat(MAX_LINE_BYTES + random.int(3))}\n`,
  (random) => 'n'.repeat(MAX_LINE_BYTES + random.int(20_000)),
  (random) => Buffer.concat([Buffer.from('a'), random.bytes(20), Buffer.of(0xc3, 0x28, 0x0a)]),
  () => 'all\nowner\nServer\n-x\n\n.\na b\n\u202ename\nx\u0301\u0301\n',
  (random) => 'all\n'.repeat(random.int(500)),
  () => `${ESC}\n`,
  (random) => Buffer.concat(Array.from({ length: 9 }, () => Buffer.of(0xff, 0xf0 + random.int(16), random.int(256)))),
  () => Buffer.of(0xff, 0xfa, 24, 0, 0xff, 0xff, 0xff),
  (random) => `login ${random.int(1e9)}\nlogin\nlogin ${'t'.repeat(1_000)}\n`,
  (random) => `f${random.int(1e9)}\nsend all : \nsend\nsend nobody : x\nrun : id\nlogin x\n${ESC}\n\n`,
  (random) => `f${random.int(1e9)}\nrun : id\n${random.bytes(100).toString('latin1')}`,
];

const ENDINGS: readonly [Ending, ...Ending[]] = ['fin', 'fin', 'reset', 'reset', 'half-close', 'stay'];

export function nonsense(random: Random): Nonsense {
  const made = random.pick(MAKERS)(random);
  return { bytes: typeof made === 'string' ? Buffer.from(made) : made, ending: random.pick(ENDINGS) };
}
