// Whoever takes the port of a machine's server while that is down, on loopback too: the machine does nothing for it.

import assert from 'node:assert/strict';
import { cpSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { aDirectory } from '../kit/directory.ts';
import { listenOn } from '../kit/listener.ts';
import { aMachine, codeFor, joining } from '../kit/machine.ts';
import { outcomeOf, partyline } from '../kit/program.ts';
import { at, LOOPBACKS, startServer, type TestServer } from '../kit/server.ts';
import { refused, someone } from '../kit/someone.ts';

const CHANGED =
  /^partyline join: Cannot connect to \S+: its key was sha256\/\/\S+ and is now sha256\/\/\S+; .* remove line 1 of \S+known-servers, and join with --code CODE, of partyline invite NAME --as host; nothing was sent$/m;

/** Knows all that the server knows, the machine's key too, but for the server's own key. */
function rogueIn(t: TestContext, directory: string): string {
  const copy = join(aDirectory(t), 'copy');
  cpSync(directory, copy, { recursive: true });
  for (const name of ['tls.key', 'tls.crt', 'tls.fingerprint']) rmSync(join(copy, name));
  return copy;
}

async function isThere(name: string, { directory, port }: TestServer, host: string): Promise<boolean> {
  const hosts = await someone(directory, at(host, port)).json('hosts');
  return hosts.some((one) => one['name'] === name && one['state'] === 'online');
}

for (const host of LOOPBACKS) {
  test(`a machine does nothing for whoever shows another key on its server's port, and comes back to its own: ${host}`, async (t) => {
    await using server = await startServer();
    const { directory, port } = server;
    await using machine = await aMachine('web1', server, host);
    server.program.kill('SIGTERM');
    await server.program.ended;
    await machine.program.stderr.until('is away');
    await using rogue = await startServer({ directory: rogueIn(t, directory), port });
    // Who is joined already keeps asking; who comes anew is told.
    await machine.program.stderr.until(
      /is away: Cannot connect to .* its key was .* and is now .*; nothing was sent$/m,
    );
    assert.equal(await isThere('web1', rogue, host), false);
    const marker = join(aDirectory(t), 'marker');
    const words = ['run', at(host, port), '--on', 'web1', '--', 'touch', marker];
    assert.equal((await outcomeOf(partyline(words, { env: { ...rogue.env } }))).status, 255);
    const copied = join(aDirectory(t), 'machine');
    cpSync(machine.directory, copied, { recursive: true });
    for (const scheme of ['', 'tls://']) {
      refused(await outcomeOf(joining(copied, [`${scheme}${at(host, port)}`])), CHANGED);
    }
    assert.equal(existsSync(marker), false);
    rogue.program.kill('SIGTERM');
    await rogue.program.ended;
    await using own = await startServer({ directory, port });
    await machine.program.stdout.until('ready\n');
    assert.equal(await isThere('web1', own, host), true);
  });

  test(`a machine says nothing but a ClientHello to a port that speaks plain text, not even its code: ${host}`, async (t) => {
    await using server = await startServer();
    const code = await codeFor('web1', server, host);
    const heard: Buffer[] = [];
    const port = await listenOn(t, host, (socket) => {
      socket.on('data', (chunk: Buffer) => heard.push(chunk));
      socket.once('data', () => socket.write('PARTYLINE/1 Server\n'));
    });
    const outcome = await outcomeOf(joining(aDirectory(t), [at(host, port), '--code', code]));
    refused(outcome, /^partyline join: Cannot connect to \S+ by TLS: it does not speak TLS; nothing was sent$/m);
    assert.ok(heard.length > 0);
    // RFC 8446 5.1 and 4: a record of type handshake, and a ClientHello in it; an alert may follow.
    for (const chunk of heard) assert.ok(chunk[0] === 0x16 || chunk[0] === 0x15, chunk.toString('latin1'));
    const said = Buffer.concat(heard).toString('latin1');
    assert.ok(!said.includes('PARTYLINE') && !said.includes(code.slice(0, 8)));
    const asked = await outcomeOf(joining(aDirectory(t), [`tcp+insecure://${at(host, port)}`, '--code', code]));
    refused(asked, /does not carry commands for a machine: expected tcp:\/\/, tls:\/\/ or no scheme/, 64);
  });

  test(`a machine that has kept no key of its server takes nobody's word for one, and asks for a code: ${host}`, async () => {
    await using server = await startServer();
    await using machine = await aMachine('web1', server, host);
    machine.program.kill('SIGTERM');
    assert.equal(await machine.program.ended, 0);
    // As it was left by a version that spoke plain text on loopback.
    rmSync(join(machine.directory, 'known-servers'));
    const words = [at(host, server.port)];
    refused(
      await outcomeOf(joining(machine.directory, words)),
      /a machine takes nobody's word for it; the first time, and where it joined over loopback before .*, it takes --code CODE/,
    );
    assert.equal(existsSync(join(machine.directory, 'known-servers')), false);
    const code = await codeFor('web1', server, host);
    await using again = joining(machine.directory, [...words, '--code', code]);
    await again.stdout.until('ready\n');
  });
}
