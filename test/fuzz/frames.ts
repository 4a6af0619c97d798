// Conversations of the native protocol gone wrong: what a client says, in its order, and then something in it is
// otherwise: a bit, a length, a frame twice or missing, a value of another type.

import { encodeFrame, HEADER_BYTES, type Frame } from '../../src/protocol/native/frame.ts';
import { MAX_DATA_BYTES, MAX_WINDOW_BYTES } from '../../src/protocol/native/limits.ts';
import { METHODS } from '../../src/protocol/native/methods.ts';
import type { Random } from '../kit/random.ts';

const NAMES: readonly string[] = Object.values(METHODS);
const VALUES: readonly [unknown, ...unknown[]] = [
  null,
  true,
  0,
  -1,
  1,
  3,
  5,
  7,
  1.5,
  2 ** 53,
  1e308,
  '',
  'x',
  '\0',
  '\ud800',
  '__proto__',
  'constructor',
  [],
  {},
  [[[[]]]],
  { __proto__: null },
  'web1',
  '#ops',
  'a'.repeat(300),
  ['cat'],
  { argv: ['cat'] },
];
/** Whatever they are mixed with, these do no harm. */
const COMMANDS: readonly [unknown, ...unknown[]] = [
  { argv: ['cat'] },
  { shell: 'cat' },
  { argv: ['true'] },
  { shell: 'exit 3' },
  { argv: ['no-such-program'] },
  { argv: [] },
  { argv: [''] },
  { shell: '' },
  { argv: ['\0'] },
  { argv: [5] },
  { verb: 'x' },
  {},
  null,
  'cat',
  5,
];

/** Whole frames of it, one after the other. */
export function conversation(random: Random): Uint8Array[] {
  let stream = 1;
  const frames: Frame[] = [];
  for (let id = 1 + random.int(3), count = 1 + random.int(8); count > 0; count--) {
    switch (random.int(6)) {
      case 0: {
        const [stdin, stdout, stderr] = [stream, stream + 2, stream + 4];
        stream += random.pick([0, 2, 6, 6, 6]);
        const params = vary(random, { command: random.pick(COMMANDS), stdin, stdout, stderr });
        frames.push(request(id++, 'run.start', params));
        for (let pieces = random.int(4); pieces > 0; pieces--)
          frames.push(onStream(random, random.pick([stdin, stdout])));
        break;
      }
      case 1:
        frames.push(request(random.int(4) === 0 ? 1 : id++, random.pick(['ping', ...NAMES]), aValue(random, 3)));
        break;
      case 2:
        frames.push(request(id++, 'run.cancel', vary(random, { run: random.int(4) })));
        break;
      case 3:
        frames.push(control(JSON.stringify(random.pick(VALUES))), control(aText(random)));
        break;
      case 4:
        frames.push(
          control(JSON.stringify({ jsonrpc: '2.0', id: random.pick<unknown>([1, 9, 'x']), result: aValue(random, 2) })),
        );
        break;
      case 5:
        frames.push(onStream(random, 1 + random.int(8)), onStream(random, random.int(2 ** 31)));
        break;
    }
  }
  return frames.map(encodeFrame);
}

/** The same with something wrong in it, as bytes. */
export function mutated(random: Random, frames: readonly Uint8Array[]): Buffer {
  const pieces = [...frames];
  for (let count = random.int(4); count > 0; count--) {
    const at = random.int(pieces.length);
    const piece = pieces[at] ?? new Uint8Array(0);
    const one = Uint8Array.from(piece);
    switch (random.int(6)) {
      case 0:
        pieces.splice(at, 1);
        break;
      case 1:
        pieces.splice(random.int(pieces.length + 1), 0, piece);
        break;
      case 2:
        // Only of a header: a command stays what it is.
        flip(one, random.int(HEADER_BYTES), random.int(8));
        pieces[at] = one;
        break;
      case 3:
        pieces[at] = one.subarray(0, random.int(one.length + 1));
        break;
      case 4:
        pieces.splice(at, 0, random.bytes(1 + random.int(40)));
        break;
      case 5:
        for (let bit = 0; bit < 24; bit++) if (random.int(2) === 0) flip(one, bit >> 3, bit & 7);
        pieces[at] = one;
        break;
    }
  }
  return Buffer.concat(pieces);
}

/** What is not there stays so. */
function flip(bytes: Uint8Array, at: number, bit: number): void {
  const byte = bytes[at];
  if (byte !== undefined) bytes[at] = byte ^ (1 << bit);
}

const control = (text: string): Frame => ({ kind: 'control', text: text === '' ? ' ' : text });
const request = (id: number, method: string, params: unknown): Frame =>
  control(JSON.stringify({ jsonrpc: '2.0', id, method, params }));

function onStream(random: Random, stream: number): Frame {
  const number = Math.max(1, stream);
  switch (random.int(4)) {
    case 0:
      return {
        kind: 'data',
        stream: number,
        bytes: new Uint8Array(1 + random.int(random.pick([9, 999, MAX_DATA_BYTES]))),
      };
    case 1:
      return { kind: 'end', stream: number };
    case 2:
      return { kind: 'credit', stream: number, bytes: random.pick([1, 65_536, MAX_WINDOW_BYTES, 0xffff_ffff]) };
    default:
      return { kind: 'reset', stream: number };
  }
}

/** Something else in the place of one of its values. */
function vary(random: Random, object: Record<string, unknown>): unknown {
  const keys = Object.keys(object);
  const key = random.int(2) === 0 ? undefined : keys[random.int(keys.length)];
  // What may be run is said above.
  return key === undefined || key === 'command' ? object : { ...object, [key]: aValue(random, 2) };
}

function aValue(random: Random, depth: number): unknown {
  if (depth === 0 || random.int(3) === 0) return random.pick(VALUES);
  if (random.int(2) === 0) return Array.from({ length: random.int(4) }, () => aValue(random, depth - 1));
  const names = [
    'name',
    'to',
    'text',
    'nonce',
    'proof',
    'key',
    'code',
    'run',
    'targets',
    'secret',
    'after',
    'limit',
  ] as const;
  return Object.fromEntries(
    Array.from({ length: random.int(4) }, () => [random.pick(names), aValue(random, depth - 1)]),
  );
}

function aText(random: Random): string {
  return random.pick([
    '{"jsonrpc":"2.0"',
    '[]',
    '[{"jsonrpc":"2.0","id":1,"method":"ping"}]',
    '['.repeat(2_000),
    '{"jsonrpc":"2.0","id":{},"method":"ping"}',
    `{"jsonrpc":"2.0","id":"${'i'.repeat(random.int(200))}","method":"ping"}`,
    '{"jsonrpc":"2.0","method":"ping"}',
    '{"jsonrpc":"2.0","id":1,"method":"toString"}',
    '{"jsonrpc":"2.0","id":1,"method":"__proto__","params":{"__proto__":{"role":"owner"}}}',
    '\u0000',
  ]);
}
