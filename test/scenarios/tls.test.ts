// TLS on the port of everything else, with the peers that people have; and the program, that remembers servers' keys.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { get } from 'node:https';
import { connect as connectPlain } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { asOwner } from '../kit/accounts.ts';
import { aDirectory } from '../kit/directory.ts';
import { needs } from '../kit/needs.ts';
import { outcomeOf, partyline, start, type Program } from '../kit/program.ts';
import { at, LOOPBACKS, startServer, type TestServer } from '../kit/server.ts';
import { Transcript } from '../kit/transcript.ts';

const SCHEMES = ['--listen', 'tls://localhost:0', '--listen', 'https://localhost:0', '--listen', 'line://localhost:0'];

function portOf(server: TestServer, scheme: string): number {
  return Number(new RegExp(`listening on ${scheme}://.*:(\\d+)$`, 'm').exec(server.program.stdout.text)?.[1]);
}

/** Somebody who speaks TLS; what is heard is a transcript. */
class TlsCaller implements AsyncDisposable {
  readonly socket: TLSSocket;
  readonly heard = new Transcript();

  constructor(socket: TLSSocket) {
    this.socket = socket;
    socket.setEncoding('utf8').on('data', (chunk: string) => this.heard.add(chunk));
    socket.on('error', () => {}).on('end', () => this.heard.end());
    socket.on('close', () => this.heard.end());
  }

