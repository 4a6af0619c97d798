// The commands where a person sits: standard input and output are a terminal, made by `script`.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { aDirectory } from '../kit/directory.ts';
import { needs } from '../kit/needs.ts';
import { PARTYLINE, start } from '../kit/program.ts';
import { hasProc, isRunning, until } from '../kit/proc.ts';
import { at, LOOPBACKS, startServer } from '../kit/server.ts';

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
