// Who is taken for the owner by `partyline run`'s server, and whom `partyline run` takes for its server.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, copyFile, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { NativeLink } from '../../src/protocol/native/link.ts';
import { aDirectory } from '../kit/directory.ts';
import { twoHosts } from '../kit/hosts.ts';
import { printed } from '../kit/namespace.ts';
import { needs } from '../kit/needs.ts';
import { PARTYLINE, partyline } from '../kit/program.ts';
import { at, LOOPBACKS, startServer, type TestServer } from '../kit/server.ts';

const ONE_LINE = /^[^\n]+\n$/;

interface There {
  readonly server: TestServer;
  readonly host: string;
}

/** The program, on its way; the arguments are those after the host. */
function run({ server, host }: There, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return partyline(['run', at(host, server.port), ...args], { env: { ...server.env, ...env } });
}

/** Ends the server, and counts the lines for commands on its whole console: what was refused has none. */
async function commandsGiven(server: TestServer): Promise<number> {
  server.program.kill('SIGTERM');
  assert.equal(await server.program.ended, 0);
  return server.program.stdout.text.match(/^Given command /gm)?.length ?? 0;
}

for (const host of LOOPBACKS) {
  test(`no token, a wrong one or a readable one runs nothing: ${host}`, async () => {
    await using server = await startServer();
    const there = { server, host };
    const file = join(server.directory, 'other.token');
    const attempt = async (why: RegExp) => {
      await using program = run(there, ['--', 'true'], { PARTYLINE_TOKEN_FILE: file });
      assert.equal(await program.ended, 255);
      assert.match(program.stderr.text, ONE_LINE);
      assert.match(program.stderr.text, why);
    };
    await attempt(/^partyline run: Cannot use the token in \S+other\.token: it does not exist\n$/);
    await writeFile(file, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600 });
    await attempt(/: this server does not know the owner token, or not at this address; nothing was proven to it\n$/);
    await copyFile(join(server.directory, 'owner.token'), file);
    await chmod(file, 0o644);
    await attempt(/: others may read it \(mode 0644\); it must be 0600\n$/);
    await chmod(file, 0o600);
    await using right = run(there, ['--', 'true'], { PARTYLINE_TOKEN_FILE: file, PARTYLINE_DATA: '/nonexistent' });
    assert.equal(await right.ended, 0);
    assert.equal(await commandsGiven(server), 1, 'only the last one ran');
  });

  test(`somebody in between gets nothing that is of use to it: ${host}`, async () => {
    await using server = await startServer();
    let fromClient = '';
    const relay = createServer((socket) => {
      const onward = connect({ host, port: server.port });
      socket.on('data', (chunk) => (fromClient += String(chunk)));
      for (const [one, other] of [[socket, onward] as const, [onward, socket] as const]) {
        one.pipe(other);
        one.on('error', () => other.destroy());
        one.on('close', () => other.destroy());
      }
    }).listen(0, host);
    await once(relay, 'listening');
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a TCP server that listens has such an address
    const { port } = relay.address() as AddressInfo;
    await using program = partyline(['run', at(host, port), '--', 'true'], { env: server.env });
    assert.equal(await program.ended, 255);
    assert.match(program.stderr.text, /does not know the owner token, or not at this address/);
    assert.match(fromClient, /owner\.challenge/);
    assert.doesNotMatch(fromClient, /owner\.prove|run\.start/);
    assert.ok(!fromClient.includes(await server.token()));
    relay.close();
    assert.equal(await commandsGiven(server), 0);
  });

  test(`a native client that speaks late is greeted as a person and understood: ${host}`, async () => {
    await using server = await startServer();
    const socket = connect({ host, port: server.port });
    const link = new NativeLink('client');
    let heard = '';
    const opened = new Promise((resolve) => {
      socket.on('data', (chunk: Buffer) => {
        if (heard === '') for (const bytes of link.takeOutput()) socket.write(bytes);
        heard += String(chunk);
        link.receive(chunk);
        for (const event of link.takeEvents()) resolve(event);
      });
    });
    assert.deepEqual(await opened, { type: 'opened', version: 1, serverName: 'Server' });
    assert.equal(heard, 'Enter your name: PARTYLINE/1 Server\n');
    socket.destroy();
  });
}

test('beyond loopback the owner token is not used, and nothing is sent', async (t) => {
  if (!needs(t, ['ip', 'dnsmasq'], { root: true, netns: true })) return;
  const { server, client } = await twoHosts(t);
  const data = aDirectory(t);
  const exposed = server.start(PARTYLINE, 'serve', '--data', data, '--listen', 'tcp+insecure://*:7270');
  let told = '';
  exposed.stdout.setEncoding('utf8').on('data', (chunk: string) => (told += chunk));
  await printed(exposed.stdout, /^ready$/m);
  // From elsewhere, and from the machine itself by an address that is not a loopback one; the token is at hand.
  for (const from of [client, server]) {
    for (const host of [server.ipv4, `[${server.ipv6}]`]) {
      const why = /: not allowed: the owner token counts from loopback only, .* and nothing was sent\n$/;
      for (const scheme of ['', 'tls://', 'tcp+insecure://']) {
        const words = [PARTYLINE, 'run', `${scheme}${host}`, '--', 'true'];
        const { status, stdout, stderr } = await from.run('', 'env', `PARTYLINE_DATA=${data}`, ...words);
        assert.deepEqual({ status, stdout }, { status: 255, stdout: '' });
        assert.match(stderr, ONE_LINE);
        assert.match(stderr, why);
      }
    }
  }
  exposed.kill('SIGTERM');
  await once(exposed, 'close');
  assert.equal(exposed.exitCode, 0);
  assert.doesNotMatch(told, /Given command/);
});
