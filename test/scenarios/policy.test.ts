// Who may run what where: by the policy of the server, and by that of a machine, with the programs themselves over both
// families.

import assert from 'node:assert/strict';
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { newNonce } from '../../src/net/owner.ts';
import { NativeLink } from '../../src/protocol/native/link.ts';
import { METHODS } from '../../src/protocol/native/methods.ts';
import { Pump } from '../../src/protocol/native/pump.ts';
import type { RpcError } from '../../src/protocol/native/rpc.ts';
import { newAccount } from '../kit/accounts.ts';
import { Caller } from '../kit/caller.ts';
import { aDirectory, type Cleanup } from '../kit/directory.ts';
import { listenByTls } from '../kit/listener.ts';
import { aMachine, joining } from '../kit/machine.ts';
import { writeHostPolicy, writePolicy } from '../kit/policy.ts';
import { outcomeOf, partyline, type Outcome } from '../kit/program.ts';
import { at, LOOPBACKS, startServer, type TestServer } from '../kit/server.ts';
import { loggedIn, refused, someone, type Someone } from '../kit/someone.ts';

const POLICY = `
[groups]
ops = ["janaki"]

[[allow]]
who = ["#ops"]
on = "env=prod"
run = ["echo *", "uptime"]
verbs = ["say"]

[verb.say]
command = ["printf", "%s|", "hello", "{whom}"]
whom = ["world", "moon"]
`;

/** Somebody with an account, whose token `partyline login` keeps. */
function member(name: string, t: Cleanup, { server, host }: There): Promise<Someone> {
  const target = at(host, server.port);
  return loggedIn(name, { owner: someone(server.directory, target), state: aDirectory(t), target });
}

interface There {
  readonly server: TestServer;
  readonly host: string;
}

const LABEL = ['--label', 'env=prod'];

function assertRan({ status, stdout, stderr }: Outcome, said: string): void {
  assert.deepEqual([status, stdout, stderr], [0, said, '']);
}

