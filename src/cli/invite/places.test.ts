// By which names and addresses somebody elsewhere is told to come.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { placesBeyond } from './places.ts';

const OWN = { ipv4: ['192.0.2.2'], ipv6: ['2001:db8::2'] };

test('a server that listens on this machine alone is met nowhere else, by whatever name', () => {
  const urls = ['tcp://127.0.0.1:7270', 'tcp://[::1]:7270', 'echo://0.0.0.0:7007'];
  assert.deepEqual(placesBeyond({ urls, names: [] }, OWN), []);
  assert.deepEqual(placesBeyond({ urls, names: ['tcp://lab:7270'] }, OWN), []);
});

test('every address of both families is this machine’s own, and a name stands before them', () => {
  const urls = ['tcp://127.0.0.1:7270', 'tls://0.0.0.0:7271', 'tls://[::]:7271'];
  assert.deepEqual(placesBeyond({ urls, names: [] }, OWN), ['192.0.2.2:7271', '[2001:db8::2]:7271']);
  const named = { urls: ['tls://192.0.2.2:7270', 'tls://[2001:db8::2]:7270'], names: ['tls://hub.example:7270'] };
  assert.deepEqual(placesBeyond(named, OWN), ['hub.example:7270', '192.0.2.2:7270', '[2001:db8::2]:7270']);
});

test('where no TLS is taken nobody is sent, and each place is named once', () => {
  const urls = [
    'line+insecure://0.0.0.0:1',
    'http+insecure://0.0.0.0:2',
    'tcp+insecure://0.0.0.0:3',
    'tls://192.0.2.2:3',
  ];
  assert.deepEqual(placesBeyond({ urls, names: [] }, OWN), ['192.0.2.2:3']);
  const many = Array.from({ length: 100 }, (_, port) => `tls://192.0.2.2:${port + 1}`);
  assert.equal(placesBeyond({ urls: many, names: [] }, OWN).length, 8);
});
