import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { familyOf, isLinkLocalAddress, isLoopbackAddress, normaliseAddress, peerOf } from './peer.ts';

test('an IPv4-mapped address is the IPv4 address that it is, however it is written', () => {
  const table: [given: string, normal: string][] = [
    ['::ffff:127.0.0.1', '127.0.0.1'],
    ['::FFFF:192.0.2.7', '192.0.2.7'],
    ['::ffff:0:192.0.2.7', '192.0.2.7'],
    ['::ffff:c000:207', '192.0.2.7'],
    ['::ffff:7f00:1', '127.0.0.1'],
    ['127.0.0.1', '127.0.0.1'],
    ['::1', '::1'],
    ['::ffff:1', '::ffff:1'],
    ['2001:db8::ffff:192.0.2.7', '2001:db8::ffff:192.0.2.7'],
    ['64:ff9b::c000:207', '64:ff9b::c000:207'],
    ['::ffff:999.0.0.1', '::ffff:999.0.0.1'],
    ['', ''],
  ];
  for (const [given, normal] of table) {
    assert.equal(normaliseAddress(given), normal, given);
    assert.equal(normaliseAddress(normal), normal, 'normal stays normal');
  }
});

test('what is of one link alone is 169.254.0.0/16 and fe80::/10, with a zone too', () => {
  for (const address of ['169.254.0.1', '169.254.255.255', 'fe80::1', 'FEBF::1', 'fe80::1%eth0']) {
    assert.ok(isLinkLocalAddress(address), address);
  }
  for (const address of ['169.253.0.1', '169.255.0.1', 'fec0::1', 'fe8::1', '2001:db8::fe80:1', 'fe80.example']) {
    assert.ok(!isLinkLocalAddress(address), address);
  }
});

test('loopback is 127.0.0.0/8 and ::1, and nothing that looks like it', () => {
  for (const address of ['127.0.0.1', '127.1.2.3', '127.255.255.255', '::1']) {
    assert.ok(isLoopbackAddress(address), address);
  }
  for (const address of [
    '128.0.0.1',
    '12.7.0.1',
    '0.0.0.0',
    '::',
    '::2',
    '127.evil.example',
    '127::1',
    'fe80::1',
    '',
  ]) {
    assert.ok(!isLoopbackAddress(address), address);
  }
});

test('a family is told from an address', () => {
  assert.equal(familyOf('192.0.2.7'), 'ipv4');
  assert.equal(familyOf('::1'), 'ipv6');
});

/** Listens on an address, connects to another, and gives both ends. */
async function ends(listen: string, to: string): Promise<{ accepted: Socket; dialled: Socket; end: () => void }> {
  const server = createServer().listen(0, listen);
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const dialled = connect(address.port, to);
  const [accepted] = await Promise.all([
    new Promise<Socket>((resolve) => server.once('connection', resolve)),
    once(dialled, 'connect'),
  ]);
  const end = () => {
    for (const socket of [accepted, dialled]) socket.destroy();
    server.close();
  };
  return { accepted, dialled, end };
}

for (const [listen, to, family, isShownAs] of [
  ['127.0.0.1', '127.0.0.1', 'ipv4', '127.0.0.1'],
  ['::1', '::1', 'ipv6', '::1'],
  // Who listens for IPv4 on an IPv6 socket is told `::ffff:127.0.0.1` by the kernel.
  ['::ffff:127.0.0.1', '127.0.0.1', 'ipv4', '127.0.0.1'],
] as const) {
  test(`both ends of a connection are seen as they are: ${to} to a listener on ${listen}`, async () => {
    const { accepted, dialled, end } = await ends(listen, to);
    try {
      assert.deepEqual(peerOf(accepted), {
        address: isShownAs,
        port: dialled.localPort,
        family,
        isLoopback: true,
        isEncrypted: false,
        localAddress: isShownAs,
        localPort: dialled.remotePort,
      });
    } finally {
      end();
    }
  });
}

test('of a connection that has broken there is no peer', async () => {
  const { accepted, end } = await ends('127.0.0.1', '127.0.0.1');
  accepted.destroy();
  await once(accepted, 'close');
  assert.equal(peerOf(accepted), undefined);
  end();
});
