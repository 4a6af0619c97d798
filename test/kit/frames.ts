// Frames of a log, made by hand.

import { crc32 } from 'node:zlib';
import { sealFrame } from '../../src/journal/frame.ts';
import type { NewFrame } from '../../src/journal/log.ts';
import { Packer } from '../../src/journal/packer.ts';
import type { PackedMessage } from '../../src/journal/wire.ts';
import { parseName } from '../../src/core/name.ts';

/** A frame of these for `Log.write`. */
export function aFrame(first: number, messages: readonly PackedMessage[]): NewFrame {
  const packer = new Packer();
  for (const [atMs, from, name, cast, to, text, recipients, resend] of messages) {
    const parsed = parseName(name);
    if ('refused' in parsed) throw new Error(`Not a name: ${name}`);
    packer.add({ atMs, from, fromName: parsed.name, cast, to, text, recipients }, resend);
  }
  return { ...packer.take(), first };
}

/** The same as it is on disk. */
export function sealedFrame(first: number, messages: readonly PackedMessage[], seed: number): Buffer {
  const frame = aFrame(first, messages);
  sealFrame(frame, { first, seed });
  return frame.bytes;
}

/** As an older program wrote it. Frozen: its logs are to be read for ever. */
export function oldFrame(first: number, messages: readonly PackedMessage[], seed: number): Buffer {
  const json = Buffer.from(JSON.stringify(messages));
  const frame = Buffer.concat([Buffer.alloc(24), json]);
  frame.writeUInt32BE(0x504c_6631, 0);
  frame.writeUInt32BE(json.length, 8);
  frame.writeUInt32BE(messages.length, 12);
  frame.writeDoubleBE(first, 16);
  frame.writeUInt32BE(crc32(frame.subarray(8), seed), 4);
  return frame;
}
