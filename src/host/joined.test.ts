// A machine that is thrown out, by another program with its key say, comes back ever more slowly; one that has stayed for a
// while, at once. And it does nothing for a server that has not accepted it.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { asOwner } from '../../test/kit/accounts.ts';
import { aDirectory } from '../../test/kit/directory.ts';
import { listenByTls } from '../../test/kit/listener.ts';
import { FakeRunner } from '../../test/kit/native.ts';
import { until } from '../../test/kit/proc.ts';
import { aRunner } from '../../test/kit/runner.ts';
import { at, LOOPBACKS, startServer, type TestServer } from '../../test/kit/server.ts';
import { clientOn } from '../client/on-socket.ts';
import { trustKey } from '../client/trust.ts';
import { DetachedRuns } from '../detached/detached-runs.ts';
import { dial } from '../net/dial.ts';
import { TLS_FINGERPRINT_FILE } from '../net/identity.ts';
import { newNonce } from '../net/owner.ts';
import { MAX_OUTSTANDING_REQUESTS } from '../protocol/native/limits.ts';
import { NativeLink } from '../protocol/native/link.ts';
import { METHODS } from '../protocol/native/methods.ts';
import { hostChallenge, hostProve } from '../protocol/native/methods/host.ts';
import { Pump } from '../protocol/native/pump.ts';
import { parseJoinCode, type JoinCode } from '../net/join-code.ts';
import { ensureMachineKey, type MachineKey } from '../net/machine.ts';
import { beJoined } from './joined.ts';
import { EVERYTHING } from './policy.ts';

const LIMIT = { timeout: 60_000 };
/** With chance in the middle: half of 250 ms, which doubles. */
const DELAYS = [125, 250, 500];
const STEADY_MS = 30_000;
const ANSWER_TIMEOUT_MS = 10_000;

/** A time that passes when the test says so. */
class Timers {
  readonly #pending = new Set<{ readonly ms: number; readonly goOff: () => void }>();

  readonly after = (ms: number, goOff: () => void): (() => void) => {
    const timer = { ms, goOff };
    this.#pending.add(timer);
    return () => this.#pending.delete(timer);
  };

  readonly random = (): number => 0.5;

