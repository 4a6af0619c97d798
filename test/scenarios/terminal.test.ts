// The commands where a person sits: standard input and output are a terminal, made by `script`.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { aDirectory } from '../kit/directory.ts';
import { needs } from '../kit/needs.ts';
import { outcomeOf, PARTYLINE, partyline, start } from '../kit/program.ts';
import { hasProc, isRunning, until } from '../kit/proc.ts';
import { at, LOOPBACKS, startServer } from '../kit/server.ts';
import { loggedIn, refused, someone } from '../kit/someone.ts';

/** Or is a zombie, where nobody asks for its status. */
function hasEnded(pid: number): boolean {
  return !isRunning(pid) || /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
}

for (const host of LOOPBACKS) {
  test(`run on a terminal: a typed line goes there and comes back, Ctrl-D ends it: ${host}`, async (t) => {
    if (!needs(t, ['script'])) return;
    await using server = await startServer();
    const command = `'${PARTYLINE}' run '${at(host, server.port)}' -- cat`;
    await using terminal = start('script', ['-qec', command, '/dev/null'], { env: server.env });
    terminal.stdin.write('hello\n');
    // Once as the terminal shows what is typed, once from cat.
    await terminal.stdout.until('hello\r\nhello\r\n');
    terminal.stdin.write('\x04');
    assert.equal(await terminal.ended, 0);
  });

  test(`run on a terminal: Ctrl-C ends the command there: ${host}`, async (t) => {
    if (!needs(t, ['script'])) return;
    await using server = await startServer();
    const command = `'${PARTYLINE}' run '${at(host, server.port)}' -- 'echo started; exec sleep 1000'`;
    await using terminal = start('script', ['-qec', command, '/dev/null'], { env: server.env });
    await terminal.stdout.until('started');
    terminal.stdin.write('\x03');
    assert.equal(await terminal.ended, 130);
  });

  test(`chat asks for the password of an account that is not logged in, on a terminal alone: ${host}`, async (t) => {
    if (!needs(t, ['script'])) return;
    await using server = await startServer();
    const target = at(host, server.port);
    const bob = await loggedIn('bob', { owner: someone(server.directory, target), state: aDirectory(t), target });
    assert.equal((await bob.run(['password'], 'open sesame\n')).status, 0);
    const state = aDirectory(t);
    const env = { PARTYLINE_DATA: state, PARTYLINE_HOST: target, PARTYLINE_TOKEN_FILE: '' };
    const piped = await outcomeOf(partyline(['chat', '--name', 'bob'], { env }), 'open sesame\nget_list\n');
    refused(
      piped,
      /^partyline chat: Cannot come in at .* as "bob": it is an account: nobody is logged in to it here, and a password is asked for on a terminal alone; log in to it once with partyline login --host .* --name bob\n$/,
      255,
    );
    const come = () => start('script', ['-qec', `'${PARTYLINE}' chat --name bob`, '/dev/null'], { env });
    {
      await using terminal = come();
      await terminal.stdout.until('Password: ');
      terminal.stdin.write('open sesame\r');
      await terminal.stdout.until(/^Connected with Server at /m);
      terminal.stdin.write('get_list\n');
      await terminal.stdout.until(/^Available client: bob\r$/m);
      assert.ok(!terminal.stdout.text.includes('sesame'), 'the password is not shown');
      terminal.stdin.write('quit\n');
      assert.equal(await terminal.ended, 0);
    }
    await using terminal = come();
    await terminal.stdout.until('Password: ');
    terminal.stdin.write('wrong\r');
    await terminal.stdout.until(/^partyline chat: Cannot come in as bob: the password is not right\r$/m);
    assert.equal(await terminal.ended, 255);
  });
}

test("serve on a terminal: an operator's SIGHUP is no end, the end of the terminal is", async (t) => {
  if (!needs(t, ['script']) || !hasProc(t)) return;
  const data = aDirectory(t);
  const command = `echo $$; exec '${PARTYLINE}' serve --verbose --data '${data}' --listen tcp://localhost:0`;
  await using terminal = start('script', ['-qec', command, '/dev/null']);
  const pid = Number(/^(\d+)/.exec(await terminal.stdout.until(/^\d+\r\n/))?.[1]);
  await terminal.stdout.until(/^ready\r\n/m);
  process.kill(pid, 'SIGHUP');
  await terminal.stdout.until(/^info certificate /m);
  // Whoever holds the terminal goes, and the terminal with it.
  terminal.kill('SIGKILL');
  await until(() => hasEnded(pid), 'the server has ended');
});
