// The native door over real sockets of both families, with a runner that does what the test says.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newNonce } from '../../net/owner.ts';
import type { LinkEvent } from '../../protocol/native/link.ts';
import { CREDIT_STEP_BYTES, INITIAL_WINDOW_BYTES, MAX_DATA_BYTES } from '../../protocol/native/limits.ts';
import { parsePolicy } from '../../core/run/policy-file.ts';
import { NEEDS } from './entry.ts';
import { HANDLERS } from './handlers.ts';
import { aNativeHouse } from '../../../test/kit/native-house.ts';
import { ofType, START, TOKEN } from '../../../test/kit/native.ts';
import { MAX_REQUEST_BYTES } from './limits.ts';
import { LOOPBACKS } from '../../../test/kit/server.ts';

/** What every method takes, so that nothing but the table is in the way. */
/** What the table lets every account ask, and the policy decides. */
const BY_POLICY = new Set(['run.start', 'run.detach', 'run.ask', 'host.resolve']);
const ANYTHING = {
  ...START,
  run: 1,
  // Of nothing: who removes the token that it came in by is sent away.
  id: 1_000,
  to: ['all'],
  text: 'x',
  words: 'x',
  group: '#g',
  name: 'zoe',
  label: 'x',
  targets: 'Server',
};

for (const host of LOOPBACKS) {
  test(`nobody does anything for a stranger but what the table says: ${host}`, async () => {
    await using house = await aNativeHouse(host);
    const caller = await house.call();
    const open = Object.entries(HANDLERS).filter(([, handler]) => handler.needs === 'nobody');
    assert.deepEqual(
      open.map(([method]) => method),
      [
        'ping',
        'rpc.discover',
        'owner.challenge',
        'owner.prove',
        'login.token',
        'login.password',
        'login.guest',
        'login.code',
        'host.join',
        'host.challenge',
        'host.prove',
      ],
    );
    for (const [method, { needs }] of Object.entries(HANDLERS)) {
      // A connection of its own for each: there are more than one may ask without showing who it is.
      if (needs !== 'nobody') assert.equal(await (await house.call()).ask(method, ANYTHING), 'not-allowed', method);
    }
    for (const method of ['', 'toString', '__proto__', 'run.Start']) {
      assert.equal(await caller.ask(method, {}), 'unknown-method');
    }
    assert.equal(await caller.ask('owner.prove', { proof: newNonce() }), 'no-challenge');
    assert.deepEqual(await caller.ask('ping', {}), {});
    assert.deepEqual([house.runner.requests, house.told], [[], []]);
  });

  test(`everybody may what the table says, and nothing more: ${host}`, async () => {
    await using house = await aNativeHouse(host);
    const { token } = await house.account('Janaki');
    const operator = await house.account('Prashanth', 'operator');
    const logins = [
      ['guest', 'login.guest', { name: 'Vamshi' }],
      ['member', 'login.token', { token }],
      ['operator', 'login.token', operator],
    ] as const;
    for (const [role, login, params] of logins) {
      const caller = await house.call();
      assert.notEqual(await caller.ask(login, params), 'not-allowed');
      for (const [method, { needs }] of Object.entries(HANDLERS)) {
        const isTaken = NEEDS.indexOf(role) >= NEEDS.indexOf(needs);
        if (!isTaken || BY_POLICY.has(method))
          assert.equal(await caller.ask(method, ANYTHING), 'not-allowed', `${role} ${method}`);
        else if (!method.startsWith('owner.')) {
          assert.notEqual(await caller.ask(method, ANYTHING), 'not-allowed', `${role} ${method}`);
        }
      }
    }
    assert.deepEqual(house.runner.requests, []);
  });

  test(`a member runs what the policy says, on the server only where that is open, and cancels its own: ${host}`, async () => {
    const rule = '[[allow]]\nwho = ["janaki"]\non = "Server"\nrun = ["ls"]\n';
    const policy = parsePolicy(rule);
    assert.ok(!('refused' in policy));
    for (const isServerOpen of [false, true]) {
      await using house = await aNativeHouse(host, { policy, isServerOpen });
      const caller = await house.call();
      await caller.ask('login.token', await house.account('Janaki'));
      for (const stream of [1, 3, 5]) caller.connection.open(stream, stream === 1 ? 'out' : 'in');
      const reboot = { ...START, command: { argv: ['reboot'] } };
      assert.equal(await caller.ask('run.start', reboot), 'not-allowed');
      assert.match(house.warned[0] ?? '', /^command not allowed$/);
      assert.deepEqual(house.runner.requests, []);
      assert.deepEqual(await caller.ask('run.start', START), isServerOpen ? { run: 1, record: 2 } : 'not-allowed');
      assert.equal(await caller.ask('run.cancel', { run: 2 }), 'unknown-run');
      const other = await house.call();
      await other.ask('login.token', await house.account('Eve', 'operator'));
      assert.equal(await other.ask('run.cancel', { run: 1 }), 'unknown-run', 'another’s run is nobody else’s');
      assert.equal(await other.ask('run.start', START), 'not-allowed');
      const commands = house.runner.requests.map(({ command }) => command);
      assert.deepEqual(commands, isServerOpen ? [{ kind: 'argv', argv: ['ls'] }] : []);
      const owner = await house.call();
      await owner.becomeOwner();
      assert.deepEqual(await owner.ask('account.revoke', { name: 'Janaki' }), { revoked: 'account' });
      // It asks nothing, and what it runs ends all the same.
      assert.equal(await caller.closed(), '{"reason":"Cannot stay: the account has been revoked"}');
      await house.runner.runs[0]?.cancelled;
    }
  });

  test(`a run has its streams, its status and its line on the console: ${host}`, async () => {
    await using house = await aNativeHouse(host);
    const caller = await house.call();
    await caller.becomeOwner();
    caller.connection.open(1, 'out');
    caller.connection.open(3, 'in');
    caller.connection.open(5, 'in');
    const params = { ...START, env: { LANG: 'C' }, cwd: '/srv', timeoutMs: 9, on: 'server' };
    caller.connection.request('run.start', params);
    // Input goes with the request, in one write.
    caller.connection.write(1, Buffer.from('in'));
    caller.connection.end(1);
    caller.settle();
    assert.deepEqual((await caller.until(ofType('answer'))).result, { run: 1, record: 1 });
    const [run] = house.runner.runs;
    assert.ok(run !== undefined);
    assert.deepEqual(house.runner.requests, [
      {
        command: { kind: 'shell', line: 'ls' },
        env: { LANG: 'C' },
        cwd: '/srv',
        timeoutMs: 9,
        recordsHead: house.records.head,
      },
    ]);
    assert.deepEqual(
      house.told.map(({ text }) => text),
      [`Given command ls (owner from ${host} on Server)`],
    );
    await caller.ask('ping', {});
    assert.equal(run.stdin.received.toString(), 'in');
    assert.ok(run.stdin.hasEnded);
    run.stdout.give(Buffer.from('out'));
    run.stderr.give(Buffer.from('err'));
    run.finish({ result: 'signalled', status: 137, signal: 9 });
    const ended = await caller.until(ofType('notification'));
    assert.deepEqual(ended.params, { run: 1, result: 'signalled', status: 137, signal: 9 });
  });

  test(`a command that would not fit a frame to its machine is refused, and starts nowhere: ${host}`, async () => {
    await using house = await aNativeHouse(host);
    const caller = await house.call();
    await caller.becomeOwner();
    const argv = ['echo', 'x'.repeat(MAX_REQUEST_BYTES)];
    for (const method of ['run.start', 'run.detach']) {
      assert.equal(await caller.ask(method, { ...START, command: { argv } }), 'bad-params');
    }
    assert.deepEqual(house.runner.requests, []);
    assert.deepEqual(await caller.ask('ping', {}), {});
  });

  test(`a variable that may not pass is named, and nothing starts: ${host}`, async () => {
    await using house = await aNativeHouse(host);
    const caller = await house.call();
    await caller.becomeOwner();
    for (const [env, name] of [
      [{ LANG: 'C', LD_PRELOAD: 'x', MINE: 'y' }, 'LD_PRELOAD'],
      [{ LANG: 'C', MINE: 'y' }, 'MINE'],
    ] as const) {
      caller.connection.request('run.start', { ...START, env });
      caller.settle();
      const { error } = await caller.until(ofType('refusal'));
      assert.deepEqual(error.data, { code: 'env-not-allowed', names: [name] });
      assert.match(error.message, /; nothing was started$/);
    }
    assert.deepEqual([house.runner.requests, house.told], [[], []]);
  });

  test(`output is read as far as the client grants, and no further: ${host}`, async () => {
    await using house = await aNativeHouse(host);
    const caller = await house.call();
    await caller.start();
    const run = house.runner.runs[0] ?? assert.fail();
    const given = await run.stdout.giveAll(caller);
    assert.equal(given, INITIAL_WINDOW_BYTES + MAX_DATA_BYTES, 'the window and the one piece that found it shut');
    caller.connection.consume(3, CREDIT_STEP_BYTES);
    caller.settle();
    await run.stdout.wanted();
    assert.equal(await run.stdout.giveAll(caller), CREDIT_STEP_BYTES);
    // The other output has a window of its own.
    run.stderr.give(Buffer.from('err'));
    await caller.until((event): event is LinkEvent => event.type === 'data' && event.stream === 5);
  });

  test(`input is granted as the command takes it: ${host}`, async () => {
    await using house = await aNativeHouse(host);
    const caller = await house.call();
    await caller.start();
    const { stdin } = house.runner.runs[0] ?? assert.fail();
    stdin.isFull = true;
    assert.equal(caller.connection.write(1, new Uint8Array(INITIAL_WINDOW_BYTES + 1)), false);
    caller.settle();
    await caller.ask('ping', {});
    assert.equal(stdin.received.length, INITIAL_WINDOW_BYTES);
    stdin.drain();
    await caller.until(ofType('drain'));
    await caller.ask('ping', {});
    assert.equal(stdin.received.length, INITIAL_WINDOW_BYTES + 1);
    stdin.close();
    assert.equal((await caller.until(ofType('reset'))).stream, 1);
  });

  test(`a client that wants no more of an output ends that output: ${host}`, async () => {
    await using house = await aNativeHouse(host);
    const caller = await house.call();
    await caller.start();
    const run = house.runner.runs[0] ?? assert.fail();
    caller.connection.reset(3);
    await caller.ask('ping', {});
    assert.deepEqual([run.stdout.isCancelled, run.stderr.isCancelled], [true, false]);
    run.stderr.give(Buffer.from('x'));
    run.finish({ result: 'signalled', status: 141, signal: 13 });
    assert.equal((await caller.until(ofType('notification'))).method, 'run.ended');
  });

  for (const how of ['half-closes', 'is cut', 'breaks the rules'] as const) {
    test(`a client that ${how} leaves no run behind: ${host}`, async () => {
      await using house = await aNativeHouse(host);
      const caller = await house.call();
      await caller.start();
      const run = house.runner.runs[0] ?? assert.fail();
      await run.stdout.giveAll(caller);
      if (how === 'half-closes') caller.socket.end();
      else if (how === 'is cut') caller.socket.resetAndDestroy();
      else caller.socket.write(Buffer.from('0000000600000003', 'hex'));
      await run.cancelled;
      assert.deepEqual([run.stdout.isCancelled, run.stderr.isCancelled, run.stdin.hasEnded], [true, true, true]);
      if (how === 'breaks the rules')
        assert.equal(await caller.closed(), '{"reason":"a frame of unknown kind 6","code":"broken-rule"}');
    });
  }

  test(`a wrong proof is refused and the connection closed: ${host}`, async () => {
    await using house = await aNativeHouse(host);
    const caller = await house.call();
    await caller.ask('owner.challenge', { nonce: newNonce() });
    assert.equal(await caller.ask('owner.prove', { proof: newNonce() }), 'wrong-proof');
    assert.match((await caller.closed()) ?? '', /the proof is wrong/);
  });

  test(`who does not show who is there is sent away: ${host}`, async () => {
    await using house = await aNativeHouse(host, { roleTimeoutMs: 50 });
    const silent = await house.call();
    assert.equal(await silent.closed(), '{"reason":"nobody showed who is there within 0.05 s"}');
    await using patient = await aNativeHouse(host);
    const long = await patient.call();
    await long.until(ofType('opened'));
    long.socket.write(Buffer.from('0010010100000000', 'hex'));
    assert.equal(
      await long.closed(),
      '{"reason":"control with 4097 bytes of payload where 4096 are the most","code":"broken-rule"}',
    );
    const many = await patient.call();
    for (let count = 0; count < 16; count++) await many.ask('ping', {});
    many.connection.request('ping', {});
    many.settle();
    assert.equal(await many.closed(), '{"reason":"more than 16 requests without showing who asks"}');
  });

  test(`a closing door ends the runs, tells how, and says goodbye: ${host}`, async () => {
    await using house = await aNativeHouse(host);
    const [caller, idle] = [await house.call(), await house.call()];
    await caller.start();
    await idle.until(ofType('opened'));
    const run = house.runner.runs[0] ?? assert.fail();
    const abort = new AbortController();
    const closed = house.door.close(abort.signal);
    await run.cancelled;
    assert.equal(await caller.ask('run.start', { ...START, stdin: 7, stdout: 9, stderr: 11 }), 'closing');
    run.finish({ result: 'cancelled', status: 143 });
    const reason = 'the server is closing';
    assert.deepEqual((await caller.until(ofType('notification'))).params, {
      run: 1,
      result: 'cancelled',
      status: 143,
      reason,
    });
    assert.equal(await caller.closed(), JSON.stringify({ reason }));
    assert.equal(await idle.closed(), JSON.stringify({ reason }));
    await closed;
  });

  test(`a closing door cuts who does not end: ${host}`, async () => {
    await using house = await aNativeHouse(host);
    const caller = await house.call();
    await caller.start();
    const abort = new AbortController();
    const closed = house.door.close(abort.signal);
    abort.abort();
    await closed;
    await caller.closed();
  });
}

