// TLS between two hosts: beyond loopback the program speaks it without being asked, remembers the server's key, and never
// falls back to plain text; and what is secret is taken inside it alone.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { judgePassword } from '../../src/core/password.ts';
import { openSqliteJournal } from '../../src/journal/sqlite.ts';
import { hashSecret, newToken } from '../../src/secrets/code.ts';
import { ScryptPasswords } from '../../src/secrets/password.ts';
import { anAccount, record } from '../contracts/journal.ts';
import { aDirectory } from '../kit/directory.ts';
import { startServer, twoHosts } from '../kit/hosts.ts';
import { type Host, printed } from '../kit/namespace.ts';
import { needs } from '../kit/needs.ts';
import { PARTYLINE } from '../kit/program.ts';

const PORT = 7270;
const PLAIN_PORT = 7271;
const TIMEOUT_MS = 60_000;

test(
  'without a scheme chat goes by TLS, to a known key, and never in plain text',
  { timeout: TIMEOUT_MS },
  async (t) => {
    if (!needs(t, ['ip', 'dnsmasq'], { root: true, netns: true })) return;
    const { server, client } = await twoHosts(t);
    await startServer(
      t,
      server,
      '--open',
      '--listen',
      `tls://*:${PORT}`,
      '--listen',
      `line+insecure://*:${PLAIN_PORT}`,
    );
    for (const host of [server.ipv4, `[${server.ipv6}]`, 'krishna1.example.com']) {
      const data = aDirectory(t);
      const known = join(data, 'known-servers');
      const chat = (target: string) => chatFrom(client, data, target);
      const first = await chat(host);
      assert.equal(first.status, 0, first.stderr);
      assert.match(first.stdout, /^Available client: Vamshi$/m);
      assert.match(
        first.stderr,
        /^partyline chat: \S+ is met for the first time; its key sha256\/\/\S+ is remembered in \S+\n$/,
      );
      assert.match(readFileSync(known, 'utf8'), /^\S+:7270 sha256\/\/\S{44}\n$/);
      // Named with its port in another spelling it is the same one.
      const again = await chat(`tls://${host.toUpperCase()}:${PORT}`);
      assert.deepEqual([again.status, again.stderr], [0, '']);
      // Where no TLS is spoken nothing is said, least of all a name.
      const plain = await chat(`${host}:${PLAIN_PORT}`);
      assert.deepEqual([plain.status, plain.stdout], [255, '']);
      assert.match(plain.stderr, /by TLS: it does not speak TLS; nothing was sent\n$/);
      const meant = await chat(`tcp+insecure://${host}:${PLAIN_PORT}`);
      assert.deepEqual([meant.status, meant.stderr], [0, '']);
      // Another key than the one that is remembered.
      writeFileSync(known, readFileSync(known, 'utf8').replace(/\/\/.{4}/, '//AAAA'));
      const changed = await chat(host);
      assert.deepEqual([changed.status, changed.stdout], [255, '']);
      assert.match(changed.stderr, /its key was sha256\/\/AAAA\S+ and is now sha256\/\/.*nothing was sent\n$/);
    }
  },
);

test('a token and a password are taken inside TLS, and in plain text refused', { timeout: TIMEOUT_MS }, async (t) => {
  if (!needs(t, ['ip', 'dnsmasq', 'nc', 'openssl'], { root: true, netns: true })) return;
  const { server, client } = await twoHosts(t);
  const data = aDirectory(t);
  const token = await anAccountIn(data);
  // Not open: whoever is let in is let in for what it has shown.
  const listen = ['--listen', `tls://*:${PORT}`, '--listen', `line+insecure://*:${PLAIN_PORT}`];
  await startServer(t, server, '--data', data, ...listen);
  const owner = readFileSync(join(data, 'owner.token'), 'utf8').trim();
  for (const address of [server.ipv4, server.ipv6]) {
    const plainly = async (...lines: string[]) => {
      const words = ['-n', '-N', address, String(PLAIN_PORT)];
      return (await client.run(`${lines.join('\n')}\n`, 'nc', ...words)).stdout;
    };
    // Its end would be the end of what is heard, so it stays until it has heard what is expected.
    const secretly = async (lines: readonly string[], expected: RegExp) => {
      const words = ['s_client', '-quiet', '-connect', `${address.includes(':') ? `[${address}]` : address}:${PORT}`];
      const openssl = client.start('openssl', ...words);
      openssl.stderr.resume();
      openssl.stdin.write(`${lines.join('\n')}\n`);
      const heard = await printed(openssl.stdout, expected);
      openssl.kill();
      return heard;
    };
    const refused = /^(?:Enter your name: )?error: Cannot log in from \S+: this connection is plain text, /;
    for (const lines of [[`login ${token}`], [NAME, PASSWORD]]) {
      const heard = await plainly(...lines, 'get_list', 'quit');
      assert.match(heard, refused, address);
      assert.doesNotMatch(heard, /Connected with|Available client|Password: /, address);
      await secretly([...lines, 'get_list'], /^Available client: Vamshi$/m);
    }
    // The owner's is for its own machine, whatever lies between.
    assert.match(await plainly(`login ${owner}`), refused, address);
    const notHere = /^(?:Enter your name: )?error: Cannot log in: the code or token is not valid\nEnter your name: $/;
    await secretly([`login ${owner}`], notHere);
    const wrong =
      /^(?:Enter your name: )?Password: error: Cannot come in as Vamshi: the password is not right\nEnter your name: $/;
    await secretly([NAME, `${PASSWORD}!`], wrong);
  }
});

const NAME = 'Vamshi';
const PASSWORD = 'three lamps by the river';

/** A member with a password and the token that is returned, as an earlier server has left it. */
async function anAccountIn(data: string): Promise<string> {
  const { journal } = await openSqliteJournal({ path: join(data, 'journal.db') });
  const judged = judgePassword(PASSWORD);
  assert.ok(!('refused' in judged));
  const hashed = await new ScryptPasswords().hash(judged.password);
  assert.ok('stored' in hashed);
  const token = newToken();
  const recorded = await record(
    journal,
    { type: 'account-added', account: { ...anAccount(1, NAME), password: hashed.stored } },
    { type: 'token-added', token: { id: 1, account: 1, label: 'test', hash: hashSecret(token), createdAtMs: 5 } },
  );
  assert.equal(recorded, undefined);
  await journal.close();
  return token;
}

function chatFrom(client: Host, data: string, target: string) {
  const words = [`PARTYLINE_DATA=${data}`, PARTYLINE, 'chat', target, '--name', 'Vamshi'];
  return client.run('get_list\nquit\n', 'env', ...words);
}
