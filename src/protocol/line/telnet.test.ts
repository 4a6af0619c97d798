import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withoutTelnet } from './telnet.ts';

const [IAC, SE, SB, WILL, DONT] = [0xff, 0xf0, 0xfa, 0xfb, 0xfe];

const TABLE: [name: string, line: number[], left: number[]][] = [
  ['nothing of telnet', [1, 2, SE, SB], [1, 2, SE, SB]],
  ['a command of two bytes, at either end', [IAC, 0xf4, 1, IAC, 0xf1], [1]],
  ['every option command takes its option along', [IAC, WILL, 1, IAC, 0xfc, 2, IAC, 0xfd, 3, IAC, DONT, IAC, 9], [9]],
  ['a subnegotiation up to its end', [1, IAC, SB, 24, 0, 65, 66, IAC, SE, 2], [1, 2]],
  ['a doubled IAC does not end a subnegotiation', [IAC, SB, 24, IAC, IAC, SE, IAC, SE, 2], [2]],
  ['a subnegotiation without an end stays', [1, IAC, SB, 24, 65], [1, IAC, SB, 24, 65]],
  ['an option command without its option stays', [1, IAC, WILL], [1, IAC, WILL]],
  ['IAC at the end stays', [1, IAC], [1, IAC]],
  ['a doubled IAC is data, and stays as it is', [1, IAC, IAC, 2], [1, IAC, IAC, 2]],
  ['IAC before what is no command stays', [IAC, 0x41, IAC, 0xef], [IAC, 0x41, IAC, 0xef]],
];

for (const [name, line, left] of TABLE) {
  test(name, () => {
    const given = Uint8Array.from(line);
    assert.deepEqual([...withoutTelnet(given)], left);
    assert.deepEqual([...given], line, 'the line that was given is as it was');
  });
}
