// A machine that hears nothing of its server for the length of the lease: what ran over the connection ends, what was
// detached goes on, and is shown over the next connection.

import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { aDirectory } from '../../test/kit/directory.ts';
import { listenOn } from '../../test/kit/listener.ts';
import { until } from '../../test/kit/proc.ts';
import { aRunner, finish, sh } from '../../test/kit/runner.ts';
import { LOOPBACKS } from '../../test/kit/server.ts';
import { clientOn } from '../client/on-socket.ts';
import type { Run } from '../core/ports.ts';
import { DetachedRuns } from '../detached/detached-runs.ts';
import { dial } from '../net/dial.ts';
import { MAX_OUTSTANDING_REQUESTS } from '../protocol/native/limits.ts';
import { METHODS } from '../protocol/native/methods.ts';
import { DETACHED } from '../protocol/native/methods/detached.ts';
import { NativeLink } from '../protocol/native/link.ts';
import { Pump } from '../protocol/native/pump.ts';
import { TaggedDecoder } from '../protocol/native/tagged.ts';
import { RemoteRunner } from '../relay/remote-runner.ts';
import { EVERYTHING } from './policy.ts';
import { serveOnceAccepted } from './serving.ts';

const LIMIT = { timeout: 20_000 };
setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');
const KEY = '0123456789abcdef0123456789abcdef';

/** The server's end, which asks what the test says and pings nobody. */
function aServerEnd(socket: Socket) {
  const link = new NativeLink('server', { serverName: 'Server' });
  let tellRefusal: (message: string) => void = assert.fail;
  const pump: Pump = new Pump(socket, link, {
    onEvent: (event) => {
      if (event.type === 'ended') pump.close();
      else if (event.type === 'request') link.connection.respond(event.id, {});
      else if (event.type === 'refusal' && event.id === asked) tellRefusal(event.error.message);
      else if (event.type !== 'opened' && event.type !== 'unusable') runner.receive(event);
    },
    onDrain: () => runner.update(),
    onClosed: () => runner.lose('the connection is gone'),
  });
  const runner = new RemoteRunner({
    connection: link.connection,
    get isBacklogged() {
      return pump.isBacklogged;
    },
    // What one turn brings is one write, as the door has it.
    settle: () => void setImmediate(() => pump.settle()),
  });
  let asked = 0;
  pump.start();
  link.trust();
  return {
    runner,
    /** Asks for what no server asks for, and is refused. */
    refused: (method: string, params: object): Promise<string> => {
      const { promise, resolve } = Promise.withResolvers<string>();
      tellRefusal = resolve;
      asked = link.connection.request(method, params);
      pump.settle();
      return promise;
    },
  };
}

async function aMachine(t: TestContext, host: string) {
  const runner = aRunner(t);
  const started: Run[] = [];
  const kept = { start: (request: Parameters<typeof runner.start>[0]) => track(runner.start(request)) };
  const track = <One extends Run>(run: One) => {
    started.push(run);
    return run;
  };
  const detached = new DetachedRuns({
    runner: kept,
    directory: join(aDirectory(t), 'detached'),
    onTrouble: assert.fail,
    atOnceMs: 1,
  });
  // What starts commands is there, so that a short lease is long enough for one.
  await finish(runner.start({ command: sh('true'), env: {} }));
  let accepted = Promise.withResolvers<ReturnType<typeof aServerEnd>>();
  const port = await listenOn(t, host, (socket) => accepted.resolve(aServerEnd(socket)));
  return {
    started,
    /** The server's end of a new connection, and the machine's. */
    async connect(leaseMs?: number, isAcceptedAtOnce = true) {
      accepted = Promise.withResolvers();
      const client = clientOn(await dial({ host, port }));
      // Not held: it is somebody's test that nobody else does.
      const held = new WeakRef(client);
      t.after(() => held.deref()?.destroy());
      assert.equal(await client.greeted(), undefined);
      const lease = leaseMs === undefined ? {} : { leaseMs };
      const both = { client, runner: { ...runner, start: kept.start }, detached };
      const serve = serveOnceAccepted({
        ...both,
        policy: { current: EVERYTHING },
        onDenied: assert.fail,
        onRecordsHead: () => {},
        ...lease,
      });
      if (isAcceptedAtOnce) serve();
      const { runner: server, refused } = await accepted.promise;
      return { server, refused, client, serve };
    },
  };
}