test('a ticket of the owner is for whoever has proven it', async () => {
  await using house = await aNativeHouse('::1');
  const caller = await house.call();
  assert.equal(await caller.ask('owner.ticket', {}), 'not-allowed');
  await caller.becomeOwner();
  const given = await caller.ask('owner.ticket', {});
  assert.ok(typeof given === 'object' && given !== null && 'ticket' in given);
  const ticket = String(given.ticket);
  assert.ok(TOKEN.useTicket(ticket, performance.now()));
  assert.ok(!TOKEN.useTicket(ticket, performance.now()));
});

test('the token counts from loopback only', async () => {
  await using house = await aNativeHouse('127.0.0.1', { isLoopback: false });
  const caller = await house.call();
  assert.equal(await caller.ask('owner.challenge', { nonce: newNonce() }), 'not-loopback');
  assert.equal(await caller.ask('owner.prove', { proof: newNonce() }), 'not-loopback');
  assert.equal(await caller.ask('run.start', START), 'not-allowed');
});

test('a refused run starts nothing, anywhere', async () => {
  await using house = await aNativeHouse('::1');
  const caller = await house.call();
  await caller.becomeOwner();
  const cases: [object, string][] = [
    [{ ...START, on: 'web1' }, 'unknown-host'],
    [{ ...START, on: 'all' }, 'matches-nothing'],
    [{ ...START, on: 'Server,web1' }, 'unknown-host'],
    [{ ...START, command: {} }, 'bad-params'],
    [{ ...START, stdin: 2 }, 'stream-number'],
    [{ ...START, stdout: 1 }, 'stream-number'],
  ];
  for (const [params, code] of cases) assert.equal(await caller.ask('run.start', params), code);
  assert.equal(await caller.ask('run.cancel', { run: 1 }), 'unknown-run');
  assert.deepEqual([house.runner.requests, house.told], [[], []]);
});
