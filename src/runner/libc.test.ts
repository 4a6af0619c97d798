import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { aDirectory } from '../../test/kit/directory.ts';
import type { Ending } from '../core/run/result.ts';
import { isRecord } from '../protocol/native/rpc.ts';
import { findQuickStarts, type QuickStart } from './libc.ts';

const quick = await findQuickStarts();
const LIMIT = { timeout: 20_000, skip: quick === undefined && 'not on this system' };
const PATH = '/usr/local/bin:/usr/bin:/bin';
/** Session and group beside the own number, signals blocked and ignored, descriptors, environment, place. */
const SAYS_ALL = `
  read pid name state parent group session rest < /proc/$$/stat
  [ $group = $$ ] && [ $session = $$ ] && echo a session of its own
  grep -E '^Sig(Blk|Ign)' /proc/self/status
  ls /proc/self/fd | tr '\\n' ' '
  env | grep -v ^_= | sort
  pwd`;

interface Said {
  readonly out: string;
  readonly ending: Ending;
}

/** Undefined: it is not started so. */
async function started(t: { after(action: () => void): void }, start: Omit<QuickStart, 'ends'>) {
  // Nothing else holds the event loop while a signal is waited for.
  const held = setInterval(() => {}, 1_000);
  const path = join(aDirectory(t), 'out');
  const [input, output] = [openSync('/dev/null', 'r'), openSync(path, 'w')];
  const born = quick?.start({ ...start, ends: [input, output, output] });
  closeSync(input);
  closeSync(output);
  const ending = born && (await new Promise<Ending>((tell) => born.onExit(tell)));
  clearInterval(held);
  return ending && ({ ending, out: readFileSync(path, 'utf8') } satisfies Said);
}

/** posix_spawn_file_actions_addchdir_np(3) is of glibc 2.29; of musl nothing is said here. */
const OLDEST_GLIBC = [2, 29] as const;

function hasNewGlibc(): boolean {
  const header: unknown = Reflect.get(process.report.getReport(), 'header');
  const version = isRecord(header) ? header['glibcVersionRuntime'] : undefined;
  const [major = 0, minor = 0] = typeof version === 'string' ? version.split('.').map(Number) : [];
  const [oldestMajor, oldestMinor] = OLDEST_GLIBC;
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
}

const isKnown = process.platform === 'linux' && ['x64', 'arm64'].includes(process.arch) && hasNewGlibc();

test('where the C library has it, it is found', { skip: !isKnown && 'not on this system' }, () => {
  // Without it all that follows would be left out, and every command be started in the slow way.
  assert.notEqual(quick, undefined);
});

test('a command started quickly finds what one that Node starts finds', LIMIT, async (t) => {
  const cwd = aDirectory(t);
  const env = { PATH, ODD: 'ä = "x"\n', EMPTY: '' };
  const child = spawn('/bin/sh', ['-c', SAYS_ALL], { env, cwd, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  let byNode = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (byNode += text));
  await once(child, 'close');
  const quickly = await started(t, { file: '/bin/sh', args: ['-c', SAYS_ALL], env, cwd });
  assert.match(byNode, /^a session of its own\nSigBlk:\t0+\nSigIgn:\t0+\n0 1 2 .*\nEMPTY=\n/);
  assert.deepEqual(quickly, { ending: { kind: 'code', code: 0 }, out: byNode });
});

test('each of several at once has the end that is its own', LIMIT, async (t) => {
  const lines = ['exit 0', 'exit 5', 'exit 255', 'kill -9 $$', 'kill -PIPE $$'];
  const ended = await Promise.all(
    lines.map((line) => started(t, { file: '/bin/sh', args: ['-c', line], env: { PATH } })),
  );
  assert.deepEqual(
    ended.map((one) => one?.ending),
    [
      { kind: 'code', code: 0 },
      { kind: 'code', code: 5 },
      { kind: 'code', code: 255 },
      { kind: 'signal', signal: 9 },
      { kind: 'signal', signal: 13 },
    ],
  );
});

test('a program is looked for where the command would look, past what is none', LIMIT, async (t) => {
  const directory = aDirectory(t);
  for (const place of ['plain', 'folder', 'there']) mkdirSync(join(directory, place));
  writeFileSync(join(directory, 'plain', 'hello'), 'words\n', { mode: 0o644 });
  mkdirSync(join(directory, 'folder', 'hello'));
  writeFileSync(join(directory, 'there', 'hello'), '#!/bin/sh\necho "$1"\n', { mode: 0o755 });
  const found = ['none', 'plain', 'folder', 'there'].map((place) => join(directory, place)).join(':');
  const said = await started(t, { file: 'hello', args: ['wörld'], env: { PATH: found } });
  assert.equal(said?.out, 'wörld\n');
});

test('what cannot be started so is left to Node, which says why', LIMIT, async (t) => {
  const directory = aDirectory(t);
  const bare = join(directory, 'bare');
  // No `#!`: execvp(3) has a shell read it.
  writeFileSync(bare, 'echo never\n', { mode: 0o755 });
  const starts: readonly Omit<QuickStart, 'ends'>[] = [
    { file: 'no-such-command-here', args: [], env: { PATH } },
    { file: '', args: [], env: { PATH } },
    { file: directory, args: [], env: { PATH } },
    { file: bare, args: [], env: { PATH } },
    { file: 'bare', args: [], env: { PATH: `.:${directory}` } },
    { file: '/bin/sh', args: ['-c', 'true\0'], env: { PATH } },
    { file: '/bin/sh', args: ['-c', 'true'], env: { PATH, TEXT: 'a\0b' } },
    { file: '/bin/sh', args: ['-c', 'true'], env: { PATH }, cwd: join(directory, 'gone') },
  ];
  for (const start of starts) assert.equal(await started(t, start), undefined, JSON.stringify(start));
});
