import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DESCRIPTORS_PER_RUN, MAX_RUNS } from '../runner/runner.ts';
import {
  COMMAND_DESCRIPTORS,
  ConnectionLimits,
  HOUSE_DESCRIPTORS,
  MAX_CONNECTIONS_PER_PREFIX,
  maxConnections,
  prefixOf,
} from './limits.ts';
import { familyOf, isLoopbackAddress, type Peer } from './peer.ts';

function from(address: string): Peer {
  const [family, isLoopback] = [familyOf(address), isLoopbackAddress(address)];
  return { address, port: 50_000, family, isLoopback, isEncrypted: false, localAddress: '192.0.2.1', localPort: 7_270 };
}

function limitsOf(soft: string): string {
  return `Limit                     Soft Limit           Hard Limit           Units\nMax open files            ${soft.padEnd(20)} 1048576              files\n`;
}

test('connections leave descriptors for commands and files, and never take less than half', () => {
  assert.equal(maxConnections(limitsOf('20000')), 18_912);
  assert.equal(maxConnections(limitsOf('4096')), 3_008);
  assert.equal(maxConnections(limitsOf('1024')), 512);
  assert.equal(maxConnections(limitsOf('300')), 150);
  // Where the system does not say, the least that is usual.
  assert.equal(maxConnections(''), 512);
  assert.equal(maxConnections(limitsOf('unlimited')), 512);
  assert.ok(maxConnections() >= 100, 'of this very process');
});

test('a server full of connections has descriptors left for its commands', () => {
  assert.equal(COMMAND_DESCRIPTORS, MAX_RUNS * DESCRIPTORS_PER_RUN);
  for (const descriptors of [2_176, 4_096, 1_048_576]) {
    const left = descriptors - maxConnections(limitsOf(String(descriptors))) - HOUSE_DESCRIPTORS;
    assert.ok(left >= MAX_RUNS * DESCRIPTORS_PER_RUN, `${left} of ${descriptors}`);
  }
  // The least that is usual: not all that may run at once, but a hundred.
  const left = 1_024 - maxConnections(limitsOf('1024')) - HOUSE_DESCRIPTORS;
  assert.ok(left >= 100 * DESCRIPTORS_PER_RUN, `${left} of 1,024`);
});

test('an IPv4 address counts as it is, an IPv6 address by its /64', () => {
  const table: [address: string, prefix: string][] = [
    ['192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::6', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002::1', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['1::', '1:0:0:0::/64'],
    ['64:ff9b::192.0.2.7', '64:ff9b:0:0::/64'],
  ];
  for (const [address, prefix] of table) assert.equal(prefixOf(from(address)), prefix, address);
});

test('one prefix takes so many and no more; what leaves makes room, for that prefix alone', () => {
  for (const [one, same, other] of [
    ['192.0.2.1', '192.0.2.1', '192.0.2.2'],
    ['2001:db8:1:2::1', '2001:db8:1:2:ffff::9', '2001:db8:1:3::1'],
  ] as const) {
    const limits = new ConnectionLimits(100, 2);
    assert.equal(limits.enter(from(one)), undefined);
    assert.equal(limits.enter(from(same)), undefined);
    assert.equal(limits.enter(from(one)), `2 connections come from ${prefixOf(from(one))} and no more are taken`);
    assert.equal(limits.enter(from(other)), undefined);
    limits.leave(from(same));
    assert.equal(limits.enter(from(one)), undefined);
    assert.notEqual(limits.enter(from(one)), undefined);
  }
});

test('loopback has no limit of its own, and shares the one of all', () => {
  const limits = new ConnectionLimits(2 * MAX_CONNECTIONS_PER_PREFIX);
  for (let n = 0; n < MAX_CONNECTIONS_PER_PREFIX; n++) {
    assert.equal(limits.enter(from('::1')), undefined);
    assert.equal(limits.enter(from('127.0.0.1')), undefined);
  }
  const refusal = `this server has ${2 * MAX_CONNECTIONS_PER_PREFIX} connections and takes no more`;
  for (const address of ['::1', '192.0.2.1']) assert.equal(limits.enter(from(address)), refusal);
  limits.leave(from('::1'));
  assert.equal(limits.enter(from('192.0.2.1')), undefined);
  assert.equal(limits.enter(from('192.0.2.1')), refusal);
});

test('who was refused was not counted', () => {
  const limits = new ConnectionLimits(1, 1);
  assert.equal(limits.enter(from('192.0.2.1')), undefined);
  for (let n = 0; n < 3; n++) assert.notEqual(limits.enter(from('192.0.2.1')), undefined);
  limits.leave(from('192.0.2.1'));
  assert.equal(limits.enter(from('192.0.2.1')), undefined);
});
