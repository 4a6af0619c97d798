// Runs are records, by the programs themselves: who sees what, what a record holds, and what verify finds.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { isRecord } from '../../src/protocol/native/rpc.ts';
import { Caller } from '../kit/caller.ts';
import { aDirectory } from '../kit/directory.ts';
import { aMachine } from '../kit/machine.ts';
import { someMachines } from '../kit/machines.ts';
import { writeHostPolicy, writePolicy } from '../kit/policy.ts';
import { outcomeOf, partyline } from '../kit/program.ts';
import { at, LOOPBACKS, startServer, type TestServer } from '../kit/server.ts';
import { loggedIn, refused, someone } from '../kit/someone.ts';

type Json = Record<string, unknown>;

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function run(server: TestServer, host: string, args: readonly string[], input = '') {
  return outcomeOf(partyline(['run', at(host, server.port), ...args], { env: { ...server.env } }), input);
}

function resultsOf(record: Json | undefined): Json[] {
  const results = record?.['results'];
  assert.ok(Array.isArray(results) && results.every(isRecord));
  return results;
}

/** `HOST RESULT STATUS` of each. */
function endsOf(record: Json | undefined): string[] {
  return resultsOf(record).map(({ host, result, status }) => `${String(host)} ${String(result)} ${String(status)}`);
}

async function verified(directory: string, ...args: string[]): Promise<{ status: number; facts: Json }> {
  const { status, stdout } = await outcomeOf(partyline(['verify', '--data', directory, '--json', ...args]));
  const facts: unknown = JSON.parse(stdout);
  assert.ok(isRecord(facts));
  return { status, facts };
}

