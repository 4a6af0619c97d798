// Programs that run commands with the library, against the real server and machines: over TCP, TLS and WebSockets.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { connect, trustKey, UnreachableError, type Client, type Piece } from '../../src/client/mod.ts';
import { INITIAL_WINDOW_BYTES } from '../../src/protocol/native/limits.ts';
import { asOwner, newAccount } from '../kit/accounts.ts';
import { aDirectory } from '../kit/directory.ts';
import { aMachine } from '../kit/machine.ts';
import { someMachines } from '../kit/machines.ts';
import { writePolicy } from '../kit/policy.ts';
import { hasProc, isAsleep, isRunning, until, writtenBytes } from '../kit/proc.ts';
import { at, LOOPBACKS, startServer, type TestServer } from '../kit/server.ts';

const WAYS = ['tcp', 'tls', 'ws'] as const;
const POLICY = '[[allow]]\nwho = ["ops"]\non = "all"\nshell = true\n';
const LIMIT = { timeout: 120_000 };

interface House extends TestServer {
  /** The token of somebody whom the policy lets run everything on machines. */
  readonly ops: string;
}

async function aServer(t: TestContext): Promise<House> {
  const directory = aDirectory(t);
  writePolicy(directory, POLICY);
  const server = await startServer({ directory });
  return { ...server, ops: await newAccount('ops', server) };
}

function asOps(way: (typeof WAYS)[number], { server, host }: { server: House; host: string }): Promise<Client> {
  const fingerprint = () => readFileSync(join(server.directory, 'tls.fingerprint'), 'utf8').trim();
  const trust = way === 'tls' ? { trust: trustKey(fingerprint()) } : {};
  return connect({ host: `${way}://${at(host, server.port)}`, credential: { token: server.ops }, ...trust });
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function whole(output: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const bytes of output) pieces.push(bytes);
  return Buffer.concat(pieces);
}

/** A number that a command says first. */
async function idIn(output: AsyncIterator<Uint8Array, undefined>): Promise<number> {
  return Number(Buffer.from((await output.next()).value ?? []).toString());
}

/** Commands that read its path wait until the test opens it. */
function aGate(t: TestContext): { readonly path: string; open(): Promise<void> } {
  const path = join(aDirectory(t), 'gate');
  execFileSync('mkfifo', [path]);
  return { path, open: () => writeFile(path, 'go\n') };
}

