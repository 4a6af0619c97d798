// The words of a command arrive as they were typed, or nothing is started.

import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { aDirectory } from '../kit/directory.ts';
import { hasProc } from '../kit/proc.ts';
import { outcomeOf, PARTYLINE, start } from '../kit/program.ts';
import { at, LOOPBACKS, startServer } from '../kit/server.ts';

/** A file whose name stands for bytes that are not UTF-8 once they are decoded. */
const OTHER = '\uFFFD';

for (const host of LOOPBACKS) {
  test(`a word that is not UTF-8 starts nothing, and no other file is meant: ${host}`, async (t) => {
    if (!hasProc(t)) return;
    await using server = await startServer();
    const directory = aDirectory(t);
    writeFileSync(`${directory}/${OTHER}`, '');
    // Node gives its own children words in UTF-8 alone; a shell gives any bytes.
    const typed = (name: string) =>
      start(
        '/bin/sh',
        ['-c', `exec "$0" run "$1" -- rm "$2/$(printf '${name}')"`, PARTYLINE, at(host, server.port), directory],
        {
          env: server.env,
        },
      );

    await using wrong = typed('\\377');
    const { status, stdout, stderr } = await outcomeOf(wrong);
    assert.deepEqual({ status, stdout }, { status: 255, stdout: '' });
    assert.match(
      stderr,
      /^partyline run: "[^\n]*" was typed with bytes that are not UTF-8, which cannot be passed on; nothing was started\n$/,
    );
    assert.deepEqual(readdirSync(directory), [OTHER]);

    await using right = typed('\\357\\277\\275');
    assert.equal((await outcomeOf(right)).status, 0);
    assert.deepEqual(readdirSync(directory), []);
  });
}
