// TLS between two hosts: beyond loopback the program speaks it without being asked, remembers the server's key, and never
// falls back to plain text.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { aDirectory } from '../kit/directory.ts';
import { type Host, PARTYLINE, startServer, twoHosts } from '../kit/hosts.ts';
import { needs } from '../kit/needs.ts';

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

function chatFrom(client: Host, data: string, target: string) {
  const words = [`PARTYLINE_DATA=${data}`, PARTYLINE, 'chat', target, '--name', 'Vamshi'];
  return client.run('get_list\nquit\n', 'env', ...words);
}
