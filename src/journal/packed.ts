// Messages as the log has them: numbers and texts one behind the other. JSON of the same would take four times as long, and
// leave a list and three texts of each message to the garbage collector.
//
//   when it was said, by whom     two doubles
//   how                           a byte: its place in `CASTS`
//   the sender's name             a text: how many bytes (4), UTF-8
//   whom it was addressed to      how many (4), a text each
//   what was said                 a text
//   who gets it                   how many (4), a double each
//   a resend key                  a byte: 0 is none, 1 that two texts follow, the key and the digest
//
// All numbers are big-endian.

import type { NewMessage } from '../core/journal.ts';
import type { PackedMessage } from './wire.ts';

export const CASTS = ['singlecast', 'multicast', 'broadcast'] as const satisfies NewMessage['cast'][];

/** What a frame is to hold. */
export interface Packed {
  readonly count: number;
  /** How many of them have a resend key. */
  readonly keyed: number;
  /** Behind the room for the head of the frame. */
  readonly bytes: Buffer;
}

/** So many messages, and nothing else in these bytes. Throws where they are something else. */
export function unpack(bytes: Buffer, count: number): PackedMessage[] {
  const messages: PackedMessage[] = [];
  let at = 0;
  const double = () => bytes.readDoubleBE((at += 8) - 8);
  const number = () => bytes.readUInt32BE((at += 4) - 4);
  const text = () => {
    const length = number();
    if (at + length > bytes.length) throw new RangeError('a text ends behind its frame');
    return bytes.toString('utf8', at, (at += length));
  };
  const list = <Item>(read: () => Item) => {
    const items: Item[] = [];
    for (let left = number(); left > 0; left--) items.push(read());
    return items;
  };
  while (messages.length < count) {
    const [atMs, from, cast] = [double(), double(), CASTS[bytes.readUInt8(at++)]];
    if (cast === undefined) throw new RangeError('there is no such cast');
    const [fromName, to, said, recipients] = [text(), list(text), text(), list(double)] as const;
    const packed = [atMs, from, fromName, cast, to, said, recipients] as const;
    messages.push(bytes.readUInt8(at++) === 0 ? packed : [...packed, [text(), text()]]);
  }
  if (at !== bytes.length) throw new RangeError('something else follows');
  return messages;
}
