// `partyline echo TARGET --from MACHINES`, by the programs themselves over both families.

import assert from 'node:assert/strict';
import { chmodSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { aDirectory, newDirectory, removeDirectory } from '../kit/directory.ts';
import { aMachine, codeFor, joining } from '../kit/machine.ts';
import { someMachines } from '../kit/machines.ts';
import { needs } from '../kit/needs.ts';
import { writeHostPolicy, writePolicy } from '../kit/policy.ts';
import { outcomeOf, PARTYLINE, partyline, type Outcome } from '../kit/program.ts';
import { at, LOOPBACKS, startServer, type TestServer } from '../kit/server.ts';
import { loggedIn, refused, someone } from '../kit/someone.ts';
import { aTmux } from '../kit/tmux.ts';

interface There {
  readonly server: TestServer;
  readonly host: string;
}

/** Few echoes and no pauses. */
const QUICK = ['--count', '3', '--interval', '0'];

function echoFrom({ server, host }: There, target: string, from: string, ...args: readonly string[]): Promise<Outcome> {
  const words = ['echo', target, '--from', from, '--host', at(host, server.port), ...QUICK, ...args];
  return outcomeOf(partyline(words, { env: { ...server.env } }));
}

type Told = Readonly<Record<string, unknown>>;

function objectsOf({ stdout }: Outcome): Map<string, Told> {
  const lines = stdout.split('\n').filter((line) => line !== '');
  return new Map(lines.map((line): Told => JSON.parse(line)).map((told) => [String(told['from']), told]));
}

/** Times of a machine say nothing here. */
const withoutNumbers = (text: string): string => text.replaceAll(/\d+\.\d{3}/g, 'N').replaceAll(/ +/g, ' ');

/** A machine of its own on which `partyline` is another program. */
async function aLiar(name: string, { server, host }: There, script: string): Promise<AsyncDisposable> {
  const directory = newDirectory();
  const path = join(directory, 'partyline');
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  const code = await codeFor(name, server, host);
  const env = { PATH: `${directory}:${process.env['PATH']}` };
  const program = joining(directory, [at(host, server.port), '--code', code], env);
  await program.stdout.until('ready\n');
  return {
    async [Symbol.asyncDispose]() {
      await program[Symbol.asyncDispose]();
      await removeDirectory(directory);
    },
  };
}

for (const host of LOOPBACKS) {
  const family = host.includes(':') ? 'ipv6' : 'ipv4';
  const other = family === 'ipv4' ? 'ipv6' : 'ipv4';

  test(`what a machine finds is a row, what all find the status: ${host}`, async () => {
    await using server = await startServer();
    const there = { server, host };
    await using _machines = await someMachines(['web1', 'web2'], server, host);
    const target = at(host, server.port);
    const table = await echoFrom(there, target, 'web[1-2]');
    assert.equal(table.status, 0, table.stderr);
    const version = host.includes(':') ? 'IPv6' : 'IPv4';
    assert.deepEqual(withoutNumbers(table.stdout).trimEnd().split('\n'), [
      `Probing ${host} port ${server.port} from 2 machines`,
      `From ${version} p50`,
      'web1 N ms',
      'web2 N ms',
      `Verdict ${host} works over ${version} from both`,
    ]);
    assert.equal(table.stderr, 'partyline echo: 2 machines: web[1-2]\n');

    const json = await echoFrom(there, target, 'of=many', '--json');
    const told = objectsOf(json);
    assert.deepEqual([json.status, json.stderr, [...told.keys()].toSorted()], [0, '', ['web1', 'web2']]);
    for (const one of told.values()) {
      assert.deepEqual(
        [one['host'], one[other], one['winner'], one['result'], one['status']],
        [host, null, family, 'exited', 0],
      );
      const { rtt } = JSON.parse(JSON.stringify(one[family]));
      assert.deepEqual([rtt.count, rtt.lost, typeof rtt.p50], [3, 0, 'number']);
      assert.equal(typeof one['verdict'], 'string');
    }

    const closed = await echoFrom(there, at(host, 1), 'web1');
    assert.equal(closed.status, 3);
    assert.match(closed.stdout, /^web1 +refused$/m);
    assert.match(closed.stdout, new RegExp(`^Verdict +${host} works over ${version} not from web1$`, 'm'));

    // It is on record as what it is.
    const [run] = await someone(server.directory, target).json('runs', '--limit', '3');
    assert.match(JSON.stringify(run), /partyline.*--measure.*count=3,interval=0,size=64,name=Client/);
  });

  test(`machines that are away, that may not, or say something else have a word in their row: ${host}`, async (t) => {
    await using server = await startServer();
    const there = { server, host };
    const gone = await aMachine('gone', server, host);
    const careful = aDirectory(t);
    writeHostPolicy(careful, 'allow = ["uptime"]\n');
    const allowing = aDirectory(t);
    writeHostPolicy(allowing, 'allow = ["partyline echo --measure * *"]\n');
    const joined = async (name: string, directory: string) => {
      const program = joining(directory, [at(host, server.port), '--code', await codeFor(name, server, host)]);
      await program.stdout.until('ready\n');
      return program;
    };
    await using _careful = await joined('careful', careful);
    await using _allowing = await joined('allowing', allowing);
    await using _liar = await aLiar('liar', there, String.raw`printf '\033]0;owned\007Welcome\n'`);
    await using _endless = await aLiar('endless', there, 'exec yes');
    await using _old = await aLiar('old', there, 'echo "unknown option --measure" >&2; exit 64');
    await using _forger = await aLiar(
      'forger',
      there,
      `echo '{"from":"web1","host":"x","ipv4":null,"ipv6":null,"winner":null,"verdict":"\\u001b[2Jno","status":0}'`,
    );
    await gone[Symbol.asyncDispose]();
    const target = at(host, server.port);
    const all = ['all', '--yes'] as const;
    const { status, stdout } = await echoFrom(there, target, ...all);
    assert.equal(status, 255);
    // oxlint-disable-next-line no-control-regex -- these are what must not be there
    assert.ok(!/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/.test(stdout), stdout);
    const rows = withoutNumbers(stdout);
    assert.match(rows, /^allowing N ms$/m);
    assert.match(rows, /^careful denied$/m);
    assert.match(rows, /^gone offline$/m);
    assert.match(rows, /^endless,liar no probe$/m);
    assert.match(rows, /^old another version$/m);
    assert.match(rows, /^forger does not work$/m);
    assert.match(rows, /careful: .*the machine's own policy does not allow it; nothing was started there$/m);
    assert.match(rows, /endless: it says more than a probe does; the like: liar$/m);
    assert.match(rows, /old: the partyline there does not know this question: unknown option --measure$/m);
    const told = objectsOf(await echoFrom(there, target, ...all, '--json'));
    const results = [...told].map(([name, one]) => `${name} ${String(one['result'])} ${String(one['status'])}`);
    assert.deepEqual(results.toSorted(), [
      'allowing exited 0',
      'careful denied null',
      'endless signalled 141',
      'forger exited 0',
      'gone offline null',
      'liar exited 0',
      'old exited 64',
    ]);
    for (const name of ['careful', 'gone', 'liar', 'old']) {
      const one = told.get(name) ?? {};
      assert.deepEqual([one['host'], one['ipv4'], one['ipv6'], one['winner']], [host, null, null, null], name);
      assert.match(String(one['verdict']), new RegExp(`^nothing was measured from ${name}: `));
    }
  });

  test(`who may ask is what the policy of the server says, and a wrong word starts nothing: ${host}`, async (t) => {
    await using server = await startServer();
    const there = { server, host };
    await using _machines = await someMachines(['web1', 'web2'], server, host);
    const target = at(host, server.port);
    const owner = someone(server.directory, target);
    const janaki = await loggedIn('janaki', { owner, state: aDirectory(t), target });
    const asked = ['echo', target, '--from', 'web1', ...QUICK];
    refused(await janaki.run(asked), /the policy of the server does not allow it; nothing was started/, 255);
    refused(await echoFrom(there, target, 'web1,web3'), /no machine named "web3" has joined; nothing was started/, 255);
    refused(await owner.run(['echo', '--from', 'web1', '--', '--watch']), /"--watch" as an address/, 64);
    const unsure = await echoFrom(there, target, 'all');
    assert.equal(unsure.status, 255);
    assert.match(unsure.stderr, /2 machines were not confirmed/);
    assert.deepEqual(
      await owner.json('runs').then((runs) => runs.filter(({ results }) => JSON.stringify(results).includes('exited'))),
      [],
    );

    writePolicy(server.directory, '[[allow]]\nwho = ["janaki"]\non = "web1"\nrun = ["partyline echo --measure * *"]\n');
    server.program.kill('SIGHUP');
    await server.program.stdout.until(/policy in force/);
    const { status, stdout, stderr } = await janaki.run(asked);
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^web1 /m);
    refused(await janaki.run(['echo', target, '--from', 'web2', ...QUICK]), /does not allow it/, 255);
    refused(
      await janaki.run(['run', '--on', 'web1', '--', 'partyline', 'echo', target, '--raw']),
      /does not allow it/,
      255,
    );
  });

  test(`interrupted, it ends there too, and what has come is shown: ${host}`, async () => {
    await using server = await startServer();
    const there = { server, host };
    await using _web1 = await aMachine('web1', server, host);
    await using _slow = await aLiar('slow', there, 'echo here >&2; exec sleep 1000');
    const words = [
      'echo',
      at(host, server.port),
      '--from',
      'slow,web1',
      '--host',
      at(host, server.port),
      ...QUICK,
      '--json',
    ];
    await using program = partyline(words, { env: { ...server.env } });
    await program.stdout.until(/"from":"web1"/);
    program.kill('SIGINT');
    const { status, stdout, stderr } = await outcomeOf(program);
    assert.equal(status, 130);
    assert.equal(objectsOf({ status, stdout, stderr }).get('slow')?.['result'], 'cancelled');
    const late = await echoFrom(there, at(host, server.port), 'slow', '--timeout', '1');
    assert.equal(late.status, 255);
    assert.match(late.stdout, /^slow +too slow$/m);
  });

  test(`a key that nobody there knows is not remembered there, and one that is known is held to: ${host}`, async (t) => {
    await using server = await startServer();
    const there = { server, host };
    await using _web1 = await aMachine('web1', server, host);
    const target = `tls://${at(host, server.port)}`;
    const { status, stdout, stderr } = await echoFrom(there, target, 'web1');
    assert.deepEqual([status, stderr], [0, 'partyline echo: 1 machine: web1\n'], stdout);
    const measure = ['echo', '--measure', 'count=1', target];
    const nowhere = await outcomeOf(partyline(measure, { env: { PARTYLINE_DATA: '/dev/null/nowhere' } }));
    assert.deepEqual([nowhere.status, nowhere.stderr], [0, '']);
    const directory = aDirectory(t);
    const here = { env: { PARTYLINE_DATA: directory } };
    assert.equal((await outcomeOf(partyline(measure, here))).status, 0);
    assert.deepEqual(readdirSync(directory), []);
    const key = `${at(host, server.port)} sha256//${'A'.repeat(43)}=\n`;
    writeFileSync(join(directory, 'known-servers'), key, { mode: 0o600 });
    const other = await outcomeOf(partyline(measure, here));
    assert.equal(other.status, 3);
    assert.match(other.stdout, /"code":"tls-failed"/);
  });
}

test('on a terminal rows come as the machines answer', async (t) => {
  if (!needs(t, ['tmux'])) return;
  await using server = await startServer();
  const there = { server, host: '::1' };
  await using _web1 = await aMachine('web1', server, '::1');
  const directory = aDirectory(t);
  const fifo = join(directory, 'go');
  await using _slow = await aLiar('slow', there, `mkfifo ${fifo}; cat ${fifo}`);
  const target = at('::1', server.port);
  const line = `${PARTYLINE} echo ${target} --from slow,web1 --host ${target} --count 3; echo status $?; cat`;
  await using tmux = await aTmux(line, { ...server.env, LANG: 'C.UTF-8' });
  const waiting = await tmux.shows(/web1 +\d/);
  assert.match(waiting, /^slow +…$/m);
  writeFileSync(fifo, 'nonsense');
  const over = await tmux.shows(/status 255/);
  assert.match(over, /^slow +no probe$/m);
  assert.equal(over.match(/^Probing/gm)?.length, 1, over);
});
