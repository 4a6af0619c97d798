import assert from 'node:assert/strict';
import { test } from 'node:test';
import { embeddedIpv4, isClatAddress, KNOWN_PREFIXES, nat64PrefixesOf, type Nat64Prefix } from './nat64.ts';
import type { Candidate } from './race.ts';

/** RFC 6052 section 2.4, table 2: 192.0.2.33 behind each network-specific prefix, and behind the well-known one. */
const EXAMPLES: readonly [Nat64Prefix, string][] = [
  [{ address: '2001:db8::', length: 32 }, '2001:db8:c000:221::'],
  [{ address: '2001:db8:100::', length: 40 }, '2001:db8:1c0:2:21::'],
  [{ address: '2001:db8:122::', length: 48 }, '2001:db8:122:c000:2:2100::'],
  [{ address: '2001:db8:122:300::', length: 56 }, '2001:db8:122:3c0:0:221::'],
  [{ address: '2001:db8:122:344::', length: 64 }, '2001:db8:122:344:c0:2:2100::'],
  [{ address: '2001:db8:122:344::', length: 96 }, '2001:db8:122:344::192.0.2.33'],
  [{ address: '64:ff9b::', length: 96 }, '64:ff9b::192.0.2.33'],
];

for (const [prefix, address] of EXAMPLES) {
  test(`${address} is 192.0.2.33 behind ${prefix.address}/${prefix.length} (RFC 6052 section 2.4)`, () => {
    assert.equal(embeddedIpv4(address, [prefix]), '192.0.2.33');
  });
}

test('without a prefix of the network the well-known and the local one are known', () => {
  assert.equal(embeddedIpv4('64:ff9b::c000:221'), '192.0.2.33');
  assert.equal(embeddedIpv4('64:ff9b:1:c000:2:2100::'), '192.0.2.33');
  for (const native of ['2001:db8:c000:221::', '64:ff9b::1:c000:221', '64:ff9b:2::c000:221', '::1', '::']) {
    assert.equal(embeddedIpv4(native), undefined, native);
  }
});

test('of two prefixes that fit, the longer one is meant (RFC 8215 section 5)', () => {
  const chosen: Nat64Prefix = { address: '64:ff9b:1:fffe::', length: 96 };
  for (const prefixes of [
    [chosen, ...KNOWN_PREFIXES],
    [...KNOWN_PREFIXES, chosen],
  ]) {
    assert.equal(embeddedIpv4('64:ff9b:1:fffe::192.0.2.33', prefixes), '192.0.2.33');
  }
  // Not told of the longer one we do not make up an address such as 0.0.192.0.
  assert.equal(embeddedIpv4('64:ff9b:1::192.0.2.33'), undefined);
});

test('where bits 64 to 71 are not zero there is no IPv4 address in it (RFC 6052 section 2.2)', () => {
  for (const [prefix, address] of [
    [{ address: '2001:db8::', length: 32 }, '2001:db8:c000:221:100::'],
    [{ address: '2001:db8:100::', length: 40 }, '2001:db8:1c0:2:121::'],
    [{ address: '2001:db8:122::', length: 48 }, '2001:db8:122:c000:102:2100::'],
    [{ address: '2001:db8:122:344::', length: 64 }, '2001:db8:122:344:1c0:2:2100::'],
  ] as const) {
    assert.equal(embeddedIpv4(address, [prefix]), undefined, address);
  }
});

test('the octets behind the IPv4 address say nothing (RFC 6052 section 2.2: a suffix is ignored)', () => {
  assert.equal(embeddedIpv4('2001:db8:c000:221:0:1:2:3', [{ address: '2001:db8::', length: 32 }]), '192.0.2.33');
});

test('any spelling of an address is read, with its zone; what is none holds none', () => {
  assert.equal(embeddedIpv4('0064:FF9B:0:0:0:0:C000:0221'), '192.0.2.33');
  assert.equal(embeddedIpv4('64:ff9b::192.0.2.33%eth0'), '192.0.2.33');
  assert.equal(embeddedIpv4('64:ff9b::8.8.8.8'), '8.8.8.8');
  for (const other of ['192.0.2.33', '::ffff:192.0.2.33', 'hub.example', '', '64:ff9b:::1', '64:ff9b::192.0.2']) {
    assert.equal(embeddedIpv4(other), undefined, other);
  }
});

