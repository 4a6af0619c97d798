// Commands on a machine whose connection goes at the wrong moment, or that refuses them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NativeConnection } from '../protocol/native/connection.ts';
import { INITIAL_WINDOW_BYTES } from '../protocol/native/limits.ts';
import { rpcError, type RpcError } from '../protocol/native/rpc.ts';
import { RemoteRunner } from './remote-runner.ts';

const LS = { command: { kind: 'shell', line: 'ls' }, env: {} } as const;
const DETACHED = { ...LS, key: '0'.repeat(32), takesInput: false, keptBytes: 1 };

/** A machine at the other end of a connection without a socket. */
function aMachine() {
  const [connection, machine] = [new NativeConnection('server'), new NativeConnection('client')];
  const runner = new RemoteRunner({ connection, isBacklogged: false, settle() {} });
  const toServer = () => {
    for (const frame of machine.takeOutput()) connection.receive(frame);
    for (const event of connection.takeEvents()) runner.receive(event);
  };
  return {
    connection,
    runner,
    /** Refuses all that it has been asked, and says how much that was. */
    refuse: (error: RpcError) => {
      for (const frame of connection.takeOutput()) machine.receive(frame);
      const asked = machine.takeEvents().filter((event) => event.type === 'request');
      for (const { id } of asked) machine.refuse(id, error);
      toServer();
      return asked.length;
    },
  };
}

test('of a run that the machine refuses no stream is left, nor what was written to it', async () => {
  const { connection, runner, refuse } = aMachine();
  const run = runner.start(LS);
  const [stdin, stdout, stderr] = run.streams;
  assert.ok(stdin !== undefined && stdout !== undefined && stderr !== undefined);
  assert.equal(run.stdin.write(new Uint8Array(INITIAL_WINDOW_BYTES + 1)), false);
  refuse(rpcError('refused', 'not-allowed', 'its policy'));
  assert.deepEqual(await run.ended, { result: 'denied', status: null, reason: 'its policy' });
  assert.equal(connection.isHoldingBack(stdin), false);
  for (const stream of [stdout, stderr]) {
    connection.receive({ kind: 'data', stream, bytes: Buffer.from('late') });
    connection.reset(stream);
  }
  assert.deepEqual([connection.takeEvents(), connection.takeOutput()], [[], []]);
});

const REFUSALS = ['too-many-requests', 'too-many-streams', 'stream-number', 'bad-params', 'too-hot'];
for (const code of REFUSALS) {
  test(`what a machine refuses has not been started there, whatever the reason: ${code}`, async () => {
    const { runner, refuse } = aMachine();
    const run = runner.start(LS);
    refuse(rpcError('refused', code, 'in its own words'));
    assert.deepEqual(await run.ended, { result: 'denied', status: null, reason: 'in its own words' });
    assert.ok(runner.isIdle);
  });
}

test('a refusal with a code that is not known here is one, in its own words', async () => {
  const { runner, refuse } = aMachine();
  const start = runner.detached.start(DETACHED);
  const { attached } = runner.detached.attach(DETACHED.key, { from: 0, givesInput: false });
  refuse(rpcError('refused', 'too-hot', 'the machine is too hot'));
  for (const refused of [await start, await attached]) {
    assert.deepEqual(refused, { refused: 'refused-there', reason: 'the machine is too hot' });
  }
});

test('a program that knows no detached runs has none', async () => {
  const { runner, refuse } = aMachine();
  const [start, ended] = [runner.detached.start(DETACHED), runner.detached.ended(DETACHED.key)];
  refuse(rpcError('method', 'unknown-method', 'A machine only runs commands'));
  const reason = 'the program that joined there knows no detached runs';
  assert.deepEqual(await start, { refused: 'refused-there', reason });
  assert.equal(await ended, 'unknown');
});

test('why a machine does not say how a run ended may be anything: it may go on there', async () => {
  const { runner, refuse } = aMachine();
  const ended = runner.detached.ended(DETACHED.key);
  refuse(rpcError('refused', 'too-hot', 'the machine is too hot'));
  assert.equal(await ended, 'away');
});

test('of many detached runs a machine is asked to start so many at once, and the others wait for their turn', async () => {
  const { runner, refuse } = aMachine();
  const starts = Array.from({ length: 70 }, () => runner.detached.start(DETACHED));
  const rounds: number[] = [];
  for (let round = 0; round < 4; round++) {
    rounds.push(refuse(rpcError('refused', 'no-place', 'the disk is gone')));
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  assert.deepEqual(rounds, [32, 32, 6, 0]);
  for (const refused of await Promise.all(starts))
    assert.deepEqual(refused, { refused: 'no-place', reason: 'the disk is gone' });
  const more = Array.from({ length: 2_000 }, () => runner.detached.start(DETACHED));
  runner.lose('the connection to web1 was lost');
  for (const refused of await Promise.all(more))
    assert.ok(refused !== undefined && 'refused' in refused && refused.refused === 'away');
});

test('of many ends that are waited for, or asked for, a machine is asked so many at once, and none is forgotten', async () => {
  const { runner, refuse } = aMachine();
  const keys = Array.from({ length: 10 }, (_, count) => String(count).padStart(32, '0'));
  const ends = keys.map((key) => {
    runner.detached.cancel(key);
    return runner.detached.ended(key);
  });
  const rounds: number[] = [];
  for (let round = 0; round < 4; round++) {
    rounds.push(refuse(rpcError('refused', 'not-kept', 'nothing is known of it here')));
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  assert.deepEqual(rounds, [8, 8, 4, 0]);
  assert.deepEqual(await Promise.all(ends), Array(10).fill('unknown'));
  const more = keys.map((key) => runner.detached.ended(key));
  runner.lose('the connection to web1 was lost');
  assert.deepEqual(await Promise.all(more), Array(10).fill('away'));
});

test('what runs is lost with the connection, and is being ended; what somebody is attached to may go on', async () => {
  const { runner } = aMachine();
  const run = runner.start(LS);
  const { attachment } = runner.detached.attach(DETACHED.key, { from: 0, givesInput: false });
  runner.lose('web1 was revoked');
  const ending = 'web1 was revoked, and what was running there is being ended';
  assert.deepEqual(await run.ended, { result: 'lost', status: null, reason: ending });
  assert.deepEqual(await attachment.ended, {
    result: 'lost',
    status: null,
    reason: 'web1 was revoked',
    mayGoOn: true,
  });
  assert.ok(runner.isIdle);
});

test('what is started after the machine has gone is lost at once, and cancelling it is no mistake', async () => {
  const { runner } = aMachine();
  runner.lose('the connection to web1 was lost');
  const run = runner.start(LS);
  run.cancel();
  assert.deepEqual(await run.ended, { result: 'lost', status: null, reason: 'the connection to web1 was lost' });
  const refused = await runner.detached.start(DETACHED);
  assert.ok(refused !== undefined && 'refused' in refused);
  assert.equal(refused.refused, 'away');
});
