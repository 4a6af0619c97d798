// Commands from `nc`: who may give them, what of their output a person sees, and when they end.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from '../../src/client/mod.ts';
import { asOwner, newAccounts } from '../kit/accounts.ts';
import { Caller } from '../kit/caller.ts';
import { aDirectory } from '../kit/directory.ts';
import { hasProc, isRunning, until, writtenBytes } from '../kit/proc.ts';
import { ROOT } from '../kit/program.ts';
import { at, LOOPBACKS, startServer, type TestServer } from '../kit/server.ts';

const TRANSCRIPT = join(ROOT, 'test/vectors/transcripts/run-both-families.txt');
/** The line that ends a run. */
const ENDED = /^\S+ (?:exited \d+|died of signal \d+)\n/m;

async function owner(host: string, server: TestServer): Promise<Caller> {
  return await Caller.named(`login ${await server.token()}`, host, server.port);
}

async function heardOf(caller: Caller, command: string): Promise<string> {
  caller.type(`run : ${command}`);
  return await caller.until(ENDED);
}

/** The id that a command has told as its first line. */
async function pidFrom(caller: Caller): Promise<number> {
  const pid = /^Server\| (\d+)\n$/m.exec(await caller.until(/^Server\| \d+\n/m))?.[1];
  return Number(pid);
}

