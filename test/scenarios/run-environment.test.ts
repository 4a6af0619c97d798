// What a client by hand sends as an environment: nothing that makes a program run other code, or look elsewhere for its
// own, gets to a command, on a server or on a machine.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { byHand, said } from '../kit/by-hand.ts';
import { aDirectory } from '../kit/directory.ts';
import { aPlace, WHERE } from '../kit/place.ts';
import { LOOPBACKS } from '../kit/server.ts';

/** The dynamic linker, shells, and what interpreters and other programs run at their start. */
const DANGEROUS = [
  'LD_PRELOAD LD_LIBRARY_PATH LD_AUDIT LD_DEBUG GCONV_PATH LOCPATH MALLOC_CHECK_ DYLD_INSERT_LIBRARIES ld_preload',
  'BASH_ENV ENV SHELLOPTS BASHOPTS PS4 IFS CDPATH PROMPT_COMMAND BASH_FUNC_id%%',
  'NODE_OPTIONS NODE_PATH PYTHONSTARTUP PYTHONPATH PERL5OPT PERL5LIB RUBYOPT JAVA_TOOL_OPTIONS',
  'GIT_SSH_COMMAND GIT_EXTERNAL_DIFF PAGER EDITOR LESSOPEN TERMINFO TERMCAP __proto__',
].flatMap((names) => names.split(' '));
/** Names that are none. */
const CROOKED = ['LANG\nLD_PRELOAD', 'LC_ALL=x\nLD_PRELOAD', ' LD_PRELOAD', 'LANG=', ''];
/** Its own business, or the server's. */
const OTHERS = ['PATH', 'HOME', 'USER', 'SHELL', 'TMPDIR', 'PARTYLINE_RUN', 'PARTYLINE_DATA', 'PARTYLINE_TOKEN_FILE'];
const MARK = 'sent-by-hand';

for (const host of LOOPBACKS) {
  for (const where of WHERE) {
    test(`no variable that a client by hand sends makes a command another one, on the ${where}: ${host}`, async (t) => {
      await using place = await aPlace(where, host);
      await using hand = await byHand(host, place.server);
      await hand.becomeOwner();
      const on = where === 'machine' ? { on: place.name } : {};
      const command = { argv: ['/usr/bin/env', '-0'] };
      const good = await said(hand.caller, { ...on, command, env: { LANG: 'C.UTF-8', TERM: 'vt100' } });
      assert.ok('stdout' in good && /^TERM=vt100$/m.test(good.stdout.replaceAll('\0', '\n')), JSON.stringify(good));
      for (const name of [...DANGEROUS, ...CROOKED, ...OTHERS]) {
        const env = JSON.parse(JSON.stringify({ TERM: 'vt100' }));
        Object.defineProperty(env, name, { value: MARK, enumerable: true });
        const told = await said(hand.caller, { ...on, command, env });
        if ('stdout' in told) assert.ok(!told.stdout.includes(MARK), `${JSON.stringify(name)} passed`);
      }
      // And so does nothing that is hidden in a value.
      for (const value of ['x\0LD_PRELOAD=y', 'x\nLD_PRELOAD=y'.padEnd(70_000, '!')]) {
        const told = await said(hand.caller, { ...on, command, env: { LANG: value } });
        const lines = 'stdout' in told ? told.stdout.split('\0') : [];
        assert.deepEqual(
          lines.filter((line) => line.startsWith('LD_')),
          [],
          'a value became a name',
        );
      }
      const file = join(aDirectory(t), 'env.sh');
      writeFileSync(file, `echo ${MARK}\n`);
      const env = { BASH_ENV: file, ENV: file, LD_PRELOAD: file };
      const shell = await said(hand.caller, { ...on, command: { shell: 'echo good' }, env });
      if ('stdout' in shell) assert.equal(shell.stdout, 'good\n');
    });
  }
}
