import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unacknowledgedIn } from './unacknowledged.ts';

// As proc_net_tcp(5) has it: port 5000 to 7270 with 1,209 bytes that nobody has acknowledged, and 5001 to 7270 with none.
const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1C66 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0000000000000000 100 0 0 10 0
   1: 0200000A:1388 0100000A:1C66 01 000004B9:00000000 01:00000014 00000002     0        0 2 2 0000000000000000 20 4 30 10 -1
   2: 0200000A:1389 0100000A:1C66 01 00000000:00000000 00:00000000 00000000     0        0 3 1 0000000000000000 20 4 30 10 -1
   3: 0200000A:138A 0100000A:1C66 01 00000000:00000000 00:00000000 00000000     0        0 4 1 0000000000000000 20 4 30 10 -1
   4: 0200000A:138A 0300000A:1C66 01 00000001:00000000 00:00000000 00000000     0        0 5 1 0000000000000000 20 4 30 10 -1
`;

test('what a connection has not had acknowledged is read from the table of the system', () => {
  assert.equal(unacknowledgedIn(TABLE, { local: 5_000, remote: 7_270 }), 1_209);
  assert.equal(unacknowledgedIn(TABLE, { local: 5_001, remote: 7_270 }), 0);
});

test('of a connection that is not there, or of which there are two, nothing is known', () => {
  assert.equal(unacknowledgedIn(TABLE, { local: 5_003, remote: 7_270 }), undefined);
  assert.equal(unacknowledgedIn(TABLE, { local: 5_000, remote: 7_271 }), undefined);
  assert.equal(unacknowledgedIn(TABLE, { local: 5_002, remote: 7_270 }), undefined);
});
