// `partyline run --on` many machines, by the programs themselves over both families.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { aDirectory } from '../kit/directory.ts';
import { aMachine } from '../kit/machine.ts';
import { someMachines } from '../kit/machines.ts';
import { outcomeOf, PARTYLINE, partyline, ROOT, start, type Outcome } from '../kit/program.ts';
import { at, LOOPBACKS, startServer, type TestServer } from '../kit/server.ts';
import { refused } from '../kit/someone.ts';

interface There {
  readonly server: TestServer;
  readonly host: string;
}

const MANY = 200;

function onMany({ server, host }: There, args: readonly string[]) {
  return partyline(['run', at(host, server.port), ...args], { env: { ...server.env } });
}

async function outcome(there: There, args: readonly string[], input = ''): Promise<Outcome> {
  await using program = onMany(there, args);
  return await outcomeOf(program, input);
}

/** Each machine's lines, however they were folded: how late a machine may be is the unit test's business. */
function unfolded(text: string): string[] {
  return linesOf(text)
    .flatMap((line) => {
      const [, set = '', said = ''] = /^(\S+): (.*)$/.exec(line) ?? [];
      return namesIn(set).map((name) => `${name}: ${said}`);
    })
    .sort();
}

/** `db,web[1-3,5]`, written out. */
function namesIn(set: string): string[] {
  return (set.match(/(?:\[[^\]]*\]|[^,[])+/g) ?? []).flatMap((item) => {
    const [, before = '', ranges] = /^(.*?)\[(.*)\]$/.exec(item) ?? [];
    if (ranges === undefined) return [item];
    return ranges.split(',').flatMap((range) => {
      const [from = 0, to = from] = range.split('-').map(Number);
      return Array.from({ length: to - from + 1 }, (_, index) => `${before}${from + index}`);
    });
  });
}

const linesOf = (text: string): string[] => text.split('\n').filter((line) => line !== '');
/** In no order: who is first is the machines' business. */
const sorted = (text: string): string[] => linesOf(text).sort();

