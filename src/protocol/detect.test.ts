import assert from 'node:assert/strict';
import { test } from 'node:test';
import { beginsAsRequest, detect, isRequestLine, type Spoken } from './detect.ts';

const TABLE: [first: string, spoken: Spoken | undefined][] = [
  ['', undefined],
  ['\x16', undefined],
  ['\x16\x03\x01\x02\x00', 'tls'],
  ['\x16a', 'line'],
  ['GET / HTTP/1.1\r\n', 'http'],
  ['POST /x?y HTTP/1.0\n', 'http'],
  ['PRI * HTTP/2.0\r\n', 'http'],
  ['GET / HT', undefined],
  ['GET me out\n', 'line'],
  ['GET\n', 'line'],
  ['GE', undefined],
  ['Gerda\n', 'line'],
  ['ECHO', undefined],
  ['ECHO Client\n', 'echo'],
  ['ECHOES\n', 'line'],
  ['PARTYLINE', undefined],
  ['PARTYLINE/1\n', 'native'],
  ['PARTYLINE\n', 'line'],
  ['Vamshi\n', 'line'],
  ['\n', 'line'],
  ['🙄', 'line'],
  ['\ufeffECHO x\n', 'line'],
];

for (const [first, spoken] of TABLE) {
  test(`${JSON.stringify(first)} is ${spoken ?? 'too little to tell'}`, () => {
    assert.equal(detect(Buffer.from(first, first.startsWith('\x16') ? 'latin1' : 'utf8')), spoken);
  });
}

test('any method makes a request line, for those who ask', () => {
  for (const line of ['GET / HTTP/1.1', 'foo / HTTP/1.1', 'M-SEARCH * HTTP/1.1\r', 'X /a b HTTP/1.0']) {
    assert.ok(isRequestLine(line), line);
    assert.ok(beginsAsRequest(line.slice(0, 16)), line);
  }
  for (const line of ['Vamshi', 'GET HTTP/1.1', 'send all see RFC 9112 HTTP', 'é / HTTP/1.1', ' / HTTP/1.1']) {
    assert.ok(!isRequestLine(line), line);
  }
});

test('a verdict, once given, is the same for every longer beginning', () => {
  for (const [first, spoken] of TABLE) {
    const bytes = Buffer.from(first, first.startsWith('\x16') ? 'latin1' : 'utf8');
    for (let length = 0; length <= bytes.length; length++) {
      const early = detect(bytes.subarray(0, length));
      if (early !== undefined) assert.equal(early, spoken, `${length} bytes of ${JSON.stringify(first)}`);
    }
  }
});

test('a request line that never ends is not waited for, and is HTTP’s to refuse', () => {
  assert.equal(detect(Buffer.from(`GET /${'x'.repeat(8_192)}`)), 'http');
});
