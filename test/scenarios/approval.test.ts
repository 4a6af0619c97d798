// A second person, with the programs themselves over both families: somebody asks by running a command, somebody else
// approves it on the command line or at `nc`.

import assert from 'node:assert/strict';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect, RefusedError, type AskedApproval } from '../../src/client/mod.ts';
import { Caller } from '../kit/caller.ts';
import { aDirectory, type Cleanup } from '../kit/directory.ts';
import { aMachine } from '../kit/machine.ts';
import { needs } from '../kit/needs.ts';
import { writePolicy } from '../kit/policy.ts';
import { outcomeOf, partyline, PARTYLINE, start } from '../kit/program.ts';
import { at, LOOPBACKS, startServer, type TestServer } from '../kit/server.ts';
import { loggedIn, refused, someone } from '../kit/someone.ts';

const POLICY = `
[groups]
leads = ["eve"]

[[allow]]
who = ["janaki"]
on = "web[1-2]"
run = ["uptime"]

[[allow]]
who = ["janaki", "eve"]
on = "web[1-2]"
run = ["echo *", "sh -c *", "cat"]
cwd = ["/tmp"]
tty = true
approve = ["#leads", "role:operator"]
`;

/** Somebody with an account, and what it runs under way. */
async function member(name: string, t: Cleanup, server: TestServer, host: string) {
  const target = at(host, server.port);
  const state = aDirectory(t);
  const one = await loggedIn(name, { owner: someone(server.directory, target), state, target });
  const env = { PARTYLINE_DATA: state, PARTYLINE_HOST: target, PARTYLINE_TOKEN_FILE: '' };
  return { ...one, env, start: (...args: string[]) => partyline(args, { env }) };
}

interface Scene extends AsyncDisposable {
  readonly server: TestServer;
  readonly janaki: Awaited<ReturnType<typeof member>>;
  readonly eve: Awaited<ReturnType<typeof member>>;
}

