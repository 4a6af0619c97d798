// Who is taken for the owner by `partyline run`'s server, and whom `partyline run` takes for its server.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, copyFile, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { NativeLink } from '../../src/protocol/native/link.ts';
import { needs } from '../kit/needs.ts';
import { PARTYLINE, partyline, start } from '../kit/program.ts';
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

function ip(...args: string[]): void {
  const { status, stderr } = spawnSync('ip', args, { encoding: 'utf8' });
  assert.equal(status, 0, `ip ${args.join(' ')}: ${stderr}`);
}

/** Without a line for the command on the console nothing was asked for, or it was refused. */
function assertNothingRan(server: TestServer): void {
  assert.doesNotMatch(server.program.stdout.text, /Given command/);
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
    await attempt(/^Cannot use the owner token \S+other\.token: it does not exist\n$/);
    await writeFile(file, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600 });
    await attempt(/: this server does not know the owner token, or not at this address; nothing was proven to it\n$/);
    await copyFile(join(server.directory, 'owner.token'), file);
    await chmod(file, 0o644);
    await attempt(/: others may read it \(mode 0644\); it must be 0600\n$/);
    assertNothingRan(server);
    await chmod(file, 0o600);
    await using right = run(there, ['--', 'true'], { PARTYLINE_TOKEN_FILE: file, PARTYLINE_DATA: '/nonexistent' });
    assert.equal(await right.ended, 0);
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
    assertNothingRan(server);
    relay.close();
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
  if (!needs(t, ['ip'], { netns: true })) return;
  const name = `partyline-run-${process.pid}`;
  const inside = (...words: string[]) => ['netns', 'exec', name, ...words];
  ip('netns', 'add', name);
  t.after(() => void spawnSync('ip', ['netns', 'delete', name]));
  ip(...inside('ip', 'link', 'set', 'lo', 'up'));
  // Addresses of the machine itself that are not loopback ones: TEST-NET-1 and the documentation prefix.
  ip(...inside('ip', 'address', 'add', '192.0.2.1/32', 'dev', 'lo'));
  ip(...inside('ip', '-6', 'address', 'add', '2001:db8::1/128', 'dev', 'lo', 'nodad'));
  await using server = await startServer();
  const listen = ['tcp+insecure://192.0.2.1:7270', 'tcp+insecure://[2001:db8::1]:7270'];
  const directory = join(server.directory, 'inside');
  const serve = ['serve', '--data', directory, ...listen.flatMap((url) => ['--listen', url])];
  await using exposed = start('ip', inside(PARTYLINE, ...serve));
  await exposed.stdout.until(/^ready$/m);
  for (const host of ['192.0.2.1', '[2001:db8::1]']) {
    for (const [scheme, why] of [
      ['', /is not loopback, TLS is not available yet, and nothing was sent in plain text\n$/] as const,
      [
        'tcp+insecure://',
        /: not allowed: the owner token counts from loopback only, .* and nothing was sent\n$/,
      ] as const,
    ]) {
      const words = inside(PARTYLINE, 'run', `${scheme}${host}`, '--', 'true');
      await using program = start('ip', words, { env: { PARTYLINE_DATA: directory } });
      assert.equal(await program.ended, 255);
      assert.match(program.stderr.text, ONE_LINE);
      assert.match(program.stderr.text, why);
    }
  }
  assert.doesNotMatch(exposed.stdout.text, /Given command/);
});
