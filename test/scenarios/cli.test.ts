// The program itself: help, version, wrong words, and being started from anywhere.

import assert from 'node:assert/strict';
import { readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { COMMANDS } from '../../src/cli/commands.ts';
import { aDirectory } from '../kit/directory.ts';
import { outcomeOf, partyline, PARTYLINE, ROOT, start } from '../kit/program.ts';

test('every command explains itself with examples, on stdout, with status 0', async () => {
  await using program = partyline(['--help']);
  const { status, stdout, stderr } = await outcomeOf(program);
  assert.deepEqual([status, stderr], [0, '']);
  const commands = Array.from(stdout.matchAll(/^ {2}(\w+) {2,}/gm), ([, command = '']) => command);
  assert.deepEqual(commands, Object.keys(COMMANDS));
  for (const command of commands) {
    for (const args of [
      [command, '--help'],
      ['help', command],
    ]) {
      await using explained = partyline(args);
      const help = await outcomeOf(explained);
      assert.deepEqual([help.status, help.stderr], [0, '']);
      assert.match(help.stdout, new RegExp(`partyline ${command}`));
      assert.match(help.stdout, /--json/);
    }
  }
});

test('the version is the package’s', async () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  await using program = partyline(['--version']);
  assert.deepEqual(await outcomeOf(program), { status: 0, stdout: `${version}\n`, stderr: '' });
});

test('a word that is no command is status 64 and named', async () => {
  for (const word of ['dance', 'constructor', '--dance']) {
    await using program = partyline([word]);
    const { status, stdout, stderr } = await outcomeOf(program);
    assert.deepEqual([status, stdout], [64, '']);
    assert.equal(stderr, `partyline: no command "${word}": the commands are ${Object.keys(COMMANDS).join(', ')}\n`);
  }
});

test('it starts through symbolic links, from any directory', async (t) => {
  const directory = aDirectory(t);
  symlinkSync(PARTYLINE, join(directory, 'absolute'));
  symlinkSync('absolute', join(directory, 'relative'));
  for (const file of ['./relative', './absolute', join(directory, 'relative')]) {
    await using program = start(file, ['--version'], { cwd: directory });
    const { status, stderr } = await outcomeOf(program);
    assert.deepEqual([status, stderr], [0, ''], file);
  }
});

test('it starts whatever Node is told about authorities in the environment', async () => {
  for (const env of [
    { NODE_OPTIONS: '--use-system-ca' },
    { NODE_OPTIONS: '--use-bundled-ca' },
    { NODE_USE_SYSTEM_CA: '1' },
  ]) {
    await using program = partyline(['--version'], { env });
    const { status, stderr } = await outcomeOf(program);
    assert.deepEqual([status, stderr], [0, ''], JSON.stringify(env));
  }
});

test('a reader that has seen enough ends it quietly', async () => {
  await using shell = start('/bin/sh', ['-c', '"$0" --help | head -n 1', PARTYLINE]);
  const { stdout, stderr } = await outcomeOf(shell);
  assert.match(stdout, /^Partyline: [^\n]*\n$/);
  assert.equal(stderr, '');
});