/** A server with the policy, machines that have joined, somebody who asks, and somebody who approves. */
async function aScene(t: Cleanup, host: string, machines: readonly string[]): Promise<Scene> {
  const directory = aDirectory(t);
  writePolicy(directory, POLICY);
  const stack = new AsyncDisposableStack();
  try {
    const server = stack.use(await startServer({ directory }));
    for (const name of machines) stack.use(await aMachine(name, server, host));
    const [janaki, eve] = [await member('janaki', t, server, host), await member('eve', t, server, host)];
    return { server, janaki, eve, [Symbol.asyncDispose]: () => stack.disposeAsync() };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

const WAITING =
  /^partyline run: waiting for approval by owner, eve, until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d: request (\d+), sha256 ([0-9a-f]{64})$/m;

function requestIn(text: string): { id: string; hash: string } {
  const [, id = '', hash = ''] = WAITING.exec(text) ?? assert.fail(text);
  return { id, hash };
}

for (const host of LOOPBACKS) {
  test(`a command waits for somebody else, who sees all of it and approves that: ${host}`, async (t) => {
    await using there = await aScene(t, host, ['web1']);
    const { server, janaki, eve } = there;
    const bob = await member('bob', t, server, host);
    // What needs nobody waits for nobody.
    assert.equal((await janaki.run(['run', '--on', 'web1', '--', 'uptime'])).status, 0);
    await using running = janaki.start('run', '--on', 'web1', '--timeout', '60', '--', 'echo', 'a; id');
    const { id, hash } = requestIn(await running.stderr.until(WAITING));
    const [listed, ...more] = await eve.json('approvals');
    assert.deepEqual(more, []);
    assert.deepEqual([listed?.['approval'], listed?.['hash'], listed?.['own']], [Number(id), hash, false]);
    const [history] = await eve.json('history', '--with', 'janaki');
    const what = `asks to run the program echo 'a; id' on web1 (`;
    assert.ok(String(history?.['text']).startsWith(what), String(history?.['text']));
    assert.match(
      String(history?.['text']),
      new RegExp(`partyline approve ${id}, or here: approve ${id} ${hash.slice(0, 12)}; .*${hash}$`),
    );
    refused(await bob.run(['approve', id]), /Cannot show the request: the policy of the server does not name you/);
    refused(
      await janaki.run(['approve', id, '--yes', hash]),
      /Cannot approve: request \d+ is your own, and somebody else/,
    );
    refused(await eve.run(['approve', id]), new RegExp(`Nobody is here to look at it: --yes ${hash} approves`));
    refused(
      await eve.run(['approve', id, '--yes', '00000000']),
      new RegExp(`The request has the digest ${hash}; request`),
    );
    refused(await eve.run(['approve', id, '--yes', hash.slice(0, 7)]), /--yes takes at least 8 digits/, 64);
    refused(await eve.run(['approve', '99']), /Cannot show the request: there is no request 99/);
    assert.deepEqual(await eve.json('approve', id, '--yes', hash.slice(0, 16)), [
      { approval: Number(id), hash, approved: true },
    ]);
    assert.deepEqual([await running.ended, running.stdout.text], [0, 'a; id\n'], running.stderr.text);
    assert.match(running.stderr.text, /^partyline run: approved by eve$/m);
    await server.program.stdout.until(`Given command echo 'a; id' (janaki from ${host} on web1, approved by eve)`);
    refused(await eve.run(['approve', id, '--yes', hash]), /request \d+ was approved by eve, and is over/);
    const [record] = (await janaki.json('runs', '--limit', '1')).map((run) => [run['approvedBy'], run['approval']]);
    assert.deepEqual(record, ['eve', hash]);
    const [uptime] = await janaki.json('runs', '--limit', '1', '--before', '2');
    assert.equal(uptime?.['approvedBy'], undefined);
  });

  test(`on a terminal the whole request is shown, and typing yes approves it: ${host}`, async (t) => {
    if (!needs(t, ['script'])) return;
    await using there = await aScene(t, host, ['web1']);
    const { janaki, eve } = there;
    for (const [typed, status] of [
      ['no', 1],
      ['yes', 0],
    ] as const) {
      await using running = janaki.start('run', '--on', 'web1', '--', 'echo', '\u202e\u001b[2J');
      const { id, hash } = requestIn(await running.stderr.until(WAITING));
      await using terminal = start('script', ['-qec', `'${PARTYLINE}' approve ${id}`, '/dev/null'], { env: eve.env });
      const shown = await terminal.stdout.until('Type yes to approve: ');
      assert.match(shown, /^by +janaki\r\non +web1\r\nprogram +\["echo","\\u202e\\u001b\[2J"\]\r\n/m);
      assert.match(shown, new RegExp(`^sha256 +${hash}\r\n`, 'm'));
      terminal.stdin.write(`${typed}\n`);
      assert.equal(await terminal.ended, status, terminal.stdout.text);
      if (typed === 'yes') assert.equal(await running.ended, 0);
    }
  });

  test(`a terminal is approved as one, with where it starts, and takes what is typed: ${host}`, async (t) => {
    if (!needs(t, ['script'])) return;
    await using there = await aScene(t, host, ['web1']);
    const { janaki, eve } = there;
    const command = `'${PARTYLINE}' run -t --on web1 --cwd /tmp -- sh -c 'pwd; cat'`;
    await using running = start('script', ['-qec', command, '/dev/null'], { env: janaki.env });
    const heard = await running.stdout.until(/request (\d+), sha256 ([0-9a-f]{64})/);
    const [, id = '', hash = ''] = /request (\d+), sha256 ([0-9a-f]{64})/.exec(heard) ?? assert.fail(heard);
    const [listed] = await eve.json('approvals');
    assert.match(
      String(listed?.['request']),
      /^the program sh -c 'pwd; cat' on web1 \(.*cwd: "\/tmp", terminal: \{"columns":/,
    );
    assert.equal((await eve.run(['approve', id, '--yes', hash])).status, 0);
    await running.stdout.until(/^\/tmp\r+\n/m);
    running.stdin.write('typed\n');
    await running.stdout.until(/typed\r+\ntyped\r+\n/);
    running.stdin.write('\x04');
    assert.equal(await running.ended, 0);
  });

  test(`who asks takes it back with Ctrl-C, is denied, or finds the server gone, and nothing starts: ${host}`, async (t) => {
    await using there = await aScene(t, host, ['web1']);
    const { server, janaki, eve } = there;
    const run = (...args: string[]) => janaki.start('run', '--on', 'web1', ...args, '--', 'echo', 'hi');
    for (const away of [['--detach'], ['--wait', '5']]) {
      const asked = /somebody else has to approve it; .*; without --detach and --wait it is asked for\n$/;
      refused(await outcomeOf(run(...away)), asked, 255);
    }
    await using first = run();
    const { id, hash } = requestIn(await first.stderr.until(WAITING));
    first.kill('SIGINT');
    assert.deepEqual([await first.ended, first.stdout.text], [130, '']);
    await first.stderr.until(`partyline run: request ${id} is taken back; nothing was started\n`);
    await server.program.stdout.until(`Approval ${id} withdrawn: the program echo hi on web1`);
    refused(
      await eve.run(['approve', id, '--yes', hash]),
      /Cannot show the request: request \d+ was taken back by whoever/,
    );
    await using second = run('--json');
    const asked: unknown = JSON.parse(await second.stderr.until(/^\{.*\}\n/m));
    assert.ok(typeof asked === 'object' && asked !== null && 'approval' in asked && 'told' in asked);
    assert.deepEqual(asked.told, ['owner', 'eve']);
    assert.deepEqual(await eve.json('deny', String(asked.approval)), [{ approval: asked.approval, approved: false }]);
    assert.equal(await second.ended, 255);
    const reason = 'Cannot run the command: it was denied by eve; nothing was started';
    assert.equal(second.stdout.text, `${JSON.stringify({ host: 'web1', result: 'denied', status: null, reason })}\n`);
    await server.program.stdout.until(`Approval ${String(asked.approval)} denied by eve`);
    const reasons = [
      `request ${id} was taken back by whoever asked`,
      `request ${String(asked.approval)} was denied by eve`,
    ];
    const onRecord = await janaki.json('runs');
    assert.equal(onRecord.length, reasons.length);
    for (const [at, { id: record, by, hosts, decided }] of onRecord.entries()) {
      assert.equal(decided, ['withdrawn', 'denied'][at]);
      assert.deepEqual([by, hosts], ['janaki', ['web1']]);
      const shown = await janaki.run(['runs', 'show', String(record)]);
      const how = at === 0 ? 'taken back' : 'denied';
      assert.match(shown.stdout, new RegExp(`^asked .*, ${how} .*\n[^]*^web1 ${how}: ${reasons[at]}$`, 'm'));
    }
    await using own = run();
    const { id: mine } = requestIn(await own.stderr.until(WAITING));
    assert.equal((await janaki.run(['deny', mine])).stdout, `Request ${mine} is taken back\n`);
    assert.equal(await own.ended, 255);
    await using third = run();
    const left = requestIn(await third.stderr.until(WAITING));
    server.program.kill('SIGTERM');
    assert.equal(await third.ended, 255);
    assert.equal(third.stdout.text, '');
    assert.equal(await server.program.ended, 0);
    await using again = await startServer({ directory: server.directory, port: server.port });
    refused(
      await eve.run(['approve', left.id, '--yes', left.hash]),
      /there is no request \d+; requests end with the con/,
    );
    await using fourth = run();
    const next = requestIn(await fourth.stderr.until(WAITING));
    refused(await eve.run(['deny', id]), /there is no request \d+/);
    refused(await eve.run(['deny', left.id]), /there is no request \d+/);
    assert.deepEqual(
      (await eve.json('approvals')).map(({ approval }) => String(approval)),
      [next.id],
    );
    assert.ok(!/Given command echo/.test(server.program.stdout.text + again.program.stdout.text));
  });

  test(`on several machines one approval is for all of them, once each: ${host}`, async (t) => {
    await using there = await aScene(t, host, ['web1', 'web2']);
    const { server, janaki, eve } = there;
    const dry = await janaki.run(['run', '--on', 'web1', '--dry-run', '--', 'echo', 'hi']);
    assert.deepEqual([dry.status, dry.stdout], [0, 'web1\n']);
    assert.match(dry.stderr, /1 machine: web1; somebody else would have to approve it; nothing was started/);
    await using wide = janaki.start('run', '--on', 'web[1-2]', '--batch', '1', '--no-fold', '--', 'echo', 'hi');
    const { id, hash } = requestIn(await wide.stderr.until(WAITING));
    assert.equal((await eve.run(['approve', id, '--yes', hash])).status, 0);
    assert.deepEqual([await wide.ended, wide.stdout.text], [0, 'web1: hi\nweb2: hi\n'], wide.stderr.text);
    await using input = janaki.start('run', '--on', 'web[1-2]', '--stdin', '--', 'cat');
    assert.equal(await input.ended, 255);
    assert.match(input.stderr.text, /--stdin: what somebody approves gets no input; nothing was started/);
    // What it cannot write it finds before anybody is asked.
    const out = aDirectory(t);
    symlinkSync('elsewhere', join(out, 'web2.stdout'));
    await using linked = janaki.start('run', '--on', 'web[1-2]', '--out', out, '--', 'echo', 'hi');
    const first = await linked.stderr.until(/^partyline run: (?:waiting for|Cannot write) .*$/m);
    assert.match(first, /Cannot write ".*web2\.stdout": it is a symbolic link; nothing was started$/m);
    assert.equal(await linked.ended, 255);
    assert.deepEqual(await eve.json('approvals'), []);
    // Of one machine too: what is typed was approved by nobody.
    await using cat = janaki.start('run', '--on', 'web1', '--', 'cat');
    cat.stdin.write('not approved\n');
    const other = requestIn(await cat.stderr.until(WAITING));
    assert.equal((await eve.run(['approve', other.id, '--yes', other.hash])).status, 0);
    assert.deepEqual([await cat.ended, cat.stdout.text], [0, '']);
    // From nc as well, with somebody at nc to approve it.
    const keyOf = async (one: typeof janaki) => String((await one.json('token', 'new', 'nc'))[0]?.['token']);
    await using asker = await Caller.named(`login ${await keyOf(janaki)}`, host, server.port);
    await using approver = await Caller.named(`login ${await keyOf(eve)}`, host, server.port);
    asker.type('run web[1-2] : echo typed');
    await asker.until(/^Waiting for approval by eve, owner until /m);
    const text = await approver.until(
      /^janaki \(multicasted\) : asks to run the program echo typed on web\[1-2\] .*\n/m,
    );
    const [, typed = ''] = /echo typed on .*, or here: (approve \d+ [0-9a-f]{12});/.exec(text) ?? assert.fail(text);
    approver.type(typed);
    await approver.until(/^Approved \d+ /m);
    let heard = '';
    for (let ended = 0; ended < 2; ended++) heard += await asker.until(/exited 0\n/);
    assert.match(heard, /^web1\| typed$/m);
    assert.match(heard, /^web2\| typed$/m);
  });

  test(`a program asks once for many machines, and runs on all that were approved: ${host}`, async (t) => {
    await using there = await aScene(t, host, ['web1', 'web2']);
    const { server, eve } = there;
    const token = await janakisToken(there);
    await using client = await connect({ host: at(host, server.port), credential: { token } });
    const command = { on: 'web[1-2]', argv: ['echo', 'hello'] } as const;
    await assert.rejects(client.runMany(command).next(), { code: 'needs-approval' });
    const onApproval = () => assert.fail('nobody is asked for a command with input');
    await assert.rejects(client.runMany({ ...command, stdin: 'x', onApproval }).next(), { code: 'needs-approval' });
    for (const verdict of ['denied', 'approved'] as const) {
      const { promise: asked, resolve } = Promise.withResolvers<AskedApproval>();
      const results = Array.fromAsync(client.runMany({ ...command, onApproval: resolve }));
      const failed = results.catch((error: unknown) => error);
      const { approval, hash, hosts } = await asked;
      assert.deepEqual(hosts, ['web1', 'web2']);
      await eve.json('approve', `${approval}`, ...(verdict === 'denied' ? ['--deny'] : ['--yes', hash]));
      if (verdict === 'denied') {
        const error = await failed;
        assert.ok(error instanceof RefusedError, String(error));
        const why = 'Cannot run the command: it was denied by eve; nothing was started';
        assert.deepEqual([error.code, error.message], ['not-approved', why]);
        continue;
      }
      const all = (await results).map(({ host: name, status, stdout }) => [name, [status, stdout]] as const);
      assert.deepEqual(new Map(all), new Map(hosts.map((name) => [name, [0, 'hello\n']])));
    }
    const { signal, ...stop } = stoppable();
    const waiting = client.runMany({ ...command, signal, onApproval: stop.abort });
    await assert.rejects(waiting.next(), { name: 'AbortError' });
    assert.deepEqual(await client.approvals(), []);
  });
}

/** Of the same account, for a program of its own. */
async function janakisToken({ janaki }: Scene): Promise<string> {
  const [made] = await janaki.json('token', 'new', 'program');
  return String(made?.['token']);
}

function stoppable() {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}