for (const host of LOOPBACKS) {
  test(`every line has its machine, the same ones are folded, and what came of it is said: ${host}`, async () => {
    await using server = await startServer();
    await using _machines = await someMachines(['web1', 'web2', 'web3', 'db'], server, host);
    const there = { server, host };
    const same = await outcome(there, ['--on', 'web[1-3]', '--', 'echo hi; echo oh >&2']);
    assert.deepEqual([same.status, unfolded(same.stdout)], [0, ['web1: hi', 'web2: hi', 'web3: hi']]);
    const [shown = '', ...said] = linesOf(same.stderr);
    assert.deepEqual([shown, said.pop()], ['partyline run: 3 machines: web[1-3]', '3 ok: web[1-3]']);
    assert.deepEqual(unfolded(said.join('\n')), ['web1: oh', 'web2: oh', 'web3: oh']);
    const apart = await outcome(there, ['--on', 'web1,db', '--no-fold', '--', 'echo hi']);
    assert.deepEqual([apart.status, sorted(apart.stdout)], [0, ['db: hi', 'web1: hi']]);
    const pattern = await outcome(there, ['--on', 'd*', '--', 'printf "no end"; exit 7']);
    assert.deepEqual([pattern.status, pattern.stdout], [7, 'db: no end\n']);
    assert.match(pattern.stderr, /^1 exit 7: db$/m);
    const killed = await outcome(there, ['--on', 'of=many,!db', '--', 'kill -9 $$']);
    assert.equal(killed.status, 137);
    assert.match(killed.stderr, /^3 signal 9 \(SIGKILL\): web\[1-3\]$/m);
    const late = await outcome(there, ['--on', 'web1,web2', '--timeout', '0.2', '--', 'sleep 1000']);
    assert.equal(late.status, 124);
    assert.match(late.stderr, /^2 timeout: web\[1-2\]$/m);
    // Which of them fails is told by what they say, one by one.
    const stopped = await outcome(there, [
      '--on',
      'web1,web2',
      '--batch',
      '1',
      '--stop-after',
      '1',
      '--',
      'echo x; exit 1',
    ]);
    assert.deepEqual([stopped.status, stopped.stdout], [255, 'web1: x\n']);
    assert.match(stopped.stderr, /^1 exit 1: web1\n1 not started: web2$/m);
  });

  test(`machines of several --on are all meant, and no other option is given twice: ${host}`, async () => {
    await using server = await startServer();
    await using _machines = await someMachines(['web1', 'web2', 'web3'], server, host);
    const there = { server, host };
    const both = await outcome(there, ['--on', 'web1', '--on=web2', '--', 'echo hi']);
    assert.deepEqual([both.status, unfolded(both.stdout)], [0, ['web1: hi', 'web2: hi']]);
    const less = await outcome(there, ['--on', '!web2', '--on', 'web*', '--no-fold', '--', 'echo hi']);
    assert.deepEqual([less.status, sorted(less.stdout)], [0, ['web1: hi', 'web3: hi']]);
    refused(await outcome(there, ['--on', 'web1', '--on', '', '--', 'echo no']), /--on names no host/, 255);
    const twice = ['--on', 'web1', '--timeout', '1', '--timeout', '2', '--', 'echo no'];
    refused(await outcome(there, twice), /--timeout is given twice, and takes one value\n$/, 255);
  });

  test(`unknown machines start nothing anywhere, and offline ones keep nobody: ${host}`, async () => {
    await using server = await startServer();
    const there = { server, host };
    await using _machines = await someMachines(['web1'], server, host);
    const gone = await aMachine('web2', server, host);
    await gone[Symbol.asyncDispose]();
    await server.program.stdout.until('web2 connection closed\n');
    const offline = await outcome(there, ['--on', 'web[1-2]', '--', 'echo hi']);
    assert.deepEqual([offline.status, offline.stdout], [255, 'web1: hi\n']);
    assert.match(offline.stderr, /^1 ok: web1\n1 offline: web2$/m);
    for (const [targets, why] of [
      ['web1,web9', /no machine named "web9" has joined; nothing was started/],
      ['x*', /"x\*" matches no machine/],
      ['#ops', /no group "#ops"/],
      ['!web1', /only takes away/],
      ['web[3-1]', /ends before it begins/],
    ] as const) {
      refused(await outcome(there, ['--on', targets, '--', 'echo no']), why, 255);
    }
    server.program.kill('SIGTERM');
    assert.equal(await server.program.ended, 0);
    assert.doesNotMatch(server.program.stdout.text, /Given command echo no/);
  });

  test(`all of them, or more than ten, are confirmed by their count: ${host}`, async () => {
    await using server = await startServer();
    const there = { server, host };
    const names = Array.from({ length: 11 }, (_, index) => `web${index + 1}`);
    await using _machines = await someMachines(names, server, host);
    const all = names.map((name) => `${name}: hi`).sort();
    for (const targets of ['all', 'web*']) {
      const command = ['--on', targets, '--', 'echo hi'];
      for (const input of ['', '10\n', 'yes\n']) {
        const denied = await outcome(there, command, input);
        assert.deepEqual([denied.status, denied.stdout], [255, '']);
        assert.match(denied.stderr, /11 machines were not confirmed, .*; nothing was started\n$/);
      }
      assert.deepEqual(unfolded((await outcome(there, command, '11\n')).stdout), all);
      assert.deepEqual(unfolded((await outcome(there, ['--yes', ...command])).stdout), all);
    }
    for (const targets of ['all,!web[2-11]', '*,!web[2-11]', 'web1,**,!web[3-11]', 'web?,!web[2-9]']) {
      const { status, stdout, stderr } = await outcome(there, ['--on', targets, '--no-fold', '--', 'echo hi']);
      if (targets.startsWith('web?')) assert.deepEqual([status, stdout], [0, 'web1: hi\n']);
      else assert.match(stderr, /machines? (?:was|were) not confirmed, .*; nothing was started\n$/, targets);
    }
    const dry = await outcome(there, ['--on', 'all,!web[2-11]', '--dry-run', '--', 'echo hi']);
    assert.deepEqual([dry.status, dry.stdout], [0, 'web1\n']);
    const one = await outcome(there, ['--on', 'web1', '--dry-run', '--', 'echo hi']);
    assert.deepEqual([one.status, one.stdout], [0, 'web1\n']);
    const json = await outcome(there, ['--on', 'web[1-2]', '--dry-run', '--json', '--', 'echo hi']);
    assert.deepEqual(linesOf(json.stdout), ['{"host":"web1","state":"online"}', '{"host":"web2","state":"online"}']);
  });

  test(`JSON has an object a line, files have every byte, and input goes to all of them: ${host}`, async (t) => {
    await using server = await startServer();
    const there = { server, host };
    await using _machines = await someMachines(['web1', 'web2'], server, host);
    const json = await outcome(there, ['--on', 'web[1-2]', '--json', '--', 'echo hi; exit 3']);
    assert.equal(json.status, 3);
    const objects = linesOf(json.stdout).map((line): unknown => JSON.parse(line));
    for (const name of ['web1', 'web2']) {
      assert.deepEqual(
        objects.filter((object) => JSON.stringify(object).includes(`"${name}"`)),
        [
          { host: name, stream: 'stdout', data: 'hi\n' },
          { host: name, result: 'exited', status: 3 },
        ],
      );
    }
    const out = join(aDirectory(t), 'out');
    const files = await outcome(there, [
      '--on',
      'web[1-2]',
      '--out',
      out,
      '--',
      String.raw`printf '\377\000'; echo oh >&2`,
    ]);
    assert.deepEqual([files.status, files.stdout], [0, '']);
    assert.deepEqual(readdirSync(out).sort(), ['web1.stderr', 'web1.stdout', 'web2.stderr', 'web2.stdout']);
    assert.deepEqual([...readFileSync(join(out, 'web2.stdout'))], [0xff, 0]);
    assert.equal(readFileSync(join(out, 'web1.stderr'), 'utf8'), 'oh\n');
    writeFileSync(join(out, 'web3.stdout'), 'of another machine');
    const again = ['--on', 'web[1-2]', '--out', out, '--', 'echo hi'];
    const before = readFileSync(join(out, 'web1.stderr'), 'utf8');
    assert.equal((await outcome(there, ['--dry-run', ...again])).status, 0);
    assert.equal(readFileSync(join(out, 'web1.stderr'), 'utf8'), before);
    assert.equal((await outcome(there, again)).status, 0);
    const now = ['web1.stdout', 'web1.stderr', 'web3.stdout'].map((name) => readFileSync(join(out, name), 'utf8'));
    assert.deepEqual(now, ['hi\n', '', 'of another machine']);
    const single = join(out, 'of', 'one');
    const one = await outcome(there, ['--on', 'web1', '--out', single, '--', 'echo hi; exit 3']);
    assert.deepEqual([one.status, one.stdout, readdirSync(single)], [3, '', ['web1.stdout']]);
    assert.equal(readFileSync(join(single, 'web1.stdout'), 'utf8'), 'hi\n');
    const without = await outcome(there, ['--on', 'web[1-2]', '--', 'wc -c'], 'abc');
    assert.deepEqual(unfolded(without.stdout), ['web1: 0', 'web2: 0']);
    const input = 'x'.repeat(3_000_000);
    const given = await outcome(there, ['--on', 'web[1-2]', '--stdin', '--', 'wc -c'], input);
    assert.deepEqual(unfolded(given.stdout), [`web1: ${input.length}`, `web2: ${input.length}`]);
  });

  test(`a reader that has seen enough ends what writes on, and what cannot be written is said: ${host}`, async (t) => {
    await using server = await startServer();
    const there = { server, host };
    await using _machines = await someMachines(['web1', 'web2'], server, host);
    for (const args of [['--no-fold'], ['--json']]) {
      const child = spawn(PARTYLINE, ['run', at(host, server.port), '--on', 'web[1-2]', ...args, '--', 'yes'], {
        env: { ...process.env, ...server.env },
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      const ended = once(child, 'close');
      await once(child.stdout, 'data');
      child.stdout.destroy();
      assert.deepEqual(await ended, [141, null], args.join());
    }
    const file = join(aDirectory(t), 'file');
    writeFileSync(file, '');
    const out = await outcome(there, ['--on', 'web[1-2]', '--out', file, '--', 'echo no']);
    assert.deepEqual([out.status, out.stdout], [255, '']);
    assert.match(out.stderr, /Cannot make the directory .*it is a file; nothing was started\n$/);
    const nowhere = await outcome(there, ['--on', 'web[1-2]', '--out', '/proc/nothing/below', '--', 'echo no']);
    assert.deepEqual([nowhere.status, nowhere.stdout], [255, '']);
    assert.match(nowhere.stderr, /Cannot make the directory "\/proc\/nothing\/below": .*; nothing was started\n$/);
    const taken = aDirectory(t);
    mkdirSync(join(taken, 'web2.stdout'));
    const unwritable = await outcome(there, ['--on', 'web[1-2]', '--out', taken, '--json', '--', 'echo hi']);
    refused(unwritable, /Cannot write ".*web2.stdout": it is a directory; nothing was started\n$/, 255);
    assert.deepEqual(readdirSync(taken), ['web2.stdout']);
    // Something else may be there when the first output comes; what the other machine says is kept.
    const late = aDirectory(t);
    const command = `test -e '${late}/web2.stdout' || mkfifo '${late}/web2.stdout'; echo hi`;
    const raced = await outcome(there, ['--on', 'web[1-2]', '--batch', '1', '--out', late, '--', command]);
    assert.equal(raced.status, 255);
    assert.match(raced.stderr, /Cannot write .*web2.stdout: it is no file$/m);
    assert.equal(readFileSync(join(late, 'web1.stdout'), 'utf8'), 'hi\n');
    const apart = await outcome(there, ['--on', 'web[1-2]', '--stdin', '--batch', '1', '--', 'cat'], 'x');
    assert.equal(apart.status, 255);
    assert.match(apart.stderr, /--stdin goes to all at once: 2 machines, and 1 at once; nothing was started\n$/);
  });

  test(`who is interrupted waits for no machine that has stalled: ${host}`, async () => {
    await using server = await startServer();
    await using _machines = await someMachines(['web1'], server, host);
    await using stalled = await aMachine('stalled', server, host);
    stalled.program.kill('SIGSTOP');
    const module = join(ROOT, 'src/cli/run.ts');
    const script =
      `const { run } = await import(${JSON.stringify(module)});` +
      `process.exitCode = await run(process.argv.slice(1), { confirmTimeoutMs: 1 });`;
    const args = [at(host, server.port), '--on', 'web1,stalled', '--', 'echo hi; exec sleep 1000'];
    await using program = start(process.execPath, ['--input-type=module', '-e', script, ...args], { env: server.env });
    await program.stdout.until('web1: hi\n');
    program.kill('SIGINT');
    assert.equal(await program.ended, 130);
    assert.match(program.stderr.text, /^1 lost: stalled$|^2 lost: stalled,web1$/m);
    stalled.program.kill('SIGCONT');
  });

  test(`one that is stalled keeps nobody of ${MANY}: ${host}`, async () => {
    await using server = await startServer();
    const there = { server, host };
    const names = Array.from({ length: MANY - 1 }, (_, index) => `web${index + 1}`);
    await using _machines = await someMachines(names, server, host);
    await using stalled = await aMachine('stalled', server, host);
    stalled.program.kill('SIGSTOP');
    await using program = onMany(there, ['--on', 'all', '--yes', '--', 'echo hi']);
    const heard = new Set<string>();
    // Every one but it is heard before it goes on.
    for (let text = ''; heard.size < MANY - 1;) {
      text = await program.stdout.until('\n');
      for (const line of unfolded(text)) heard.add(line);
    }
    assert.ok(!heard.has('stalled: hi'));
    stalled.program.kill('SIGCONT');
    const status = await program.ended;
    // Where all the others took longer than the lease (30 s) it has lost its place, and that is its end.
    if (/^1 lost: stalled$/m.test(program.stderr.text)) {
      assert.equal(status, 255);
      await server.program.stdout.until('stalled connection closed\n');
    } else {
      assert.equal(status, 0);
      assert.match(program.stdout.text, /stalled: hi\n/);
    }
  });

  test(`standard input comes whole to more machines than can be asked for at once: ${host}`, async () => {
    await using server = await startServer();
    const names = Array.from({ length: 60 }, (_, index) => `web${index + 1}`);
    await using _machines = await someMachines(names, server, host);
    const input = 'x'.repeat(100_000);
    const args = ['--on', 'web[1-60]', '--yes', '--stdin', '--no-fold', '--', 'wc -c'];
    const { status, stdout } = await outcome({ server, host }, args, input);
    assert.deepEqual([status, sorted(stdout)], [0, names.map((name) => `${name}: ${input.length}`).sort()]);
  });
}