const asked: string[] = [];
const answering =
  (...addresses: string[]) =>
  async (name: string): Promise<Candidate[]> => {
    asked.push(name);
    return addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  };

test('a network without translation has no prefix: ipv4only.arpa has IPv4 addresses alone', async () => {
  assert.deepEqual(await nat64PrefixesOf(answering('192.0.0.170', '192.0.0.171')), []);
  assert.equal(asked.at(-1), 'ipv4only.arpa');
  assert.deepEqual(await nat64PrefixesOf(answering()), []);
  assert.deepEqual(await nat64PrefixesOf(() => Promise.reject(new Error('ENOTFOUND'))), []);
});

test('a prefix of every length is found in the addresses made of 192.0.0.170 and 192.0.0.171 (RFC 7050)', async () => {
  const made: readonly [Nat64Prefix, string[]][] = [
    [{ address: '64:ff9b::', length: 96 }, ['64:ff9b::c000:aa', '64:ff9b::c000:ab']],
    [{ address: '2001:db8:43::', length: 96 }, ['2001:db8:43::192.0.0.171', '2001:db8:43::192.0.0.170']],
    [{ address: '2001:db8:122:344::', length: 64 }, ['2001:db8:122:344:c0:0:aa00::']],
    [{ address: '2001:db8:122:300::', length: 56 }, ['2001:db8:122:3c0:0:aa::']],
    [{ address: '2001:db8:122::', length: 48 }, ['2001:db8:122:c000:0:ab00::']],
    [{ address: '2001:db8:100::', length: 40 }, ['2001:db8:1c0:0:ab::']],
    [{ address: '2001:db8::', length: 32 }, ['2001:db8:c000:aa::']],
  ];
  for (const [prefix, addresses] of made) {
    assert.deepEqual(await nat64PrefixesOf(answering(...addresses, '192.0.0.170')), [prefix]);
  }
});

test('every prefix in use is found, once', async () => {
  const addresses = ['64:ff9b::c000:aa', '64:ff9b::c000:ab', '2001:db8:c000:aa::', '2001:db8:c000:ab::'];
  assert.deepEqual(
    (await nat64PrefixesOf(answering(...addresses))).map(({ address, length }) => `${address}/${length}`),
    ['64:ff9b::/96', '2001:db8::/32'],
  );
});

test('where a prefix itself holds one of the two, the other one tells (RFC 7050 section 3)', async () => {
  for (const start of ['2001:db8:c000:aa::', '2001:db8:c000:ab::']) {
    for (const addresses of [
      ['170', '171'],
      ['171', '170'],
    ]) {
      const made = addresses.map((last) => `${start}192.0.0.${last}`);
      assert.deepEqual(await nat64PrefixesOf(answering(...made)), [{ address: start, length: 96 }], made.join(' '));
    }
  }
});

test('an answer without an end is believed for so many prefixes only', async () => {
  const many = Array.from({ length: 100 }, (_, at) => `2001:db8:${at.toString(16)}::192.0.0.170`);
  assert.equal((await nat64PrefixesOf(answering(...many))).length, 8);
});

test('an address of ipv4only.arpa that holds neither of the two is no proof of anything', async () => {
  assert.deepEqual(await nat64PrefixesOf(answering('2001:db8::1', '64:ff9b::192.0.2.33', '::ffff:192.0.0.170')), []);
});

test('192.0.0.0/29 is the client’s side of a translator (RFC 7335)', () => {
  for (const last of [0, 1, 4, 7]) assert.equal(isClatAddress(`192.0.0.${last}`), true);
  assert.equal(isClatAddress('::ffff:192.0.0.4'), true);
  for (const other of ['192.0.0.8', '192.0.0.170', '192.0.2.1', '10.0.0.1', '192.0.0.04', '64:ff9b::c000:4']) {
    assert.equal(isClatAddress(other), false, other);
  }
});
