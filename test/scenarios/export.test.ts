// `partyline export` against the real server: all of it, in order, whatever its length; and who reads it, and how.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Caller } from '../kit/caller.ts';
import { aDirectory } from '../kit/directory.ts';
import { needs } from '../kit/needs.ts';
import { outcomeOf, PARTYLINE, start } from '../kit/program.ts';
import { at, LOOPBACKS, startServer, type TestServer } from '../kit/server.ts';
import { someone } from '../kit/someone.ts';

/** More than two pages of 1,000, and more than a pipe holds. */
const MANY = 2_345;

/** Somebody says the numbers from 1 on to everyone. */
async function aServerThatHeard(count: number, host: string): Promise<TestServer> {
  const server = await startServer();
  await using vamshi = await Caller.named('Vamshi', host, server.port);
  vamshi.type(Array.from({ length: count }, (_, nth) => `send all ${nth + 1}`).join('\n'));
  await vamshi.barrier();
  return server;
}

const numbers = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, nth) => `${first + nth}`);

for (const host of LOOPBACKS) {
  test(`export writes every message once, oldest first, over many pages: ${host}`, async () => {
    await using server = await aServerThatHeard(MANY, host);
    const owner = someone(server.directory, at(host, server.port));
    const all = await owner.json('export');
    assert.deepEqual(
      all.map(({ text }) => text),
      numbers(1, MANY),
    );
    assert.deepEqual(Object.keys(all[0] ?? {}), ['id', 'at', 'from', 'to', 'cast', 'text']);
    const [ten, hundred] = [String(all[9]?.['id']), String(all[99]?.['id'])];
    assert.deepEqual(await owner.json('export', '--after', ten, '--before', hundred), all.slice(10, 99));
    assert.deepEqual(await owner.json('export', '--before', ten), all.slice(0, 9));
    assert.deepEqual(await owner.json('export', '--after', String(all.at(-1)?.['id'])), []);
    const { status, stdout, stderr } = await owner.run(['export']);
    assert.deepEqual([status, stderr], [0, '']);
    assert.equal(stdout, (await owner.run(['history', '--after', '0'])).stdout);
    assert.equal(stdout.split('\n').length, MANY + 1);
  });

  test(`export is of one's own past, and of one partner where one is named: ${host}`, async (t) => {
    await using server = await startServer();
    const target = at(host, server.port);
    const [owner, bob] = [someone(server.directory, target), someone(aDirectory(t), target)];
    assert.deepEqual(await owner.json('export'), []);
    await owner.run(['send', '--to', 'all', 'before bob']);
    const [invited] = await owner.json('invite', 'bob');
    assert.equal((await bob.run(['login', '--code', '-'], `${String(invited?.['code'])}\n\n`)).status, 0);
    await owner.run(['send', '--to', 'owner', 'a note']);
    await owner.run(['send', '--to', 'bob', 'hello bob']);
    await bob.run(['send', '--to', 'all', 'hello all']);
    const textsOf = (messages: Record<string, unknown>[]) => messages.map(({ text }) => text);
    assert.deepEqual(textsOf(await owner.json('export')), ['before bob', 'a note', 'hello bob', 'hello all']);
    assert.deepEqual(textsOf(await bob.json('export')), ['hello bob', 'hello all']);
    assert.deepEqual(textsOf(await owner.json('export', '--with', 'bob')), ['hello bob']);
    assert.deepEqual(textsOf(await owner.json('export', '--with', 'all')), ['before bob', 'hello all']);
  });

  test(`export ends quietly when nobody reads on: ${host}`, async () => {
    await using server = await aServerThatHeard(MANY, host);
    const pipe = '{ "$0" export --json --host "$1"; echo "status $?" >&2; } | head -n 1';
    await using shell = start('sh', ['-c', pipe, PARTYLINE, at(host, server.port)], { env: server.env });
    const { stdout, stderr } = await outcomeOf(shell);
    assert.match(stdout, /^\{"id":\d+,.*"text":"1"\}\n$/);
    assert.equal(stderr, 'status 0\n');
  });

  test(`what is said while an export goes on is not part of it: ${host}`, async () => {
    await using server = await aServerThatHeard(MANY, host);
    // It gets no further than what a pipe holds until somebody reads on.
    const reader = '{ dd bs=1 count=1 2>/dev/null; read go <&3; cat; }';
    const pipe = `exec 3<&0; "$0" export --json --host "$1" </dev/null | ${reader}`;
    await using shell = start('sh', ['-c', pipe, PARTYLINE, at(host, server.port)], { env: server.env });
    await shell.stdout.until('{');
    await using janaki = await Caller.named('Janaki', host, server.port);
    janaki.type('send all too late');
    await janaki.barrier();
    const { status, stdout } = await outcomeOf(shell, 'go\n');
    const lines = stdout.trimEnd().split('\n');
    assert.deepEqual([status, lines.length], [0, MANY]);
    assert.match(lines.at(-1) ?? '', new RegExp(`"text":"${MANY}"`));
  });

  test(`a terminal shows how far an export into a file has come, and nothing of it stays: ${host}`, async (t) => {
    if (!needs(t, ['script'])) return;
    await using server = await aServerThatHeard(3, host);
    const file = join(aDirectory(t), 'export');
    const command = `'${PARTYLINE}' export --host '${at(host, server.port)}'`;
    await using terminal = start('script', ['-qec', `${command} > '${file}'`, '/dev/null'], { env: server.env });
    assert.deepEqual(await outcomeOf(terminal), {
      status: 0,
      stdout: '\r\u001b[K3 messages, 100 %\r\u001b[K',
      stderr: '',
    });
    const text = readFileSync(file, 'utf8');
    assert.match(text, /^(?:\d+ .* Vamshi to all : \d\n){3}$/);
    await using shown = start('script', ['-qec', command, '/dev/null'], { env: server.env });
    assert.deepEqual(await outcomeOf(shown), { status: 0, stdout: text.replaceAll('\n', '\r\n'), stderr: '' });
  });
}

test('long messages to a slow reader cost no warning', async () => {
  await using server = await startServer();
  await using vamshi = await Caller.named('Vamshi', '127.0.0.1', server.port);
  for (let nth = 0; nth < 40; nth++) vamshi.type(`send all ${'x'.repeat(60_000)}`);
  await vamshi.barrier();
  for (const command of ['export', 'history --after 0']) {
    const pipe = `"$0" ${command} --host "$1" | wc -l`;
    await using shell = start('sh', ['-c', pipe, PARTYLINE, at('127.0.0.1', server.port)], { env: server.env });
    const { stdout, stderr } = await outcomeOf(shell);
    assert.deepEqual([stdout.trim(), stderr], ['40', '']);
  }
});