  /** What is waited for now, without the time after which a connection counts as one. */
  get delays(): number[] {
    return Array.from(this.#pending, ({ ms }) => ms).filter((ms) => ms !== STEADY_MS);
  }

  pass(ms: number): void {
    for (const timer of this.#pending) {
      if (timer.ms !== ms) continue;
      this.#pending.delete(timer);
      timer.goOff();
    }
  }
}

interface Wanted {
  readonly server: Pick<TestServer, 'port' | 'directory'>;
  readonly host: string;
  readonly key: MachineKey;
  readonly code?: JoinCode;
  readonly detached?: DetachedRuns;
}

function aProgram(t: TestContext, { server, host, key, code, detached }: Wanted) {
  const world = new Timers();
  const runner = aRunner(t);
  const directory = join(aDirectory(t), 'detached');
  const stop = new AbortController();
  const counts = { joined: 0, lost: 0 };
  const reasons: string[] = [];
  const stay = beJoined(
    {
      host: at(host, server.port),
      key,
      code,
      labels: new Map(),
      trust: trustKey(readFileSync(join(server.directory, TLS_FINGERPRINT_FILE), 'utf8').trim()),
      runner,
      detached: detached ?? new DetachedRuns({ runner, directory, onTrouble: assert.fail }),
      policy: { current: EVERYTHING },
      onDenied: assert.fail,
      onRecordsHead: () => {},
      world,
      onJoined: () => (counts.joined += 1),
      onLost: (reason) => {
        reasons.push(reason);
        counts.lost += 1;
      },
    },
    stop.signal,
  );
  return {
    world,
    joined: (times: number) => until(() => counts.joined === times, `it has joined ${times} times`),
    /** Thrown out, and when it will come back. */
    async lost(times: number): Promise<number[]> {
      await until(() => counts.lost === times && world.delays.length > 0, `it was thrown out ${times} times`);
      return world.delays;
    },
    reasons,
    stay,
    async end() {
      stop.abort();
      await stay;
    },
  };
}

for (const host of LOOPBACKS) {
  test(`who is thrown out again and again waits longer, until a stay has lasted: ${host}`, LIMIT, async (t) => {
    await using server = await startServer();
    await using owner = await asOwner(server, host);
    const { code } = await owner.invite('web1', { kind: 'host' });
    const key = ensureMachineKey(join(aDirectory(t), 'key'));
    const one = aProgram(t, { server, host, key, code: parseJoinCode(code) ?? assert.fail(code) });
    await one.joined(1);
    const other = aProgram(t, { server, host, key });
    await other.joined(1);
    for (const [round, delay] of DELAYS.entries()) {
      assert.deepEqual(await one.lost(round + 1), [delay]);
      one.world.pass(delay);
      await one.joined(round + 2);
      assert.deepEqual(await other.lost(round + 1), [delay]);
      if (round === DELAYS.length - 1) break;
      other.world.pass(delay);
      await other.joined(round + 2);
    }
    // It is left alone for so long: the next time is the first again.
    one.world.pass(STEADY_MS);
    other.world.pass(DELAYS.at(-1) ?? 0);
    await other.joined(DELAYS.length + 1);
    assert.deepEqual(await one.lost(DELAYS.length + 1), [DELAYS[0]]);
    await Promise.all([one.end(), other.end()]);
  });
}

/** Has the key that it is to have, and asks for a ping before and right behind its answer to the proof. */
async function anEagerServer(t: TestContext, host: string, accepts: boolean) {
  const heard: string[] = [];
  const over = Promise.withResolvers<string[]>();
  const server = await listenByTls(t, host, (socket) => {
    const link = new NativeLink('server', { serverName: 'Server' });
    const pump = new Pump(socket, link, {
      onEvent(event) {
        if (event.type === 'answer' || event.type === 'refusal') heard.push(event.type);
        if (heard.length === 2) over.resolve(heard);
        if (event.type !== 'request') return;
        const { connection } = link;
        if (event.method === METHODS.hostChallenge) return connection.respond(event.id, { nonce: 'n'.repeat(43) });
        connection.request(METHODS.ping, {});
        if (accepts) connection.respond(event.id, { name: 'web1' });
        else connection.refuse(event.id, { code: -32_000, message: 'No', data: { code: 'bad-secret' } });
        connection.request(METHODS.ping, {});
      },
      onDrain() {},
      onClosed: () => over.resolve(heard),
    });
    pump.start();
  });
  return { server, over: over.promise };
}

for (const host of LOOPBACKS) {
  test(`all that is asked of a machine is done once it is accepted: ${host}`, LIMIT, async (t) => {
    const { server, over } = await anEagerServer(t, host, true);
    const program = aProgram(t, { server, host, key: ensureMachineKey(join(aDirectory(t), 'key')) });
    assert.deepEqual(await over, ['answer', 'answer']);
    await program.end();
  });

  test(`nothing is done for a server that does not accept the machine: ${host}`, LIMIT, async (t) => {
    const { server, over } = await anEagerServer(t, host, false);
    const program = aProgram(t, { server, host, key: ensureMachineKey(join(aDirectory(t), 'key')) });
    await assert.rejects(program.stay, /No/);
    assert.deepEqual(await over, []);
  });
}

/** Comes in as the machine and answers nothing: in which order what it hears has come. */
async function heardByMachine({ server, host, key }: Wanted, enough: (heard: readonly string[]) => boolean) {
  const { port } = server;
  const client = clientOn(await dial({ host, port }));
  assert.equal(await client.greeted(), undefined);
  const heard: string[] = [];
  client.serve({ onAsked: (event) => void (event.type === 'request' && heard.push(event.method)), onDrain() {} });
  const clientNonce = newNonce();
  const challenged = await client.request(hostChallenge.name, { nonce: clientNonce });
  const { nonce: serverNonce } =
    ('result' in challenged && hostChallenge.parseResult(challenged.result)) || assert.fail(JSON.stringify(challenged));
  const proof = key.prove({ clientNonce, serverNonce, server: { address: host, port } });
  await client.request(hostProve.name, { key: key.publicKey, proof, labels: {} }, () => heard.push('accepted'));
  await until(() => enough(heard), 'it has heard enough');
  client.destroy();
  return heard;
}

for (const host of LOOPBACKS) {
  test(`a hundred runs that were to end while their machine was away do when it is back: ${host}`, LIMIT, async (t) => {
    await using server = await startServer();
    await using owner = await asOwner(server, host);
    const { code } = await owner.invite('web1', { kind: 'host' });
    const key = ensureMachineKey(join(aDirectory(t), 'key'));
    const runner = new FakeRunner();
    const directory = join(aDirectory(t), 'detached');
    const detached = new DetachedRuns({ runner, directory, onTrouble: assert.fail, atOnceMs: 1 });
    const wanted = { server, host, key, detached };
    const first = aProgram(t, { ...wanted, code: parseJoinCode(code) ?? assert.fail(code) });
    await first.joined(1);
    const detaching = Array.from({ length: 100 }, () => owner.detach({ on: 'web1', command: 'make' }));
    const records = (await Promise.all(detaching)).map(({ record }) => record);
    await first.end();
    await until(async () => (await owner.hosts())[0]?.state === 'offline', 'web1 is away');
    for (const ending of await Promise.all(records.map((id) => owner.endRun(id)))) {
      assert.deepEqual(ending, [{ host: 'web1', state: 'away' }]);
    }
    const heard = await heardByMachine(wanted, (all) => all.includes('ping'));
    assert.equal(heard[0], 'accepted', 'nothing is asked before');
    assert.ok(heard.length < MAX_OUTSTANDING_REQUESTS, 'no more than it can take');
    for (const run of runner.runs) {
      void run.cancelled.then(() => run.finish({ result: 'cancelled', status: 143 }));
    }
    const second = aProgram(t, wanted);
    await second.joined(1);
    await Promise.all(runner.runs.map(({ cancelled }) => cancelled));
    const results = async () => (await owner.runs({ limit: 100 })).runs.map((run) => run.results[0]?.result);
    await until(async () => !(await results()).includes('running'), 'all have ended');
    assert.deepEqual(await results(), Array(100).fill('cancelled'));
    await second.end();
  });
}

/** Answers every ping, and at its first connection neither the request `silentTo` nor what follows. */
async function aSilentServer(t: TestContext, host: string, silentTo: string) {
  const silent = Promise.withResolvers<void>();
  let connections = 0;
  const server = await listenByTls(t, host, (socket) => {
    const isFirst = ++connections === 1;
    const link = new NativeLink('server', { serverName: 'Server' });
    const pump = new Pump(socket, link, {
      onEvent(event) {
        if (event.type !== 'request') return undefined;
        if (isFirst && event.method === silentTo) return silent.resolve();
        const results: Record<string, object> = {
          [METHODS.hostChallenge]: { nonce: 'n'.repeat(43) },
          [METHODS.hostProve]: { name: 'web1' },
        };
        return link.connection.respond(event.id, results[event.method] ?? {});
      },
      onDrain() {},
      onClosed() {},
    });
    pump.start();
  });
  return { server, silent: silent.promise };
}

for (const host of LOOPBACKS) {
  for (const silentTo of [METHODS.hostChallenge, METHODS.hostProve]) {
    test(`a server that never answers ${silentTo} is left, and tried again: ${host}`, LIMIT, async (t) => {
      const { server, silent } = await aSilentServer(t, host, silentTo);
      const program = aProgram(t, { server, host, key: ensureMachineKey(join(aDirectory(t), 'key')) });
      await silent;
      // By TLS the greeting may come in later than the request has gone out.
      await until(() => program.world.delays.length > 0, 'it waits for the answer');
      assert.deepEqual(program.world.delays, [ANSWER_TIMEOUT_MS]);
      program.world.pass(ANSWER_TIMEOUT_MS);
      assert.deepEqual(await program.lost(1), [DELAYS[0]]);
      const why = 'The server has not accepted the machine: it did not answer within 10 s';
      assert.deepEqual(program.reasons, [why]);
      program.world.pass(DELAYS[0] ?? 0);
      await program.joined(1);
      await program.end();
    });
  }
}
