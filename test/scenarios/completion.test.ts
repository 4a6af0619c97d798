// What `partyline completion` prints, in the shells that it is for.

import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { aDirectory } from '../kit/directory.ts';
import { needs } from '../kit/needs.ts';
import { outcomeOf, partyline, ROOT, start } from '../kit/program.ts';

/** A directory with the script, a file and two directories to complete. */
async function aPlace(t: TestContext, shell: string): Promise<string> {
  const place = aDirectory(t);
  await using program = partyline(['completion', shell]);
  const { status, stdout, stderr } = await outcomeOf(program);
  assert.deepEqual([status, stderr], [0, '']);
  assert.ok(!stdout.includes(ROOT), 'it has a path of this machine');
  writeFileSync(join(place, 'script'), stdout);
  writeFileSync(join(place, 'some file'), '');
  mkdirSync(join(place, 'some place *'));
  mkdirSync(join(place, 'other'));
  return place;
}

interface Asked {
  readonly line: string;
  readonly offers: readonly string[];
}

const ASKED: readonly Asked[] = [
  { line: 'partyline ch', offers: ['chat'] },
  { line: 'partyline comp', offers: ['completion'] },
  { line: 'partyline serve --o', offers: ['--open', '--owner'] },
  { line: 'partyline serve --json --da', offers: ['--data'] },
  { line: 'partyline echo --int', offers: ['--interval'] },
  { line: 'partyline run --ti', offers: ['--timeout'] },
  { line: 'partyline completion f', offers: ['fish'] },
  { line: 'partyline exp', offers: ['export'] },
  { line: 'partyline groups l', offers: ['leave'] },
  { line: 'partyline token r', offers: ['remove'] },
  { line: 'partyline token new x --o', offers: ['--out'] },
  { line: 'partyline invite bob --role o', offers: ['operator'] },
  { line: 'partyline invite --role operator --as b', offers: ['bot'] },
  { line: 'partyline chat --name ', offers: [] },
  { line: 'partyline help ec', offers: ['echo'] },
  { line: 'partyline verify --js', offers: ['--json'] },
];

/** Where a FILE is expected. */
const FILES = ['partyline backup some', 'partyline restore --data other some', 'partyline verify some'];

test('bash completes commands, options, and files and directories where they are expected', async (t) => {
  if (!needs(t, ['bash'])) return;
  const cwd = await aPlace(t, 'bash');
  const asked = [
    ...ASKED,
    { line: 'partyline serve --data some', offers: ['some place *'] },
    { line: 'partyline serve --data = o', offers: ['other'] },
    { line: 'partyline run -- some', offers: ['some file', 'some place *'] },
    ...FILES.map((line) => ({ line, offers: ['some file', 'some place *'] })),
    { line: 'partyline backup --data some', offers: ['some place *'] },
  ];
  for (const { line, offers } of asked) {
    // As bash calls it: the words of the line, and which of them the cursor is in.
    const ask = `source ./script; complete -p partyline >&2; IFS=' '; set -f
      words=$1; COMP_WORDS=($words); [[ $words == *' ' ]] && COMP_WORDS+=('')
      COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _partyline; printf '%s\\n' "\${COMPREPLY[@]}"`;
    await using shell = start('bash', ['--norc', '-c', ask, 'bash', line], { cwd });
    const { stdout, stderr } = await outcomeOf(shell);
    assert.equal(stderr, 'complete -F _partyline partyline\n', line);
    assert.deepEqual(
      stdout
        .split('\n')
        .filter((word) => word !== '')
        .sort(),
      offers,
      line,
    );
  }
});

test('fish completes commands, options, and files and directories where they are expected', async (t) => {
  if (!needs(t, ['fish'])) return;
  const cwd = await aPlace(t, 'fish');
  const asked = [
    ...ASKED,
    { line: 'partyline serve --data oth', offers: ['other/'] },
    { line: 'partyline run -- some', offers: ['some file', 'some place */'] },
    ...FILES.map((line) => ({ line, offers: ['some file', 'some place */'] })),
    { line: 'partyline backup --data oth', offers: ['other/'] },
  ];
  for (const { line, offers } of asked) {
    const ask = 'source ./script; complete -C $argv[1]';
    await using shell = start('fish', ['--no-config', '-c', ask, line], { cwd, env: { HOME: cwd } });
    const { stdout, stderr } = await outcomeOf(shell);
    assert.equal(stderr, '', line);
    const words = stdout.split('\n').filter((word) => word !== '');
    assert.deepEqual(words.map((word) => word.split('\t')[0] ?? '').sort(), offers, line);
  }
});

test('zsh completes commands, options, and files and directories where they are expected', async (t) => {
  if (!needs(t, ['zsh'])) return;
  const cwd = await aPlace(t, 'zsh');
  const asked = [
    ...ASKED.filter(({ offers }) => offers.length === 1),
    { line: 'partyline serve --data oth', offers: ['other'] },
    { line: 'partyline run -- some\\ f', offers: ['some file'] },
    ...FILES.map((line) => ({ line: `${line}\\ f`, offers: ['some file'] })),
    { line: 'partyline backup --data oth', offers: ['other'] },
  ];
  // A zsh of its own on a terminal of its own: there is no other way to have it complete. It is typed at, and what the
  // line has become is what `partyline` is then called with.
  const ask = `zmodload zsh/zpty; zpty terminal zsh -f -i
    until_seen() {
      local heard piece
      while [[ $heard != *$1* ]] { zpty -r terminal piece || exit 1; heard+=$piece }
      print -r -- $heard
    }
    zpty -w -n terminal $'PS1=; autoload -U compinit; compinit -D; source ./script\\n'
    zpty -w -n terminal $'partyline() { print -r -- "[last:"$@[-1]"]""end" }; print rea""dy\\n'
    until_seen ready >/dev/null
    for line in "$@"; do zpty -w -n terminal "$line"$'\\t\\n'; until_seen ']end'; done
    zpty -d terminal`;
  const lines = asked.map(({ line }) => line);
  await using shell = start('zsh', ['-f', '-c', ask, 'zsh', ...lines], { cwd, env: { TERM: 'dumb', HOME: cwd } });
  const { stdout } = await outcomeOf(shell);
  const last = Array.from(stdout.matchAll(/\[last:([^"$\]]*)\]end/g), ([, word]) => word);
  assert.deepEqual(
    last,
    asked.map(({ offers }) => offers[0]),
    stdout,
  );
});

test('without a shell that it knows it says which there are', async () => {
  for (const args of [[], ['tcsh'], ['bash', 'zsh'], ['constructor']]) {
    await using program = partyline(['completion', ...args]);
    const stderr = 'partyline completion: one of bash, zsh, fish is expected\n';
    assert.deepEqual(await outcomeOf(program), { status: 64, stdout: '', stderr });
  }
});
