// The commands where a person sits: standard input and output are a terminal, made by `script`.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { needs } from '../kit/needs.ts';
import { PARTYLINE, start } from '../kit/program.ts';
import { at, LOOPBACKS, startServer } from '../kit/server.ts';

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
