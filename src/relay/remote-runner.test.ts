// Commands on a machine whose connection goes at the wrong moment.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NativeConnection } from '../protocol/native/connection.ts';
import { RemoteRunner } from './remote-runner.ts';

test('what is started after the machine has gone is lost at once, and cancelling it is no mistake', async () => {
  const connection = new NativeConnection('server');
  const runner = new RemoteRunner({
    connection,
    settle() {},
    get isBacklogged() {
      return false;
    },
  });
  runner.lose('the connection to web1 was lost');
  const run = runner.start({ command: { kind: 'shell', line: 'ls' }, env: {} });
  run.cancel();
  assert.deepEqual(await run.ended, { result: 'lost', status: null, reason: 'the connection to web1 was lost' });
  const refused = await runner.detached.start({
    key: '0'.repeat(32),
    command: { kind: 'shell', line: 'ls' },
    env: {},
    takesInput: false,
    keptBytes: 1,
  });
  assert.equal(refused?.refused, 'away');
});