for (const host of LOOPBACKS) {
  test(`a run from the program and one from nc are on record: who, where, what, and how: ${host}`, async () => {
    await using server = await startServer();
    const owner = someone(server.directory, at(host, server.port));
    assert.equal((await run(server, host, ['--', 'cat; echo oh >&2; exit 3'], 'in\n')).status, 3);
    assert.equal((await run(server, host, ['--', 'printf', '%s|', '$HOME', 'a  b'])).status, 0);
    assert.equal((await run(server, host, ['--timeout', '0.2', '--', 'sleep 1000'])).status, 124);
    await using caller = await Caller.named('Vamshi', host, server.port);
    caller.type(`login ${await server.token()}\nrun : kill -9 $$`);
    await caller.until('Server died of signal 9\n');
    const listed = await owner.json('runs');
    assert.deepEqual(
      listed.map((record) => [record['id'], record['by'], record['hosts'], record['command'], ...endsOf(record)]),
      [
        [1, 'owner', ['Server'], 'cat; echo oh >&2; exit 3', 'Server exited 3'],
        [2, 'owner', ['Server'], ['printf', '%s|', '$HOME', 'a  b'], 'Server exited 0'],
        [3, 'owner', ['Server'], 'sleep 1000', 'Server timeout 124'],
        [4, 'Vamshi', ['Server'], 'kill -9 $$', 'Server signalled 137'],
      ],
    );
    assert.deepEqual(
      listed.map(({ as }) => as),
      [undefined, undefined, undefined, 'owner'],
    );
    for (const { from, started, ended } of listed) {
      assert.equal(from, host);
      assert.ok(Date.parse(String(started)) <= Date.parse(String(ended)));
    }
    const [shown] = await owner.json('runs', 'show', '1');
    const [{ stdin, stdout, stderr } = {}] = resultsOf(shown);
    assert.deepEqual(stdin, { bytes: 3, sha256: digestOf('in\n') });
    assert.deepEqual(stdout, { bytes: 3, sha256: digestOf('in\n'), head: 3, tail: 0, truncated: 0 });
    assert.deepEqual(stderr, { bytes: 3, sha256: digestOf('oh\n'), head: 3, tail: 0, truncated: 0 });
    const told = (...args: string[]) => owner.run(['runs', ...args]);
    assert.deepEqual(await told('show', '1', '--stderr'), { status: 0, stdout: 'oh\n', stderr: '' });
    assert.match(
      (await told('show', '2')).stdout,
      /^run 2 by owner from .*\nprintf '%s\|' '\$HOME' 'a {2}b'\nstarted /,
    );
    assert.match((await told('--limit', '1', '--before', '3')).stdout, /^2 {2}.* {2}owner {2}Server {2}ok {2}printf /);
    const [plain] = await owner.json('runs', 'show', '2');
    assert.deepEqual([plain?.['cwd'], plain?.['terminal']], [null, false]);
    assert.equal((await run(server, host, ['--cwd', '/tmp', '--env', 'TZ=UTC', '--', 'pwd'])).status, 0);
    assert.match((await told('show', '5')).stdout, /^started .*\nin \/tmp\nwith (?:\w+, )*TZ set\nServer ok /m);
    const [elsewhere] = await owner.json('runs', 'show', '5');
    assert.equal(elsewhere?.['cwd'], '/tmp');
    refused(await told('show', '9'), /Cannot show run 9: there is none of that number/);
    refused(await told('show', 'x'), /show takes the number of a run/, 64);
    assert.equal((await verified(server.directory)).status, 0);
  });

  test(`of a long output the first and the last bytes are kept, and its digest is that of all: ${host}`, async () => {
    await using server = await startServer({ args: ['--keep-output', '10'] });
    const owner = someone(server.directory, at(host, server.port));
    const whole = Array.from({ length: 200_000 }, (_, index) => `${index + 1}\n`).join('');
    assert.equal((await run(server, host, ['--', 'seq 200000'])).stdout, whole);
    const [shown] = await owner.json('runs', 'show', '1');
    const [{ stdout } = {}] = resultsOf(shown);
    const bytes = whole.length;
    assert.deepEqual(stdout, { bytes, sha256: digestOf(whole), head: 5, tail: 5, truncated: bytes - 10 });
    assert.deepEqual(await owner.run(['runs', 'show', '1', '--stdout']), {
      status: 0,
      stdout: `${whole.slice(0, 5)}${whole.slice(-5)}`,
      stderr: `partyline runs: ${bytes - 10} bytes of stdout of Server are not kept, after the first 5\n`,
    });
  });

  test(`a command on many machines is one run, with a result for each: ${host}`, async () => {
    await using server = await startServer();
    const names = Array.from({ length: 60 }, (_, index) => `web${index + 1}`);
    await using _machines = await someMachines(names, server, host);
    const owner = someone(server.directory, at(host, server.port));
    assert.equal((await run(server, host, ['--on', 'web[1-60]', '--yes', '--', 'echo same'])).status, 0);
    assert.equal((await run(server, host, ['--on', 'web1,web2', '--yes', '--', 'exit 4'])).status, 4);
    await using caller = await Caller.named('Vamshi', host, server.port);
    caller.type(`login ${await server.token()}\nrun web3 web4 : true`);
    await caller.until(/web3 exited 0\n[^]*web4 exited 0\n|web4 exited 0\n[^]*web3 exited 0\n/);
    const [many, two, lines, ...more] = await owner.json('runs');
    assert.deepEqual(
      [many?.['hosts'], two?.['hosts'], lines?.['hosts'], more],
      [names, ['web1', 'web2'], ['web3', 'web4'], []],
    );
    assert.deepEqual(
      endsOf(many),
      names.map((name) => `${name} exited 0`),
    );
    assert.deepEqual(endsOf(two), ['web1 exited 4', 'web2 exited 4']);
    const { stdout } = await owner.run(['runs', 'show', '1', '--stdout']);
    assert.equal(stdout, names.map((name) => `${name}: same\n`).join(''));
  });

  test(`a member sees no run of somebody else, and a guest none: ${host}`, async (t) => {
    await using server = await startServer();
    const target = at(host, server.port);
    const owner = someone(server.directory, target);
    assert.equal((await run(server, host, ['--', 'echo secret'])).status, 0);
    const eve = await loggedIn('eve', { owner, state: aDirectory(t), target });
    assert.deepEqual(await eve.json('runs'), []);
    refused(await eve.run(['runs', 'show', '1', '--stdout']), /Cannot show run 1: there is none of that number/);
  });

  test(`what was denied, and a machine that was away, are on record beside what ran: ${host}`, async (t) => {
    const directory = aDirectory(t);
    writePolicy(directory, '[[allow]]\nwho = ["janaki"]\non = "web1"\nrun = ["true"]\n');
    await using server = await startServer({ directory });
    const target = at(host, server.port);
    const owner = someone(directory, target);
    const janaki = await loggedIn('janaki', { owner, state: aDirectory(t), target });
    const policy = writeHostPolicy(aDirectory(t), 'allow = ["true"]\n');
    await using _web1 = await aMachine('web1', server, host, { args: ['--policy', policy] });
    await (await aMachine('web2', server, host))[Symbol.asyncDispose]();
    assert.equal((await janaki.run(['run', '--on', 'web1', '--', 'id'])).status, 255);
    assert.equal((await janaki.run(['run', '--on', 'web[1-2]', '--yes', '--', '@say', 'hi'])).status, 255);
    assert.equal((await janaki.run(['run', '--on', 'web1', '--dry-run', '--', 'id'])).status, 255);
    assert.equal((await owner.run(['run', '--on', 'web1', '--', 'id'])).status, 255);
    assert.equal((await owner.run(['run', '--on', 'web1,web2', '--', 'true'])).status, 255);
    await using guest = await Caller.named('Vamshi', host, server.port);
    guest.type('run web1 : true');
    await guest.until(/^error: Cannot run true on "web1" as Vamshi, a guest/m);
    guest.type(`login ${await server.token()}\nrun web1 web2 : true`);
    await guest.until('web1 exited 0\n');
    const seen = (records: readonly Json[]) =>
      records.map((record) => [record['by'], record['command'], ...endsOf(record)]);
    const own = [
      ['janaki', 'id', 'web1 denied null'],
      ['janaki', ['@say', 'hi'], 'web[1-2] denied null'],
    ];
    assert.deepEqual(seen(await janaki.json('runs')), own);
    assert.deepEqual(seen(await owner.json('runs')), [
      ...own,
      ['owner', 'id', 'web1 denied null'],
      ['owner', 'true', 'web1 exited 0', 'web2 offline null'],
      ['Vamshi', 'true', 'web1 exited 0', 'web2 offline null'],
    ]);
    const [byServer] = resultsOf((await owner.json('runs', 'show', '1'))[0]);
    assert.match(String(byServer?.['reason']), /^the policy of the server does not allow it$/);
    const [noVerb] = resultsOf((await owner.json('runs', 'show', '2'))[0]);
    assert.equal(noVerb?.['reason'], 'there is no such verb; this server has no verbs');
    const [byMachine] = resultsOf((await owner.json('runs', 'show', '3'))[0]);
    assert.match(String(byMachine?.['reason']), /the machine's own policy does not allow it/);
    assert.match(
      (await janaki.run(['runs', 'show', '1'])).stdout,
      /^denied at .*\n[^]*^web1 denied: the policy of the server/m,
    );
    assert.equal((await verified(directory)).status, 0);
  });

  test(`a machine keeps the chain's last hash, by which verify finds a cut tail: ${host}`, async () => {
    const server = await startServer();
    await using machine = await aMachine('web1', server, host);
    await run(server, host, ['--', 'echo one']);
    await run(server, host, ['--on', 'web1', '--', 'echo two']);
    // Within a second, or when it ends.
    machine.program.kill('SIGTERM');
    await machine.program.ended;
    const kept = readFileSync(join(machine.directory, 'records-head'), 'utf8');
    const [head = '', where] = kept.trim().split(' ');
    assert.equal(where, at(host, server.port));
    assert.match(head, /^[0-9a-f]{64}$/);
    server.program.kill('SIGTERM');
    await server.program.ended;
    const { directory } = server;
    const whole = await verified(directory, '--head', head);
    assert.deepEqual([whole.status, whole.facts['problems'], whole.facts['records']], [0, [], 4]);
    const journal = join(directory, 'journal.db');
    cpSync(journal, `${journal}.whole`);
    const problemsAfter = async (sql: string, ...args: string[]) => {
      const database = new DatabaseSync(journal, { enableForeignKeyConstraints: false });
      database.exec(sql);
      database.close();
      const { status, facts } = await verified(directory, ...args);
      cpSync(`${journal}.whole`, journal);
      assert.equal(status, Number(JSON.stringify(facts['problems']) !== '[]'), sql);
      return facts['problems'];
    };
    assert.deepEqual(await problemsAfter("UPDATE record SET entry = replace(entry, 'one', 'eno') WHERE number = 1"), [
      'Record 1 (of run 1) is not what it was, or not after the one before it',
    ]);
    assert.deepEqual(await problemsAfter("UPDATE kept SET head = CAST('eno' AS BLOB) WHERE record = 2"), [
      'What record 2 (of run 1) keeps of stdout is not what it was',
    ]);
    assert.deepEqual(await problemsAfter('UPDATE record SET member = 7 WHERE number = 1'), [
      "Record 1 (of run 1) is kept as somebody else's",
    ]);
    assert.deepEqual(await problemsAfter('DELETE FROM kept WHERE record = 2; DELETE FROM record WHERE number = 2'), [
      'Record 2 is missing',
    ]);
    const [one, other, aside] = [1, 3, 99];
    const swap = [
      [one, aside],
      [other, one],
      [aside, other],
    ].map(([from, to]) => `UPDATE record SET number = ${to} WHERE number = ${from};`);
    assert.deepEqual(
      await problemsAfter(swap.join('')),
      [
        [1, 2],
        [2, 1],
        [3, 1],
        [4, 2],
      ].map(([number, of]) => `Record ${number} (of run ${of}) is not what it was, or not after the one before it`),
    );
    const cut = 'DELETE FROM kept WHERE record > 2; DELETE FROM record WHERE number > 2';
    assert.deepEqual(await problemsAfter(cut), [], 'what is left follows from the first');
    assert.deepEqual(await problemsAfter(cut, '--head', head), [
      `No record has the hash ${head}: the last ones were taken away, or others put in their place`,
    ]);
    refused(await outcomeOf(partyline(['verify', '--data', directory, '--head', 'x'])), /--head takes 64/, 64);
    await server[Symbol.asyncDispose]();
  });

  test(`a run whose server was killed is lost, and says so: ${host}`, async () => {
    const server = await startServer();
    await using client = partyline(['run', at(host, server.port), '--', 'echo on; exec sleep 1000'], {
      env: { ...server.env },
    });
    await client.stdout.until('on\n');
    server.program.kill('SIGKILL');
    await server.program.ended;
    assert.equal(await client.ended, 255);
    await using again = await startServer({ directory: server.directory, port: server.port });
    const owner = someone(again.directory, at(host, again.port));
    const [record] = await owner.json('runs', 'show', '1');
    assert.deepEqual(endsOf(record), ['Server lost null']);
    assert.match(String(resultsOf(record)[0]?.['reason']), /the server ended before the command did/);
    assert.equal((await verified(again.directory)).status, 0);
    await server[Symbol.asyncDispose]();
  });
}