for (const host of LOOPBACKS) {
  test(`a member runs what the policy lists, where it lists it, and nothing else: ${host}`, async (t) => {
    const directory = aDirectory(t);
    writePolicy(directory, POLICY);
    await using server = await startServer({ directory });
    await using _web1 = await aMachine('web1', server, host, { args: LABEL });
    await using _web2 = await aMachine('web2', server, host);
    const janaki = await member('janaki', t, { server, host });
    const eve = await member('eve', t, { server, host });
    assertRan(await janaki.run(['run', '--on', 'web1', '--', 'echo', 'a; id']), 'a; id\n');
    assertRan(await janaki.run(['run', '--on', 'web1', '--', 'echo hi']), 'hi\n');
    assertRan(await janaki.run(['run', '--on', 'web1', '--', '@say', 'moon']), 'hello|moon|');
    assertRan(await janaki.run(['run', '--on', 'web1', '--', 'printf', '%s|', 'hello', 'moon']), 'hello|moon|');
    await server.program.stdout.until(`Given command echo 'a; id' (janaki from ${host} on web1)`);
    const denied: [who: Someone, args: string[], why: RegExp][] = [
      [janaki, ['--on', 'web1', '--', 'id'], /^partyline run: Cannot run id on "web1" as janaki, a member: the policy/],
      [janaki, ['--on', 'web1', '--', 'echo hi; id'], /Cannot run echo hi; id on "web1" .*; nothing was started$/m],
      [janaki, ['--on', 'web2', '--', 'echo', 'hi'], /Cannot run echo hi on "web2" as janaki/],
      [janaki, ['--on', 'web1,web2', '--', 'echo', 'hi'], /Cannot run echo hi on "web2" as janaki/],
      [janaki, ['--on', 'web1,web2', '--dry-run', '--', 'echo', 'hi'], /Cannot run echo hi on "web2" as janaki/],
      [janaki, ['--', 'uptime'], /Cannot run uptime on "Server" as janaki, a member: only the owner runs commands on/],
      [janaki, ['--on', 'Server', '--', 'uptime'], /on "Server" as janaki, a member: only the owner/],
      [
        janaki,
        ['--on', 'web1', '--', '@say', 'sun'],
        /Cannot run @say: whom is one of world, moon, not "sun"; nothing/,
      ],
      [
        janaki,
        ['--on', 'web1', '--', '@dance'],
        /Cannot run @dance: there is no such verb; this server has @say; noth/,
      ],
      [eve, ['--on', 'web1', '--', 'uptime'], /Cannot run uptime on "web1" as eve, a member: the policy of the server/],
      [eve, ['--on', 'nobody', '--', 'uptime'], /Cannot run uptime on "nobody" as eve, a member: the policy/],
    ];
    for (const [who, args, why] of denied) refused(await who.run(['run', ...args]), why, 255);
    await server.program.stderr.until(
      /command not allowed by="eve" role="member" on="web1" command="uptime" address="/,
    );
    const [ended] = (await janaki.run(['run', '--on', 'web2', '--json', '--', 'uptime'])).stdout.split('\n');
    assert.match(ended ?? '', /^\{"host":"web2","result":"denied","status":null,"reason":"Cannot run uptime on/);
    const wide = await janaki.run(['run', '--on', 'env=prod', '--', 'echo', 'hi']);
    assert.deepEqual([wide.status, wide.stdout], [0, 'web1: hi\n'], wide.stderr);
    // An owner needs no rule, and its verbs are as checked as anybody's.
    const owner = someone(server.directory, at(host, server.port));
    assertRan(await owner.run(['run', '--on', 'web2', '--', 'echo a; echo b']), 'a\nb\n');
    assertRan(await owner.run(['run', '--', '@say', 'world']), 'hello|world|');
    refused(await owner.run(['run', '--', '@say', '$(id)']), /whom is one of world, moon, not/, 255);
  });

  test(`the token of an account is enough for a run, and the lines of nc follow the same rules: ${host}`, async (t) => {
    const directory = aDirectory(t);
    writePolicy(directory, POLICY);
    await using server = await startServer({ directory });
    await using _web1 = await aMachine('web1', server, host, { args: LABEL });
    const token = await newAccount('janaki', server);
    const file = join(aDirectory(t), 'a.token');
    writeFileSync(file, `${token}\n`, { mode: 0o600 });
    const env = { PARTYLINE_DATA: aDirectory(t), PARTYLINE_TOKEN_FILE: file };
    const run = (...args: string[]) => outcomeOf(partyline(['run', at(host, server.port), ...args], { env }));
    assertRan(await run('--on', 'web1', '--', 'echo', 'hi'), 'hi\n');
    refused(await run('--on', 'web1', '--', 'id'), /Cannot run id on "web1" as janaki/, 255);
    chmodSync(file, 0o644);
    refused(await run('--on', 'web1', '--', 'echo', 'hi'), /Cannot use the token in .*: others may read it/, 255);
    await using caller = await Caller.named(`login ${token}`, host, server.port);
    caller.type('run web1 : @say moon');
    assert.match(await caller.until('web1 exited 0\n'), /^web1\| hello\|moon\|$/m);
    caller.type('run web1 : echo hi');
    assert.match(await caller.until('web1 exited 0\n'), /^web1\| hi$/m);
    caller.type('run web1 : echo hi | cat');
    await caller.until(
      /^error: Cannot run echo hi \| cat on "web1" as janaki, a member: the policy .*; nothing was st/m,
    );
    caller.type('run web1 : @say sun');
    await caller.until(/^error: Cannot run @say: whom is one of world, moon, not "sun"; nothing was started\n/m);
    // A guest who shows the token acts for its account.
    await using guest = await Caller.named('Vamshi', host, server.port);
    guest.type('run web1 : echo hi');
    await guest.until(/^error: Cannot run echo hi on "web1" as Vamshi, a guest: guests run nothing; nothing was/m);
    guest.type(`login ${token}\nrun web1 : echo hi`);
    await guest.until('web1 exited 0\n');
  });

  test(`a bad policy stops a start, and after SIGHUP leaves the old one in force: ${host}`, async (t) => {
    const directory = aDirectory(t);
    const path = writePolicy(directory, `${POLICY}\n[[allow]]\nrun = ["id"]\nwho = ["#nobody"]\n`);
    const serve = ['serve', '--listen', 'tcp://localhost:0', '--data', directory];
    const stopped = await outcomeOf(partyline(serve));
    assert.equal(stopped.status, 1);
    const why = `Cannot use the policy ${path}: line 17: #nobody is not in [groups] of this file`;
    assert.equal(stopped.stderr, `partyline serve: ${why}\n`);
    writePolicy(directory, POLICY);
    chmodSync(path, 0o666);
    assert.match(
      (await outcomeOf(partyline(serve))).stderr,
      /Cannot use the policy .*: others may write to it \(mode 06/,
    );
    chmodSync(path, 0o600);
    await using server = await startServer({ directory, args: ['--verbose'] });
    await using _web1 = await aMachine('web1', server, host, { args: LABEL });
    const janaki = await member('janaki', t, { server, host });
    const uptime = () => janaki.run(['run', '--on', 'web1', '--', 'uptime']);
    assert.equal((await uptime()).status, 0);
    writePolicy(directory, 'allow = 7');
    server.program.kill('SIGHUP');
    await server.program.stderr.until(
      /policy not reloaded, the old one stays in force reason=.*line 1: \[\[allow\]\] is/,
    );
    assert.equal((await uptime()).status, 0);
    writePolicy(directory, '');
    server.program.kill('SIGHUP');
    await server.program.stderr.until('policy rules=0');
    await server.program.stdout.until('policy in force: 0 rules, 0 verbs\n');
    refused(await uptime(), /Cannot run uptime on "web1" as janaki/, 255);
  });

  test(`a machine runs only what its own policy lists, whoever asks: ${host}`, async (t) => {
    await using server = await startServer();
    const file = join(aDirectory(t), 'mine.toml');
    const own = 'allow = ["echo *"]\n[verb.say]\ncommand = ["printf", "%s|", "{whom}"]\nwhom = ["moon"]\n';
    writeFileSync(file, own, { mode: 0o600 });
    await using web1 = await aMachine('web1', server, host, { args: ['--policy', file] });
    await using _web2 = await aMachine('web2', server, host);
    const owner = someone(server.directory, at(host, server.port));
    const run = (...args: string[]) => owner.run(['run', ...args]);
    assertRan(await run('--on', 'web1', '--', 'echo', 'a;id'), 'a;id\n');
    assertRan(await run('--on', 'web1', '--', 'echo hi'), 'hi\n');
    assertRan(await run('--on', 'web1', '--', 'printf', '%s|', 'moon'), 'moon|');
    const why = 'the machine.s own policy does not allow it; nothing was started there';
    for (const args of [['id'], ['echo hi; id'], ['echo', 'a', 'b'], ['printf', '%s|', 'sun'], ['echo', '-n']]) {
      refused(
        await run('--on', 'web1', '--', ...args),
        new RegExp(`^partyline run: Cannot run ".*": ${why}$`, 'm'),
        255,
      );
    }
    await web1.program.stderr.until('partyline join: denied: "echo hi; id"\n');
    const [ended, nothing] = (await run('--on', 'web1', '--json', '--', 'id')).stdout.split('\n');
    assert.match(ended ?? '', /^\{"host":"web1","result":"denied","status":null,"reason":"Cannot run/);
    assert.equal(nothing, '');
    const wide = await run('--on', 'web[1-2]', '--', 'id -u | wc -l');
    assert.deepEqual([wide.status, wide.stdout], [255, 'web2: 1\n']);
    assert.match(wide.stderr, /^web1: partyline: Cannot run "id -u \| wc -l": .*\n1 ok: web2\n1 denied: web1$/m);
    await using caller = await Caller.named(`login ${await server.token()}`, host, server.port);
    caller.type('run web1 : id');
    await caller.until(
      /^web1 denied: Cannot run "id": the machine's own policy does not allow it; nothing was started there$/m,
    );
  });

  test(`a machine reads its policy again on SIGHUP, and one that is of no use leaves the old in force: ${host}`, async () => {
    await using server = await startServer();
    await using web1 = await aMachine('web1', server, host);
    const owner = someone(server.directory, at(host, server.port));
    const id = () => owner.run(['run', '--on', 'web1', '--', 'id -u']);
    const { program, directory } = web1;
    assert.equal((await id()).status, 0);
    await using running = partyline(['run', '--on', 'web1', '--', 'echo begun; read x; echo "$x"'], {
      env: { PARTYLINE_DATA: server.directory, PARTYLINE_HOST: at(host, server.port) },
    });
    await running.stdout.until('begun\n');
    const path = writeHostPolicy(directory, 'allow = ["echo *"]\n');
    program.kill('SIGHUP');
    await program.stderr.until('partyline join: policy in force: 1 pattern, 0 verbs\n');
    refused(await id(), /^partyline run: Cannot run "id -u": the machine's own policy does not allow it/, 255);
    const stays = (why: string) =>
      `partyline join: Cannot use the policy ${path}: ${why}; the old one stays in force\n`;
    writeHostPolicy(directory, 'allow = ["id *"]\nshel = true\n');
    program.kill('SIGHUP');
    await program.stderr.until(stays('line 2: shel is not known here: allow, shell, verb, cwd, tty, env are'));
    rmSync(path);
    program.kill('SIGHUP');
    await program.stderr.until(
      stays('it does not exist any more, and only a new start lets the server run everything'),
    );
    refused(await id(), /the machine's own policy does not allow it/, 255);
    writeHostPolicy(directory, 'shell = true\n');
    program.kill('SIGHUP');
    await program.stderr.until('partyline join: policy in force: any line for a shell\n');
    assert.equal((await id()).status, 0);
    running.stdin.end('to the end\n');
    assert.deepEqual([await running.ended, running.stdout.text], [0, 'begun\nto the end\n']);
  });

  test(`a machine with a bad policy, or without one that was named, joins nowhere: ${host}`, async (t) => {
    await using server = await startServer();
    const directory = aDirectory(t);
    const target = at(host, server.port);
    refused(
      await outcomeOf(joining(directory, [target, '--policy', '/nonexistent/x'])),
      /x: it does not exist; nothing/,
    );
    const path = writeHostPolicy(directory, 'allow = ["echo *"]\nshel = true\n');
    const known = 'line 2: shel is not known here: allow, shell, verb, cwd, tty, env are; nothing was joined';
    const bad = await outcomeOf(joining(directory, [target]));
    refused(bad, /^partyline join: Cannot use the policy /);
    assert.ok(bad.stderr.endsWith(`${path}: ${known}\n`), bad.stderr);
  });

  test(`a server that means no good sets no environment but the harmless one: ${host}`, async (t) => {
    const heard = Promise.withResolvers<Heard>();
    const { port, fingerprint } = await listenByTls(t, host, evil(heard.resolve));
    const directory = aDirectory(t);
    writeFileSync(join(directory, 'known-servers'), `${at(host, port)} ${fingerprint}\n`);
    await using _machine = joining(directory, [at(host, port)]);
    const { refused: no, output: said } = await heard.promise;
    assert.equal(no?.data?.code, 'env-not-allowed');
    assert.deepEqual(no.data.names, ['PATH', ...Object.keys(HOSTILE)]);
    const names = said.split('\n').map((line) => line.split('=')[0]);
    assert.ok(names.includes('LANG') && names.includes('PATH'), names.join(' '));
    assert.ok(!said.includes('PATH=/tmp\n'), said);
    for (const name of Object.keys(HOSTILE)) assert.ok(!names.includes(name), name);
  });
}

const HOSTILE = {
  LD_PRELOAD: '/tmp/x.so',
  LD_LIBRARY_PATH: '/tmp',
  BASH_ENV: '/tmp/x',
  ENV: '/tmp/x',
  NODE_OPTIONS: '--require=/tmp/x',
  PYTHONSTARTUP: '/tmp/x',
  GIT_SSH_COMMAND: 'x',
  IFS: 'x',
};

interface Heard {
  /** Why it did not start what had more in its environment. */
  readonly refused: RpcError | undefined;
  readonly output: string;
}

/** Takes any machine, and has it say what its commands find in their environment. */
const evil =
  (tell: (heard: Heard) => void) =>
  (socket: Socket): void => {
    const link = new NativeLink('server', { serverName: 'Evil' });
    let output = '';
    let refused: RpcError | undefined;
    const pump = new Pump(socket, link, {
      onEvent(event) {
        const { connection } = link;
        if (event.type === 'data') output += Buffer.from(event.bytes).toString();
        if (event.type === 'notification') tell({ refused, output });
        if (event.type === 'refusal') {
          refused = event.error;
          return start({ LANG: 'C.UTF-8' });
        }
        if (event.type !== 'request') return;
        const answers: Record<string, object> = {
          [METHODS.hostChallenge]: { nonce: newNonce() },
          [METHODS.hostProve]: { name: 'web1' },
        };
        connection.respond(event.id, answers[event.method] ?? {});
        if (event.method !== METHODS.hostProve) return;
        start({ LANG: 'C.UTF-8', PATH: '/tmp', ...HOSTILE });
      },
      onDrain() {},
      onClosed() {},
    });
    const start = (env: Readonly<Record<string, string>>) => {
      const { connection } = link;
      const opened = (direction: 'in' | 'out') => {
        const stream = connection.nextStream();
        connection.open(stream, direction);
        return stream;
      };
      const streams = { stdin: opened('out'), stdout: opened('in'), stderr: opened('in') };
      connection.request(METHODS.runStart, { command: { argv: ['/usr/bin/env'] }, env, ...streams });
      connection.end(streams.stdin);
      pump.settle();
    };
    pump.start();
  };
