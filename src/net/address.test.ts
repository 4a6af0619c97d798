import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatHostPort, formatUrl, parseServerAddress, type AddressOptions } from './address.ts';

function read(text: string, options?: AddressOptions): string {
  const parsed = parseServerAddress(text, options);
  if ('refused' in parsed) return parsed.refused;
  return [parsed.scheme ?? '-', parsed.host, parsed.port].join(' ');
}

test('a name, an IPv4 and an IPv6 address are hosts, with and without scheme and port', () => {
  const cases: Record<string, string> = {
    localhost: '- localhost 7270',
    'localhost:80': '- localhost 80',
    'ip6-localhost': '- ip6-localhost 7270',
    'web1.example.': '- web1.example. 7270',
    'bücher.example': '- bücher.example 7270',
    'build_box:65535': '- build_box 65535',
    '127.0.0.1': '- 127.0.0.1 7270',
    '127.0.0.1:1': '- 127.0.0.1 1',
    '::1': '- ::1 7270',
    '[::1]': '- ::1 7270',
    '[::1]:7271': '- ::1 7271',
    '::': '- :: 7270',
    'fe80::1%eth0': '- fe80::1%eth0 7270',
    '[fe80::1%eth0]:7': '- fe80::1%eth0 7',
    '::ffff:127.0.0.1': '- ::ffff:127.0.0.1 7270',
    '[::ffff:7f00:1]:9': '- ::ffff:7f00:1 9',
    'tls://hub:7270': 'tls hub 7270',
    'TCP+insecure://[2001:db8::1]:9': 'tcp+insecure 2001:db8::1 9',
    'echo://::1': 'echo ::1 7270',
  };
  for (const [text, expected] of Object.entries(cases)) assert.equal(read(text), expected, text);
  assert.equal(read('echo://localhost', { defaultPort: 7007 }), 'echo localhost 7007');
});

test('what is no address is refused with what was given and what is expected', () => {
  const cases: Record<string, RegExp> = {
    '': /it is empty, expected \[SCHEME:\/\/\]HOST\[:PORT\]/,
    ':7270': /the host is missing/,
    'tcp://': /the host is missing/,
    'localhost:': /the port is "", expected a number from 1 to 65535/,
    'localhost:0': /the port is "0"/,
    'localhost:65536': /the port is "65536"/,
    'localhost:+80': /the port is "\+80"/,
    'localhost:http': /the port is "http"/,
    '[::1]:x': /the port is "x"/,
    '[]:1': /"" is not an IPv6 address/,
    '[::1': /the brackets do not match/,
    '[::1]7270': /the brackets do not match/,
    '::1]': /the brackets do not match/,
    '[localhost]:1': /"localhost" is not an IPv6 address/,
    '1:2:3:4:5:6:7:8:7270': /is not an IPv6 address; an IPv6 address with a port is written \[IPV6\]:PORT/,
    'tcp://localhost/': /nothing may follow the host and port/,
    'localhost/path': /nothing may follow/,
    'localhost?q': /nothing may follow/,
    '//localhost': /nothing may follow/,
    'local host': /a space or a control character/,
    'local\x1b[31mhost': /"local\\x1b\[31mhost".*a space or a control character/,
    'localhost\n': /"localhost\\n"/,
    '300.1.1.1': /neither a name nor an IPv4 address/,
    '127.1': /neither a name nor an IPv4 address/,
    '7270': /neither a name nor an IPv4 address/,
    '0x7f000001': /neither a name nor an IPv4 address/,
    'a..b': /"a\.\.b" is not a host name/,
    '-rf': /"-rf" is not a host name/,
    'host\u202e': /is not a host name/,
    '*': /to connect, one host is needed/,
    [`${'a'.repeat(60)}.`.repeat(5)]: /at most 253 characters/,
  };
  for (const [text, expected] of Object.entries(cases)) {
    assert.match(read(text), expected, JSON.stringify(text));
    assert.match(read(text), /^Cannot use ".*" as an address: /, JSON.stringify(text));
  }
});

test('a password in an address is refused and not repeated', () => {
  assert.equal(
    read('tcp://eve:hunter2@localhost'),
    'Cannot use an address with a user or a password in it: expected [SCHEME://]HOST[:PORT]',
  );
});

test('an address to listen on may be every address, and any free port', () => {
  assert.equal(read('tcp://*', { listening: true }), 'tcp * 7270');
  assert.equal(read('tcp://*:0', { listening: true }), 'tcp * 0');
  assert.equal(read('[::]:0', { listening: true }), '- :: 0');
});

test('what is formatted can be read again', () => {
  assert.equal(formatHostPort('::1', 7270), '[::1]:7270');
  assert.equal(formatHostPort('127.0.0.1', 7270), '127.0.0.1:7270');
  assert.equal(formatUrl('echo', '::1', 7007), 'echo://[::1]:7007');
  assert.equal(read(formatUrl('tcp', 'fe80::1%eth0', 9)), 'tcp fe80::1%eth0 9');
});