for (const host of LOOPBACKS) {
  test(`the owner token brings its bearer in, or raises the rights and keeps the name: ${host}`, async () => {
    await using server = await startServer();
    const token = await server.token();
    await using first = await Caller.connect(host, server.port);
    await first.until('Enter your name: ');
    first.type(`login ${token}x`);
    assert.equal(
      await first.until('Enter your name: '),
      'error: Cannot log in: the code or token is not valid\nEnter your name: ',
    );
    first.type(`login ${token}`);
    assert.match(await first.until(/^Format: .*\n\n/m), /^Connected with Server at /);
    await server.program.stdout.until(/^Name of client: owner\n/m);
    assert.equal(await heardOf(first, 'echo hi'), 'Server| hi\nServer exited 0\n');

    await using bob = await Caller.named('bob', host, server.port);
    bob.type('run : echo hi');
    assert.match(
      await bob.until('\n'),
      /^error: Cannot run .* on "Server" as \S+, a (?:guest|member): .*; nothing was started/,
    );
    bob.type('login wrong');
    assert.equal(await bob.until('\n'), 'error: Cannot log in: the token is not valid\n');
    bob.type('run : echo hi');
    assert.match(
      await bob.until('\n'),
      /^error: Cannot run .* on "Server" as \S+, a (?:guest|member): .*; nothing was started/,
    );
    bob.type(`login ${token}`);
    assert.equal(await bob.until('\n'), 'bob has the rights of owner until this connection ends\n');
    assert.equal(await heardOf(bob, 'echo hi'), 'Server| hi\nServer exited 0\n');
    bob.type('get_list');
    assert.match(await bob.until(/Available.*\n/), /\nAvailable client: owner bob\n$/);
    assert.equal(server.program.stdout.text.match(/^Given command /gm)?.length, 2);
  });

  test(`rights that were lent by a token end with it, or with its account: ${host}`, async () => {
    await using server = await startServer();
    const [token = '', other = ''] = await newAccounts(['dave', 'eve'], server);
    await using owner = await asOwner(server, host);
    await using bob = await Caller.named('bob', host, server.port);
    bob.type(`login ${token}`);
    assert.equal(await bob.until('\n'), 'bob has the rights of dave until this connection ends\n');
    await owner.revoke('dave');
    assert.equal(await bob.until('\n'), 'bob has the rights of dave no longer: they were taken back\n');
    bob.type(`login ${other}`);
    assert.equal(await bob.until('\n'), 'bob has the rights of eve until this connection ends\n');
    await using eve = await connect({ host: at(host, server.port), credential: { token: other } });
    const { id = 0 } = (await eve.tokens()).find(({ label }) => label === 'test') ?? {};
    await eve.removeToken(id);
    assert.equal(await bob.until('\n'), 'bob has the rights of eve no longer: they were taken back\n');
    assert.equal(await bob.barrier(), '');
    // What runs by lent rights ends with them.
    const lent = await owner.createToken('lent');
    bob.type(`login ${lent.token}`);
    assert.match(await bob.until('\n'), /^bob has the rights of owner /);
    bob.type('run : echo on; exec sleep 1000');
    assert.equal(await bob.until('\n'), 'Server| on\n');
    await owner.removeToken(lent.id);
    assert.equal(await bob.until('\n'), 'bob has the rights of owner no longer: they were taken back\n');
    assert.equal(await bob.until('\n'), 'Server cancelled\n');
  });

  test(`over either family the same commands bring the same: ${host}`, async () => {
    // Commands run where the server was started, and that is here.
    const { stdout: listing } = spawnSync('ls', { encoding: 'utf8' });
    await using server = await startServer();
    await using caller = await owner(host, server);
    const heard: Readonly<Record<string, RegExp>> = {
      hi: /^hi\n$/,
      'the shell\'s "not found"': /^.*: invalid: not found\n$/,
      'the listing, one per line': new RegExp(`^${RegExp.escape(listing)}$`),
      nothing: /^no output\n$/,
    };
    const lines = readFileSync(TRANSCRIPT, 'utf8').matchAll(/^client > (.+?) {2,}client < (.+?) {2,}status (\d+)$/gm);
    let replayed = 0;
    for (const [, command = '', answer = '', status] of lines) {
      const text = await heardOf(caller, command);
      const output = heard[answer];
      assert.ok(output, `no test for ${answer}`);
      assert.ok(text.endsWith(`\nServer exited ${status}\n`), text);
      const shown = text.slice(0, text.lastIndexOf('Server exited'));
      assert.match(shown, status === '0' ? /^Server[| ]/ : /^Server! /);
      assert.match(shown.replaceAll(/^Server[|!]? /gm, ''), output);
      replayed++;
    }
    assert.equal(replayed, 4);
  });

  test(`output is shown line by line and drives no terminal: ${host}`, async () => {
    await using server = await startServer();
    await using caller = await owner(host, server);
    const table: [command: string, shown: string][] = [
      ['exit 3', 'Server no output\nServer exited 3\n'],
      ['kill -9 $$', 'Server no output\nServer died of signal 9\n'],
      ['echo oh >&2; exit 1', 'Server! oh\nServer exited 1\n'],
      ["printf 'a\\nunfinished'", 'Server| a\nServer| unfinished\nServer exited 0\n'],
      ["printf 'unfinished' >&2", 'Server! unfinished\nServer exited 0\n'],
      ["printf 'a\\r\\n\\n b\\n'", 'Server| a\nServer| \nServer|  b\nServer exited 0\n'],
      [
        "printf '\\033]0;owned\\007\\t\\302\\233\\342\\200\\256x'",
        'Server| \\x1b]0;owned\\x07\\t\\x9b\\u202ex\nServer exited 0\n',
      ],
      ["printf 'caf\\351 \\377\\376|\\303' >&2", 'Server! caf\ufffd \ufffd\ufffd|\ufffd\nServer exited 0\n'],
      ["printf 'Server exited 0'", 'Server| Server exited 0\nServer exited 0\n'],
      // Nobody types into a command of the line protocol: it finds its input at the end.
      ['cat; echo done', 'Server| done\nServer exited 0\n'],
    ];
    for (const [command, shown] of table) {
      caller.type(`run : ${command}`);
      assert.equal(await caller.until(ENDED), shown, command);
    }
    assert.equal(await caller.barrier(), '');
  });

  test(`only this server can be told to run, by its name or by none: ${host}`, async () => {
    await using server = await startServer({ args: ['--name', 'Lab'] });
    await using caller = await owner(host, server);
    for (const to of ['', ' Lab', ' lab']) {
      caller.type(`run${to} : echo a : b`);
      assert.equal(await caller.until(ENDED), 'Lab| a : b\nLab exited 0\n');
    }
    for (const to of ['web1', 'Lab web1', 'all']) {
      caller.type(`run ${to} : echo x`);
      assert.match(
        await caller.until('\n'),
        /^error: Cannot run: (?:no machine named "web1" has joined|"all" matches no machine); nothing was started\n$/,
      );
    }
    caller.type('run echo x');
    assert.match(await caller.until('\n'), /^error: Cannot read the command: its form is run /);
    assert.equal(server.program.stdout.text.match(/^Given command /gm)?.length, 3);
  });

  test(`the console shows each command escaped, on one line of 200 characters: ${host}`, async () => {
    await using server = await startServer();
    await using caller = await owner(host, server);
    assert.equal(await heardOf(caller, 'true'), 'Server no output\nServer exited 0\n');
    await server.program.stdout.until(`Given command true (owner from ${host} on Server)\n`);
    await heardOf(caller, `true \x1b]0;owned\x07 \u202e${'🙄'.repeat(300)}`);
    const line = /Given command .*\n$/.exec(await server.program.stdout.until(/Given command .*\n/))?.[0] ?? '';
    assert.match(line, /^Given command true \\x1b\]0;owned\\x07 \\u202e(?:🙄)+… \(owner from .* on Server\)\n$/u);
    assert.ok(line.length - 1 <= 200, `${line.length - 1} characters`);
  });

  test(`the owner token is told to nobody, however it was typed: ${host}`, async () => {
    await using server = await startServer({ args: ['--verbose'] });
    const token = await server.token();
    {
      await using witness = await Caller.named('witness', host, server.port);
      await using caller = await owner(host, server);
      for (const line of [`login ${token}`, `login ${token}${token}`, `Login ${token}`, `login\t${token}`, token]) {
        caller.type(line);
        await caller.until('\n');
        await using another = await Caller.connect(host, server.port);
        another.socket.end(`${line}\n`);
        await another.heard.rest();
      }
      assert.equal(await heardOf(caller, 'echo done'), 'Server| done\nServer exited 0\n');
      assert.equal(await witness.barrier(), '');
    }
    server.program.kill('SIGTERM');
    assert.equal(await server.program.ended, 0);
    for (const { text } of [server.program.stdout, server.program.stderr]) {
      assert.notEqual(text, '');
      // Half of it would be too much, too.
      for (const part of [token.slice(0, 20), token.slice(-20)]) assert.ok(!text.includes(part));
    }
  });

  test(`of 300,000 lines none is lost, and a reader that does not read stops the command: ${host}`, async (t) => {
    if (!hasProc(t)) return;
    await using server = await startServer();
    await using other = await owner(host, server);
    await using caller = await owner(host, server);
    const count = 300_000;
    const digits = 100;
    caller.type(`run : echo $$; exec seq -f %0${digits}.0f ${count}`);
    const pid = await pidFrom(caller);
    caller.socket.pause();
    // It comes to a stop once the kernel's buffers and the server's outbox are full. Were there no back-pressure, it
    // would come to its end.
    let before = -1;
    await until(async () => {
      for (let turn = 0; turn < 20; turn++) assert.equal(await other.barrier(), '');
      const now = writtenBytes(pid);
      const isStill = now === before;
      before = now;
      return isStill;
    }, 'the command stands still');
    // Linux lets a loopback connection hold 10 MiB (tcp_rmem, tcp_wmem); the outbox and the pipes hold less than one.
    const atMost = 16 * 1_048_576;
    assert.ok(before < atMost, `${before} bytes were written for a reader that has read nothing`);
    assert.ok(count * digits > 1.5 * atMost);

    let heard = caller.heard.text.slice(caller.heard.text.lastIndexOf('Server| '.concat(String(pid))));
    heard = heard.slice(heard.indexOf('\n') + 1);
    let next = 1;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const check = (): void => {
      const lines = heard.split('\n');
      heard = lines.pop() ?? '';
      for (const line of lines) {
        if (next <= count) {
          if (line !== `Server| ${String(next).padStart(digits, '0')}`) reject(new Error(`line ${next} is ${line}`));
          next++;
        } else if (line === 'Server exited 0') resolve();
        else reject(new Error(`after the last line: ${line}`));
      }
    };
    caller.socket.removeAllListeners('data');
    caller.socket.on('data', (chunk: string) => {
      heard += chunk;
      check();
      // A slow one: every chunk makes it wait for a turn.
      caller.socket.pause();
      setImmediate(() => caller.socket.resume());
    });
    caller.socket.once('close', () => reject(new Error(`closed at line ${next}`)));
    caller.socket.resume();
    check();
    await promise;
    assert.equal(next, count + 1);
  });

  test(`after an end of input, and after quit, the connection stays until the command has ended: ${host}`, async (t) => {
    const directory = aDirectory(t);
    await using server = await startServer();
    await using other = await Caller.named('other', host, server.port);
    const token = await server.token();
    for (const how of ['eof', 'quit'] as const) {
      const gate = join(directory, how);
      await using caller = await Caller.connect(host, server.port);
      const said = `login ${token}\nrun : echo started; until [ -e ${gate} ]; do sleep 0.02; done; echo late; exit 4\n`;
      if (how === 'eof') caller.socket.end(said);
      else caller.socket.write(`${said}quit\n`);
      await caller.until('Server| started\n');
      await server.program.stdout.until('owner connection closed\n');
      // Left the chat, still connected; what it says now goes nowhere.
      if (how === 'quit') caller.type('send all I am still here');
      other.type('get_list');
      assert.match(await other.until(/Available.*\n/), /Available client: other\n$/);
      writeFileSync(gate, '');
      assert.equal(await caller.until(/exited \d+\n/), 'Server| late\nServer exited 4\n');
      assert.equal(await caller.heard.rest(), '');
      assert.equal(await other.barrier(), '');
    }
  });

  test(`whoever is cut off leaves no command behind: ${host}`, async (t) => {
    if (!hasProc(t)) return;
    await using server = await startServer();
    const table: [how: string, cut: (caller: Caller) => void][] = [
      ['reset', ({ socket }) => void socket.resetAndDestroy()],
      ['closed with bytes unread', ({ socket }) => void socket.pause().destroy()],
    ];
    for (const [how, cut] of table) {
      await using caller = await owner(host, server);
      caller.type("run : echo $$; trap '' HUP; while :; do echo more; done");
      const pid = await pidFrom(caller);
      assert.ok(isRunning(pid));
      cut(caller);
      await until(() => !isRunning(pid), `the command of a connection that was ${how} has gone`);
    }
    await using silent = await owner(host, server);
    silent.type('run : echo $$; exec sleep 1000');
    const pid = await pidFrom(silent);
    silent.socket.resetAndDestroy();
    await until(() => !isRunning(pid), 'a command that writes nothing has gone');
    // A half-close alone is no reason to end a command; being gone after it is, though nothing is read or written.
    await using halfClosed = await owner(host, server);
    halfClosed.socket.end('run : echo $$; exec sleep 1000\n');
    const left = await pidFrom(halfClosed);
    assert.ok(isRunning(left));
    halfClosed.socket.resetAndDestroy();
    await until(() => !isRunning(left), 'a silent command of a connection half-closed and then reset has gone');
    await using after = await owner(host, server);
    assert.equal(await heardOf(after, 'echo hi'), 'Server| hi\nServer exited 0\n');
    assert.equal(server.program.stderr.text, '');
  });

  test(`one session runs sixteen commands at once, and no more: ${host}`, async (t) => {
    if (!hasProc(t)) return;
    const gate = join(aDirectory(t), 'gate');
    await using server = await startServer();
    await using caller = await owner(host, server);
    for (let n = 0; n < 17; n++) caller.type(`run : until [ -e ${gate} ]; do sleep 0.05; done`);
    assert.match(
      await caller.until('\n'),
      /^error: Cannot run: 16 commands of this session are running, 16 are the most; nothing was started\n$/,
    );
    await using another = await owner(host, server);
    assert.equal(await heardOf(another, 'echo hi'), 'Server| hi\nServer exited 0\n');
    writeFileSync(gate, '');
    for (let n = 0; n < 16; n++) assert.equal(await caller.until(ENDED), 'Server no output\nServer exited 0\n');
    assert.equal(await heardOf(caller, 'echo hi'), 'Server| hi\nServer exited 0\n');
  });
}
