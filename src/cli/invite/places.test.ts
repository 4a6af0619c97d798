// By which names and addresses somebody elsewhere is told to come.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OwnAddresses } from './own-addresses.ts';
import { placesBeyond } from './places.ts';

const OWN: OwnAddresses = { ipv4: ['192.0.2.2'], ipv6: ['2001:db8::2'], outward: [] };

function placesIn(urls: readonly string[], { names = [], own = OWN }: { names?: string[]; own?: OwnAddresses } = {}) {
  const found = placesBeyond({ urls, names }, own);
  return found.listens === 'beyond' ? found.places : found.listens;
}

test('a server that listens on this machine alone is met nowhere else, by whatever name', () => {
  const urls = ['tcp://127.0.0.1:7270', 'tcp://[::1]:7270', 'echo://0.0.0.0:7007'];
  assert.equal(placesIn(urls), 'here');
  assert.equal(placesIn(urls, { names: ['tcp://lab:7270'] }), 'here');
});

test('every address of both families is this machine’s own, and a name stands before them', () => {
  const urls = ['tcp://127.0.0.1:7270', 'tls://0.0.0.0:7271', 'tls://[::]:7271'];
  assert.deepEqual(placesIn(urls), ['192.0.2.2:7271', '[2001:db8::2]:7271']);
  const named = ['tls://192.0.2.2:7270', 'tls://[2001:db8::2]:7270'];
  const expected = ['hub.example:7270', '192.0.2.2:7270', '[2001:db8::2]:7270'];
  assert.deepEqual(placesIn(named, { names: ['tls://hub.example:7270'] }), expected);
});

test('a server that listens on every address is not taken for one of its machine alone where none of them is known', () => {
  const urls = ['tcp://127.0.0.1:7270', 'tls://0.0.0.0:7271', 'tls://[::]:7271'];
  assert.deepEqual(placesBeyond({ urls, names: [] }, { ipv4: [], ipv6: [], outward: [] }), {
    listens: 'beyond',
    places: [],
    urls: ['tls://0.0.0.0:7271', 'tls://[::]:7271'],
  });
});

test('an address of one link alone is no place, of either family and whoever has named it', () => {
  const own = { ipv4: ['169.254.7.7', '192.0.2.2'], ipv6: ['fe80::7', '2001:db8::2'], outward: [] };
  assert.deepEqual(placesIn(['tls://0.0.0.0:1', 'tls://[::]:1'], { own }), ['192.0.2.2:1', '[2001:db8::2]:1']);
  assert.deepEqual(placesIn(['tls://169.254.7.7:1', 'tls://[fe80::7]:1', 'tls://[FE80::7%eth0]:1']), []);
});

test('what leads there from everywhere stands first, and a bridge’s address behind that of the network', () => {
  const own = {
    ipv4: ['172.17.0.1', '10.0.0.1', '192.168.1.2', '203.0.113.2'],
    ipv6: ['fd00::1', '2001:db8::2'],
    outward: ['192.168.1.2', '2001:db8::2'],
  };
  assert.deepEqual(placesIn(['tls://0.0.0.0:1', 'tls://[::]:1'], { own }), [
    '203.0.113.2:1',
    '[2001:db8::2]:1',
    '192.168.1.2:1',
    '172.17.0.1:1',
    '10.0.0.1:1',
    '[fd00::1]:1',
  ]);
  const near = ['172.16.0.1', '172.31.0.1', '100.64.0.1', '100.127.0.1'];
  const far = ['172.15.0.1', '172.32.0.1', '100.63.0.1', '100.128.0.1'];
  const ordered = [...far, ...near].map((address) => `${address}:1`);
  assert.deepEqual(placesIn([...near, ...far].map((address) => `tls://${address}:1`)), ordered);
});

test('where no TLS is taken nobody is sent, and each place is named once', () => {
  const urls = [
    'line+insecure://0.0.0.0:1',
    'http+insecure://0.0.0.0:2',
    'tcp+insecure://0.0.0.0:3',
    'tls://192.0.2.2:3',
  ];
  assert.deepEqual(placesIn(urls), ['192.0.2.2:3']);
  const many = Array.from({ length: 100 }, (_, port) => `tls://192.0.2.2:${port + 1}`);
  assert.equal(placesIn(many).length, 8);
});
