import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isKnownHost } from './host.ts';

const NAMES: ReadonlySet<string> = new Set(['localhost', 'ip6-localhost', 'chat.example.com']);

test('loopback names, address literals and configured names are known, with or without a port', () => {
  const known = [
    'localhost',
    'LocalHost',
    'ip6-localhost',
    'chat.example.com',
    'CHAT.example.COM',
    'chat.example.com.',
  ];
  const literals = ['127.0.0.1', '192.0.2.7', '[::1]', '[2001:db8::1]', '[::ffff:127.0.0.1]'];
  for (const host of [...known, ...literals, 'a.localhost', 'a.b.localhost']) {
    assert.ok(isKnownHost(host, NAMES), host);
    assert.ok(isKnownHost(`${host}:7270`, NAMES), `${host}:7270`);
  }
});

test('everything else is not: a page that rebinds its own name is a stranger', () => {
  const strangers = ['evil.example', 'example.com', 'a.chat.example.com', 'localhost.evil.example', 'evillocalhost'];
  const crooked = ['127.0.0.1.evil.example', '::1', '[::1', '::1]', '[127.0.0.1]', '[localhost]', '[]', '127.0.0.1.1'];
  const broken = ['localhost:', 'localhost:x', 'localhost:123456', 'localhost:80:80', 'localhost:80@evil.example'];
  // They would stand in a command on the page of an invitation.
  const commands = ['$(reboot).localhost', 'x;reboot;.localhost', '`x`.localhost', "a'b.localhost", 'a b.localhost'];
  const odd = [
    ...commands,
    '',
    ' ',
    ' localhost',
    'localhost ',
    'localhost/',
    'localhost,evil.example',
    'localhost\0',
    '2130706433',
  ];
  for (const host of [...strangers, ...crooked, ...broken, ...odd]) {
    assert.ok(!isKnownHost(host, NAMES), JSON.stringify(host));
  }
  assert.ok(!isKnownHost(undefined, NAMES));
});