for (const host of LOOPBACKS) {
  test(
    `a link that is cut for longer than the lease ends what runs over it, and no detached run: ${host}`,
    LIMIT,
    async (t) => {
      const machine = await aMachine(t, host);
      const { server, client } = await machine.connect(400);
      const command = { kind: 'shell', line: 'read x; echo "got $x"; exit 3' } as const;
      const run = server.start({ command, env: {} });
      const detach = { key: KEY, command, env: {}, takesInput: true, keptBytes: 10 };
      assert.equal(await server.detached.start(detach), undefined);
      const end = server.detached.ended(KEY);
      // Nothing is asked any more: the lease runs out at the machine.
      await client.gone;
      assert.equal(await end, 'away');
      assert.equal((await run.ended).result, 'lost');
      const results = machine.started.map(({ ended }) => ended);
      assert.equal((await results[0])?.result, 'cancelled');
      const { server: again } = await machine.connect();
      const { attachment, attached } = again.detached.attach(KEY, { from: 0, givesInput: true });
      assert.equal(await attached, undefined);
      let said = '';
      const decoder = new TaggedDecoder();
      attachment.output.onData((chunk) => {
        for (const piece of decoder.receive(chunk) ?? []) {
          if (piece.type === 'stdout') said += Buffer.from(piece.bytes).toString();
        }
      });
      attachment.output.resume();
      attachment.stdin.write(Buffer.from('word\n'));
      assert.deepEqual(await attachment.ended, { result: 'exited', status: 3 });
      assert.equal(said, 'got word\n');
      const told = await again.detached.ended(KEY);
      assert.ok(typeof told !== 'string');
      assert.deepEqual(told.result, { result: 'exited', status: 3 });
      assert.deepEqual([told.streams.stdin.bytes, told.streams.stdout.bytes], [5, 9]);
      assert.equal(Buffer.from(told.streams.stdout.head).toString(), 'got w');
      assert.equal(await again.detached.ended('f'.repeat(32)), 'unknown');
    },
  );
  test(
    `starts of one turn, more than a machine answers at once, are all taken, and so is a ping: ${host}`,
    LIMIT,
    async (t) => {
      const machine = await aMachine(t, host);
      const { server } = await machine.connect();
      const command = { kind: 'argv', argv: ['cat'] } as const;
      const runs = Array.from({ length: MAX_OUTSTANDING_REQUESTS + 16 }, () => server.start({ command, env: {} }));
      const pong = new Promise<void>((resolve) => server.ping(resolve));
      for (const { stdout, stderr } of runs) for (const output of [stdout, stderr]) output.resume();
      await pong;
      assert.equal(machine.started.length, runs.length);
      const [cancelled, ...others] = runs;
      cancelled?.cancel();
      assert.deepEqual((await cancelled?.ended)?.result, 'cancelled');
      for (const { stdin } of others) stdin.end();
      for (const { ended } of others) assert.deepEqual(await ended, { result: 'exited', status: 0 });
    },
  );

  test(`a ping that was held is answered as soon as the machine is accepted: ${host}`, LIMIT, async (t) => {
    const machine = await aMachine(t, host);
    const { server, client, serve } = await machine.connect(1_000, false);
    const pong = new Promise<string>((resolve) => server.ping(() => resolve('pong')));
    await client.request(METHODS.ping, {});
    serve();
    assert.equal(await Promise.race([pong, client.gone]), 'pong');
  });

  test(
    `a hundred ends that are asked for before the machine is accepted are all told behind that: ${host}`,
    LIMIT,
    async (t) => {
      const machine = await aMachine(t, host);
      const { server, client, serve } = await machine.connect(undefined, false);
      let answered = 0;
      const ends = Array.from({ length: 100 }, async (_, count) => {
        const key = String(count).padStart(32, '0');
        server.detached.cancel(key);
        const end = await server.detached.ended(key);
        answered += 1;
        return end;
      });
      // What was asked before has come by the answer.
      assert.deepEqual(await client.request(METHODS.ping, {}), { result: {} });
      assert.equal(answered, 0);
      serve();
      assert.deepEqual(await Promise.all(ends), Array(100).fill('unknown'));
    },
  );

  test(`whoever cannot be attached to a run leaves it as it was: its input is free: ${host}`, LIMIT, async (t) => {
    const machine = await aMachine(t, host);
    const { server, refused } = await machine.connect();
    const command = { kind: 'argv', argv: ['cat'] } as const;
    const detach = { key: KEY, command, env: {}, takesInput: true, keptBytes: 10 };
    assert.equal(await server.detached.start(detach), undefined);
    // A server's streams are even.
    const why = await refused(DETACHED.attach, { key: KEY, from: 0, input: 1, output: 3 });
    assert.equal(why, 'the streams are not numbered as they must be');
    const { attachment, attached } = server.detached.attach(KEY, { from: 0, givesInput: true });
    assert.equal(await attached, undefined);
    attachment.output.resume();
    attachment.stdin.end();
    assert.deepEqual(await attachment.ended, { result: 'exited', status: 0 });
  });

  test(`a run that goes on keeps nothing of the connections that asked for its end: ${host}`, LIMIT, async (t) => {
    const machine = await aMachine(t, host);
    const first = await machine.connect();
    const command = { kind: 'argv', argv: ['sleep', '1000'] } as const;
    const detach = { key: KEY, command, env: {}, takesInput: false, keptBytes: 0 };
    assert.equal(await first.server.detached.start(detach), undefined);
    const connections: WeakRef<object>[] = [];
    for (let count = 0; count < 3; count++) {
      const { server, client } = await machine.connect();
      const ended = server.detached.ended(KEY);
      await new Promise<void>((resolve) => server.ping(resolve));
      connections.push(new WeakRef(client));
      client.destroy();
      assert.equal(await ended, 'away');
    }
    await until(() => {
      collectGarbage();
      // The last one may still be on its way out.
      return connections.slice(0, -1).every((one) => one.deref() === undefined);
    }, 'the connections are gone');
    first.server.detached.cancel(KEY);
  });
}
