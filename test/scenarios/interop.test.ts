// Clients that were never written for this, all on one port of one server at once: each is a member like the others.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Caller } from '../kit/caller.ts';
import { needs } from '../kit/needs.ts';
import { outcomeOf, partyline, start, type Program } from '../kit/program.ts';
import { at, LOOPBACKS, startServer } from '../kit/server.ts';

interface Guest {
  readonly name: string;
  readonly program: string;
  readonly args: (port: number) => string[];
}

const GUESTS: readonly Guest[] = LOOPBACKS.flatMap((host) => {
  const family = host.includes(':') ? '6' : '4';
  return [
    { name: `nc${family}`, program: 'nc', args: (port) => [host, String(port)] },
    { name: `ncat${family}`, program: 'ncat', args: (port) => [host, String(port)] },
    // telnet's way with line ends, from a client that is not telnet.
    { name: `crlf${family}`, program: 'ncat', args: (port) => ['--crlf', host, String(port)] },
    { name: `socat${family}`, program: 'socat', args: (port) => ['-', `TCP${family}:${at(host, port)}`] },
    { name: `telnet${family}`, program: 'telnet', args: (port) => [host, String(port)] },
  ] satisfies Guest[];
});

test('nc, ncat, socat and telnet, over both families, talk to each other and to partyline chat', async (t) => {
  if (!needs(t, ['nc', 'ncat', 'socat', 'telnet'])) return;
  await using server = await startServer();
  const present = new Map<string, Program>();
  t.after(() => Promise.all(Array.from(present.values(), (program) => program[Symbol.asyncDispose]())));
  const of = (name: string): Program => {
    const program = present.get(name);
    assert.ok(program, `${name} is not here`);
    return program;
  };
  const say = (name: string, line: string): void => void of(name).stdin.write(`${line}\n`);

  for (const { name, program, args } of GUESTS) {
    const guest = start(program, args(server.port));
    present.set(name, guest);
    await guest.stdout.until('Enter your name: ');
    guest.stdin.write(`${name}\n`);
    await guest.stdout.until(/^Format: .*\n\n/m);
  }
  await using chat = partyline(['chat', at('::1', server.port), '--name', 'native']);
  present.set('native', chat);
  await chat.stdout.until(/^Format: .*\n\n/m);
  const names = [...GUESTS.map(({ name }) => name), 'native'];

  // Everyone to everyone, in turn: the others hear it, in this order, each once.
  for (const from of names) {
    say(from, `send all grüße from ${from} 🙄`);
    for (const name of names) {
      if (name !== from) await of(name).stdout.until(`${from} (broadcasted) : grüße from ${from} 🙄\n`);
    }
  }
  // Each to the next one and to the one after: these two hear it, nobody else.
  for (const [n, from] of names.entries()) {
    const to = [1, 2].map((step) => names[(n + step) % names.length] ?? '');
    say(from, `send ${to.join(' ')} : between us`);
    for (const name of to) await of(name).stdout.until(`${from} (multicasted) : between us\n`);
  }
  for (const name of names) {
    say(name, 'get_list');
    const heard = await of(name).stdout.until(/Available client: .*\n/);
    assert.ok(heard.endsWith(`Available client: ${names.join(' ')}\n`), heard);
    const { text } = of(name).stdout;
    assert.equal(text.match(/\(broadcasted\)/g)?.length, names.length - 1, name);
    assert.equal(text.match(/\(multicasted\)/g)?.length, 2, name);
    assert.doesNotMatch(text, /^error: /m);
  }
  for (const { name } of GUESTS) {
    say(name, 'quit');
    await server.program.stdout.until(`${name} connection closed\n`);
    // What its own status means is each program's affair: telnet says 1 when the other side closes.
    of(name).stdin.end();
    await of(name).ended;
  }
  chat.stdin.end();
  assert.equal(await chat.ended, 0);
  await using last = await Caller.named('last', '127.0.0.1', server.port);
  last.type('get_list');
  assert.match(await last.until(/Available.*\n/), /Available client: last\n$/);
  assert.equal(server.program.stderr.text, '');
});

for (const host of LOOPBACKS) {
  const family = host.includes(':') ? '6' : '4';
  const scripts: Readonly<Record<string, (port: number) => string[]>> = {
    nc: (port) => ['-N', host, String(port)],
    ncat: (port) => [host, String(port)],
    socat: (port) => ['-t', '60', '-', `TCP${family}:${at(host, port)}`],
  };
  for (const [program, argsFor] of Object.entries(scripts)) {
    test(`a script pipes a name, a message and a command into ${program}: ${host}`, async (t) => {
      if (!needs(t, [program])) return;
      await using server = await startServer();
      await using bob = await Caller.named('bob', host, server.port);
      const token = await server.token();
      await using talk = start(program, argsFor(server.port));
      const talked = await outcomeOf(talk, 'A\nsend all hi\nget_list\nquit\n');
      assert.deepEqual([talked.status, talked.stderr], [0, '']);
      assert.match(
        talked.stdout,
        /^(?:Enter your name: )?Connected with Server at .*\n\nFormat: .*\n\n.*\nAvailable client: bob A\n$/,
      );
      assert.match(await bob.until(/hi\n/), /A \(broadcasted\) : hi\n$/);
      // No quit: the end of the input waits for what runs.
      await using run = start(program, argsFor(server.port));
      const ran = await outcomeOf(run, `login ${token}\nrun : sleep 0.2; seq 1000; exit 3\n`);
      assert.deepEqual([ran.status, ran.stderr], [0, '']);
      const shown = ran.stdout.slice(ran.stdout.indexOf('Server| '));
      const lines = Array.from({ length: 1_000 }, (_, n) => `Server| ${n + 1}\n`);
      assert.equal(shown, `${lines.join('')}Server exited 3\n`);
    });
  }
}