for (const host of LOOPBACKS) {
  for (const way of WAYS) {
    test(`input, outputs and status are the command's, several at once: ${way}, ${host}`, LIMIT, async (t) => {
      await using server = await aServer(t);
      await using _machines = await someMachines(['web1', 'web2'], server, host);
      await using ops = await asOps(way, { server, host });
      // More than three windows, each way and at once.
      const bytes = randomBytes(3 * INITIAL_WINDOW_BYTES + 17);
      const through = ops.run({ on: 'web1', command: 'tee /dev/stderr; exit 3', stdin: true });
      const [stdout, stderr] = [whole(through.stdout), whole(through.stderr)];
      for (let from = 0; from < bytes.length; from += 100_000)
        await through.stdin.write(bytes.subarray(from, from + 100_000));
      const others = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          ops.run({ on: index % 2 === 0 ? 'web1' : 'web2', command: `cat; exit ${index}`, stdin: `${index}` }).text(),
        ),
      );
      assert.deepEqual(
        others.map((other) => [other.stdout, other.status]),
        others.map((_, index) => [`${index}`, index]),
      );
      through.stdin.end();
      assert.deepEqual([sha256(await stdout), sha256(await stderr)], [sha256(bytes), sha256(bytes)]);
      assert.deepEqual(await through.result, { result: 'exited', status: 3 });
      const record = await ops.showRun((await through.record) ?? assert.fail());
      assert.deepEqual([record.hosts, record.results[0]?.status], [['web1'], 3]);
    });

    test(
      `a request that is too long is refused before it is sent, and costs nobody else anything: ${way}, ${host}`,
      LIMIT,
      async (t) => {
        await using server = await aServer(t);
        await using _machines = await someMachines(['web1'], server, host);
        await using ops = await asOps(way, { server, host });
        const other = ops.run({ on: 'web1', command: 'cat', stdin: true });
        const long = 'x'.repeat(INITIAL_WINDOW_BYTES);
        const here = { on: 'web1', argv: ['true'] };
        const refused = { name: 'RefusedError', code: 'bad-params', message: /1048576 are the most; it was not sent/ };
        await assert.rejects(ops.send('owner', long), refused);
        // As JSON, which writes each of these in six.
        await assert.rejects(ops.send('owner', '\u0001'.repeat(200_000)), refused);
        await assert.rejects(ops.search(long), refused);
        await assert.rejects(ops.resolve('all', { argv: ['true', long] }), refused);
        await assert.rejects(ops.runMany({ on: 'all', argv: ['true', long] }).next(), refused);
        await assert.rejects(ops.detach({ on: 'web1', argv: ['true', long] }), refused);
        for (const wish of [{ on: long }, { cwd: long }, { env: { LANG: long } }, { argv: ['true', long] }]) {
          const { result, code } = await ops
            .run({ ...here, ...wish })
            .result.then((end) => ({ code: undefined, ...end }));
          assert.deepEqual([result, code], ['denied', 'bad-params']);
        }
        other.stdin.end();
        assert.deepEqual(await other.result, { result: 'exited', status: 0 });
      },
    );

    test(`runs that JSON has no form for are denied, and take no other's place: ${way}, ${host}`, LIMIT, async (t) => {
      await using server = await aServer(t);
      await using _machines = await someMachines(['web1'], server, host);
      await using ops = await asOps(way, { server, host });
      // As from a program without types. More than there may be starts without an answer.
      const env: Record<string, string> = JSON.parse('{}');
      Object.assign(env, { LANG: 5n });
      const results = await Promise.all(
        Array.from({ length: 20 }, () => ops.run({ on: 'web1', command: 'true', env }).result),
      );
      for (const { result } of results) assert.equal(result, 'denied');
      for await (const { result } of ops.runMany({ on: 'all', command: 'true', env })) assert.equal(result, 'denied');
      assert.equal((await ops.run({ on: 'web1', command: 'echo ok' }).text()).stdout, 'ok\n');
    });

    test(`an output that nobody reads holds the command back, and its end: ${way}, ${host}`, LIMIT, async (t) => {
      if (!hasProc(t)) return;
      await using server = await aServer(t);
      await using _machines = await someMachines(['web1'], server, host);
      await using ops = await asOps(way, { server, host });
      const unread = ops.run({ on: 'web1', command: 'echo $$ >&2; exec cat /dev/zero' });
      const pid = await idIn(unread.stderr);
      let written = 0;
      const isHeld = async () => {
        const before = written;
        // What was under way has come when another run has gone the same way behind it.
        assert.equal((await ops.run({ on: 'web1', command: 'echo here' }).text()).stdout, 'here\n');
        written = writtenBytes(pid);
        return isAsleep(pid) && written === before;
      };
      await until(isHeld, 'the command is held back');
      assert.ok(written >= INITIAL_WINDOW_BYTES, `only ${written} bytes were written`);
      assert.ok(written <= 4 * INITIAL_WINDOW_BYTES, `${written} bytes were written that nobody reads`);
      for (let read = 0; read < 2 * INITIAL_WINDOW_BYTES;) read += (await unread.stdout.next()).value?.length ?? 0;
      await until(() => writtenBytes(pid) > written, 'the command goes on');
      unread.stdout.cancel();
      // 128 and SIGPIPE.
      assert.equal((await unread.result).status, 141);
      assert.equal(isRunning(pid), false);
    });

    test(
      `a run that is cancelled leaves nothing behind, however it is cancelled: ${way}, ${host}`,
      LIMIT,
      async (t) => {
        await using server = await aServer(t);
        await using _machines = await someMachines(['web1'], server, host);
        await using ops = await asOps(way, { server, host });
        const stop = new AbortController();
        const command = 'echo $$; exec sleep 1000';
        const bySignal = ops.run({ on: 'web1', command, signal: stop.signal });
        const byCall = ops.run({ on: 'web1', command });
        const byTime = ops.run({ on: 'web1', command, timeoutMs: 200 });
        const ids = await Promise.all([bySignal, byCall, byTime].map(({ stdout }) => idIn(stdout)));
        stop.abort();
        const results = [await bySignal.result, await byCall.cancel(), await byTime.result];
        assert.deepEqual(
          results.map(({ result }) => result),
          ['cancelled', 'cancelled', 'timeout'],
        );
        assert.deepEqual(ids.map(isRunning), [false, false, false]);
        // One that reads nothing of what a command says can end it all the same.
        const loud = ops.run({ on: 'web1', command: 'yes' });
        await loud.record;
        assert.equal((await loud.cancel()).result, 'cancelled');
      },
    );
  }

  test(`what does not run is a result with its reason, and nothing was started: ${host}`, async (t) => {
    await using server = await aServer(t);
    const gone = await aMachine('web2', server, host);
    await gone[Symbol.asyncDispose]();
    await server.program.stdout.until('web2 connection closed\n');
    await using ops = await asOps('tcp', { server, host });
    const codes = async (options: Parameters<Client['run']>[0]) => {
      const run = ops.run(options);
      const { result, status, ...rest } = await run.result;
      assert.deepEqual(await run.stdout.next(), { done: true, value: undefined });
      return [result, status, 'code' in rest ? rest.code : undefined];
    };
    assert.deepEqual(await codes({ command: 'x' }), ['denied', null, 'not-allowed']);
    assert.deepEqual(await codes({ command: 'x', on: 'nobody' }), ['denied', null, 'unknown-host']);
    assert.deepEqual(await codes({ command: 'x', on: 'web2' }), ['offline', null, 'offline']);
    await using owner = await asOwner(server, host);
    const { status, stderr } = await owner.run({ argv: ['/no/such/program'] }).text();
    assert.equal(status, 127);
    assert.notEqual(stderr, '');
    await assert.rejects(ops.runMany({ on: 'nobody', command: 'x' }).next(), { code: 'unknown-host' });
  });

  test(`a server that is killed loses the run, and the next one waits for the next: ${host}`, LIMIT, async (t) => {
    const directory = aDirectory(t);
    await using first = await startServer({ directory });
    const { port } = first;
    const credential = { ownerTokenFile: join(directory, 'owner.token') };
    const reconnect = { firstDelayMs: 20, maxDelayMs: 100 };
    await using owner = await connect({ host: at(host, port), credential, reconnect });
    const run = owner.run({ command: 'echo so far; exec sleep 1000' });
    await run.record;
    const { value } = await run.stdout.next();
    assert.equal(Buffer.from(value ?? []).toString(), 'so far\n');
    const rest = assert.rejects(run.stdout.next(), UnreachableError);
    first.program.kill('SIGKILL');
    await first.program.ended;
    assert.equal((await run.result).result, 'lost');
    await rest;
    const next = owner.run({ command: 'echo again' }).text();
    await using _second = await startServer({ directory, port });
    assert.deepEqual((await next).stdout, 'again\n');
  });

  test(`on many machines results come as they end, and leaving stops the rest: ${host}`, async (t) => {
    await using server = await startServer();
    const names = ['web1', 'web2', 'web3', 'web4'];
    await using _machines = await someMachines(names, server, host);
    await using owner = await asOwner(server, host);
    const gate = aGate(t);
    // The first of them waits for the test; whoever comes after it comes before it.
    const command = `mkdir ${gate.path}.d 2>/dev/null && cat ${gate.path}; echo done; exit 4`;
    const seen: string[] = [];
    for await (const { host: name, result, status, stdout } of owner.runMany({ on: 'web[1-4]', command, batch: 2 })) {
      seen.push(name);
      assert.deepEqual([result, status, stdout.endsWith('done\n')], ['exited', 4, true]);
      if (seen.length === 3) await gate.open();
    }
    assert.deepEqual([seen.length, new Set(seen).size], [4, 4]);
    const { runs } = await owner.runs({ limit: 1 });
    assert.deepEqual(runs[0]?.hosts, names, 'it is not one run on record');
    const several = await owner.run({ on: 'web*', command: 'x' }).result;
    assert.match(String('reason' in several && several.reason), /on is one machine; .*the library: runMany, or detach/);
    await assert.rejects(owner.detach({ on: 'web*', command: 'x' }), /on is one machine/);
    for await (const { status } of owner.runMany({ on: 'all', command: 'exit 1', batch: 1 })) {
      assert.equal(status, 1);
      break;
    }
    assert.deepEqual((await owner.runs({ limit: 1 })).runs[0]?.hosts, ['web1']);
    const { hosts } = await owner.resolve('all,!web2', { command: 'true' });
    assert.deepEqual(
      hosts.map(({ name }) => name),
      ['web1', 'web3', 'web4'],
    );
  });

  for (const way of WAYS) {
    test(`a detached run is watched from anywhere in it, and given input: ${way}, ${host}`, LIMIT, async (t) => {
      await using server = await aServer(t);
      await using _machine = await aMachine('web1', server, host);
      await using ops = await asOps(way, { server, host });
      const { record, host: where } = await ops.detach({
        on: 'web1',
        command: 'printf one; printf two >&2; cat; exit 6',
        takesInput: true,
      });
      assert.equal(where, 'web1');
      const saidBy = async (output: AsyncIterable<Piece>, length: number) => {
        let said = '';
        for await (const piece of output) {
          said += piece.stream === 'missing' ? '?' : Buffer.from(piece.bytes).toString();
          if (said.length >= length) break;
        }
        return said;
      };
      const first = ops.attach(record);
      assert.equal((await saidBy(first.output, 6)).length, 6);
      assert.equal(first.position, 6);
      assert.equal((await first.result).result, 'lost');
      await using giving = ops.attach(record, { from: 'end', stdin: 'three' });
      assert.equal(await saidBy(giving.output, 100), 'three');
      assert.deepEqual(await giving.result, { result: 'exited', status: 6 });
      assert.equal(await saidBy(ops.attach(record, { from: 6 }).output, 100), 'three');
      assert.equal((await ops.attach(99).result).result, 'denied');
      assert.deepEqual(await ops.endRun(record), [{ host: 'web1', state: 'ended' }]);
    });
  }

  for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
    test(`a detached run is watched on over a server that ends by ${signal}: ${host}`, LIMIT, async (t) => {
      const directory = aDirectory(t);
      await using first = await startServer({ directory });
      const { port } = first;
      await using _machine = await aMachine('web1', first, host);
      const credential = { ownerTokenFile: join(directory, 'owner.token') };
      const reconnect = { firstDelayMs: 20, maxDelayMs: 100 };
      await using owner = await connect({ host: at(host, port), credential, reconnect });
      const gate = aGate(t);
      const { record } = await owner.detach({
        on: 'web1',
        command: `echo before; cat ${gate.path} >/dev/null; echo after`,
      });
      const watch = owner.attach(record);
      const said: string[] = [];
      for await (const piece of watch.output) {
        said.push(piece.stream === 'missing' ? '?' : Buffer.from(piece.bytes).toString());
        if (said.length > 1) continue;
        first.program.kill(signal);
        await first.program.ended;
        t.after((await startServer({ directory, port }))[Symbol.asyncDispose]);
        await until(async () => (await owner.hosts())[0]?.state === 'online', 'web1 is back');
        await gate.open();
      }
      assert.deepEqual(said, ['before\n', 'after\n']);
      assert.deepEqual(await watch.result, { result: 'exited', status: 0 });
    });
  }
}