  static async connect(host: string, port: number): Promise<TlsCaller> {
    const raw = connectPlain({ host, port, allowHalfOpen: true });
    const socket = connect({ socket: raw, rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    return new TlsCaller(socket);
  }

  get serial(): string | undefined {
    return this.socket.getPeerX509Certificate()?.serialNumber;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy();
    await this.heard.rest();
  }
}

/** The plain tools of people, each with what makes it a TLS client. */
const TOOLS = {
  openssl: (host: string, port: number) => ['s_client', '-quiet', '-connect', at(host, port)],
  ncat: (host: string, port: number) => ['--ssl', host, String(port)],
  socat: (host: string, port: number) => ['-', `OPENSSL:${at(host, port)},verify=0`],
} as const;

for (const host of LOOPBACKS) {
  for (const [tool, words] of Object.entries(TOOLS)) {
    test(`${tool} speaks the line protocol by TLS: ${host}`, async (t) => {
      if (!needs(t, [tool])) return;
      await using server = await startServer({ args: SCHEMES });
      for (const port of [server.port, portOf(server, 'tls')]) {
        await using person = start(tool, words(host, port));
        // Silent, and so greeted; then half-closed with all that was said answered.
        await person.stdout.until('Enter your name: ');
        person.stdin.write('Vamshi\n');
        await person.stdout.until(/^Connected with Server at /m);
        person.stdin.end('get_list\nsend all bye\nquit\n');
        await person.stdout.until(/^Available client: Vamshi\n/m);
        await person.ended;
        await server.program.stdout.until('Vamshi connection closed\n');
      }
    });
  }

  test(`/healthz answers by https, on every port that has TLS: ${host}`, async () => {
    await using server = await startServer({ args: SCHEMES });
    const ca = await readFile(join(server.directory, 'tls.crt'));
    for (const port of [server.port, portOf(server, 'tls'), portOf(server, 'https')]) {
      // The certificate is for this address, and here it is trusted.
      const request = get({ host, port, path: '/healthz', ca, agent: false });
      const [response]: unknown[] = await once(request, 'response');
      assert.ok(typeof response === 'object' && response !== null && 'statusCode' in response);
      assert.equal(response.statusCode, 200);
      request.destroy();
    }
  });

  test(`curl takes the fingerprint of the server's file: ${host}`, async (t) => {
    if (!needs(t, ['curl'])) return;
    await using server = await startServer();
    const fingerprint = (await readFile(join(server.directory, 'tls.fingerprint'), 'utf8')).trim();
    const words = ['-sk', '--noproxy', '*', `https://${at(host, server.port)}/healthz`];
    const right = await outcomeOf(start('curl', ['--pinnedpubkey', fingerprint, ...words]));
    assert.match(right.stdout, /^\{"status":"ok",/);
    const wrong = await outcomeOf(start('curl', ['--pinnedpubkey', `sha256//${'A'.repeat(43)}=`, ...words]));
    assert.equal(wrong.status, 90); // CURLE_SSL_PINNEDPUBKEYNOTMATCH
  });

  test(`a listener for one protocol in plain text makes no handshake: ${host}`, async () => {
    await using server = await startServer({ args: SCHEMES });
    for (const port of [portOf(server, 'line'), server.echoPort]) {
      const socket = connect({ host, port, rejectUnauthorized: false });
      const [error]: unknown[] = await once(socket, 'error');
      assert.ok(error instanceof Error && 'code' in error);
      assert.match(String(error.code), /^ERR_SSL_/);
    }
  });

  test(`a slow reader by TLS gets every byte, and costs no more than by TCP: ${host}`, async () => {
    await using server = await startServer();
    await using caller = await TlsCaller.connect(host, server.port);
    const { socket, heard } = caller;
    socket.write('ECHO slow\n');
    await heard.until(/^ECHO Server .*\n/);
    socket.removeAllListeners('data').pause();
    const block = Buffer.alloc(65_536, 'x');
    let sent = 0;
    // Until the echo is stuck: nobody reads it, so it is not read either.
    while (socket.writableLength < 4 * block.length && sent < 1_024 * block.length) {
      socket.write(block);
      sent += block.length;
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.ok(socket.writableLength > 0, 'the server read everything, though nobody read the echo');
    socket.end();
    let received = 0;
    for await (const chunk of socket) received += String(chunk).length;
    assert.equal(received, sent);
  });

  test(`echo, chat and run go by TLS, and remember the server's key: ${host}`, async (t) => {
    await using server = await startServer();
    const env = { PARTYLINE_DATA: server.directory };
    const target = `tls://${at(host, server.port)}`;
    const known = join(server.directory, 'known-servers');
    const fingerprint = (await readFile(join(server.directory, 'tls.fingerprint'), 'utf8')).trim();
    const echo = await outcomeOf(partyline(['echo', target], { env }), 'hello\nclose\n');
    assert.deepEqual(echo, {
      status: 0,
      stdout: 'Connected with Server\nServer : hello\n',
      stderr: `partyline echo: ${at(host, server.port)} is met for the first time; its key ${fingerprint} is remembered in ${known}\n`,
    });
    assert.equal(await readFile(known, 'utf8'), `${at(host, server.port)} ${fingerprint}\n`);
    const chat = await outcomeOf(partyline(['chat', target, '--name', 'Vamshi'], { env }), 'get_list\n');
    const who = 'partyline chat: you are Vamshi, a guest; without --name you are owner\n';
    assert.deepEqual([chat.status, chat.stderr], [0, who]);
    assert.match(chat.stdout, /^Available client: Vamshi$/m);
    const bytes = 'x'.repeat(1_000_000);
    const run = await outcomeOf(partyline(['run', target, '--', 'cat; exit 3'], { env }), bytes);
    assert.deepEqual([run.status, run.stderr], [3, '']);
    assert.ok(run.stdout === bytes);
    const probe = await outcomeOf(partyline(['echo', target, '--probe', '--count', '2', '--interval', '0'], { env }));
    assert.deepEqual([probe.status, probe.stderr], [0, '']);
    // Where there is no TLS, nothing is said in plain text.
    const plain = `tls://${at(host, server.echoPort)}`;
    for (const command of [['echo'], ['chat', '--name', 'x'], ['run', '--', 'true']]) {
      const [name = '', ...rest] = command;
      const { status, stdout, stderr } = await outcomeOf(
        partyline([name, plain, ...rest], { env: { PARTYLINE_DATA: aDirectory(t) } }),
      );
      assert.deepEqual([status, stdout], [255, '']);
      assert.match(
        stderr,
        /^(?:partyline \w+: )?Cannot connect to .* by TLS: it does not speak TLS; nothing was sent\n$/,
      );
    }
  });

  test(`a server whose key has changed is told nothing: ${host}`, async () => {
    await using server = await startServer();
    const env = { PARTYLINE_DATA: server.directory };
    const known = join(server.directory, 'known-servers');
    const old = `sha256//${'A'.repeat(43)}=`;
    await writeFile(known, `${at(host, server.port)} ${old}\n`, { mode: 0o600 });
    const fingerprint = (await readFile(join(server.directory, 'tls.fingerprint'), 'utf8')).trim();
    for (const [name, ...rest] of [['echo'], ['chat', '--name', 'Eve'], ['run', '--', 'true']] as const) {
      const { status, stdout, stderr } = await outcomeOf(
        partyline([name, `tls://${at(host, server.port)}`, ...rest], { env }),
      );
      assert.deepEqual([status, stdout], [255, ''], name);
      assert.match(stderr, /^[^\n]+\n$/);
      for (const part of [old, fingerprint, `remove line 1 of ${known}; nothing was sent`])
        assert.ok(stderr.includes(part));
    }
    // The next who comes is the first of whom the server has heard.
    await using witness = await TlsCaller.connect(host, server.port);
    witness.socket.write('witness\nget_list\n');
    assert.match(await witness.heard.until(/Available client: .*\n/), /Available client: witness\n$/);
    assert.doesNotMatch(server.program.stdout.text, /Eve|Received connection|Given command/);
    // The line is removed, as the words say.
    await rm(known);
    const again = await outcomeOf(partyline(['echo', `tls://${at(host, server.port)}`], { env }), 'hello\n');
    assert.equal(again.status, 0, again.stderr);
  });

  test(`SIGHUP takes up a new certificate, and keeps the old one where the new one is bad: ${host}`, async () => {
    await using server = await startServer({ args: ['--verbose'] });
    const certificate = join(server.directory, 'tls.crt');
    const { stderr } = server.program;
    await using old = await TlsCaller.connect(host, server.port);
    old.socket.write('old\n');
    await old.heard.until(/^Format: .*\n\n/m);
    await stderr.until(/^info certificate .*\n/m);
    await rm(certificate);
    server.program.kill('SIGHUP');
    await stderr.until(/^info certificate .*\n/m);
    await using renewed = await TlsCaller.connect(host, server.port);
    assert.notEqual(renewed.serial, old.serial);
    await writeFile(certificate, 'no certificate\n');
    server.program.kill('SIGHUP');
    await stderr.until(/^warn certificate not reloaded, the old one stays in use reason="Cannot use .*\n/m);
    await using later = await TlsCaller.connect(host, server.port);
    assert.equal(later.serial, renewed.serial);
    later.socket.write('later\nsend old : still there?\n');
    await old.heard.until('later (singlecasted) : still there?\n');
  });
}

/** Ends with status 1 and one line. */
async function refusalOf(program: Program): Promise<string> {
  const { status, stderr } = await outcomeOf(program);
  assert.equal(status, 1);
  assert.match(stderr, /^partyline serve: [^\n]+\n$/);
  return stderr;
}

test('an own certificate is served, and what fails with it is one line', async (t) => {
  await using other = await startServer();
  const [cert, key] = ['tls.crt', 'tls.key'].map((name) => join(other.directory, name));
  assert.ok(cert !== undefined && key !== undefined);
  await using server = await startServer({ args: ['--tls-cert', cert, '--tls-key', key] });
  await using caller = await TlsCaller.connect('127.0.0.1', server.port);
  await using same = await TlsCaller.connect('127.0.0.1', other.port);
  assert.equal(caller.serial, same.serial);
  const serve = (...words: string[]) =>
    partyline(['serve', '--data', aDirectory(t), '--listen', 'tcp://localhost:0', ...words]);
  assert.match(
    await refusalOf(serve('--tls-cert', '/none', '--tls-key', key)),
    /Cannot use the certificate \/none: it does not exist$/m,
  );
  assert.match(
    await refusalOf(serve('--tls-cert', cert, '--tls-key', '/none')),
    /Cannot use the TLS key \/none: it does not exist$/m,
  );
  await using half = serve('--tls-cert', cert);
  assert.equal(await half.ended, 64);
  assert.match(half.stderr.text, /--tls-cert and --tls-key need each other\n$/);
});

test('beyond loopback tls:// needs no permission', async (t) => {
  await using server = partyline(['serve', '--data', aDirectory(t), '--listen', 'tls://*:0']);
  await server.stdout.until(/^listening on tls:\/\/0\.0\.0\.0:\d+\nlistening on tls:\/\/\[::\]:\d+\nready\n/m);
});

test('whoever has logged in by one address is known at every other where the server has the same key, and nowhere else', async (t) => {
  await using server = await startServer({ args: SCHEMES });
  await using other = await startServer({ args: SCHEMES });
  const port = portOf(server, 'tls');
  const state = aDirectory(t);
  const env = { PARTYLINE_DATA: state, PARTYLINE_TOKEN_FILE: '' };
  const run = (args: string[], input = '') => outcomeOf(partyline(args, { env }), input);
  await using owner = await asOwner(server, '::1');
  const { code } = await owner.invite('bob');
  const [v4 = '', v6 = ''] = LOOPBACKS.map((host) => `tls://${at(host, port)}`);
  assert.equal((await run(['login', '--host', v4, '--code', code], 'open sesame\n')).status, 0);
  assert.match((await run(['chat', v6], 'get_list\n')).stdout, /^Available client: bob$/m);
  assert.match((await run(['whoami', '--host', v6])).stdout, /^bob \(member\) at /);
  const elsewhere = await run(['whoami', '--host', `tls://${at('::1', portOf(other, 'tls'))}`]);
  assert.equal(elsewhere.status, 1);
  assert.match(elsewhere.stderr, /nobody is logged in to/);
  // A second login is in place of the first, which counts no more.
  assert.equal((await run(['login', '--host', v6, '--name', 'bob'], 'open sesame\n')).status, 0);
  assert.match((await run(['token', 'list', '--host', v4])).stdout, /^\S+ +\S+ +.*\(kept here\)\n$/);
  assert.equal((await run(['logout', '--host', v6])).status, 0);
  assert.equal((await run(['whoami', '--host', v4])).status, 1);
});
