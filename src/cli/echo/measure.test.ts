import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matchesPattern, parsePattern } from '../../core/run/pattern.ts';
import { formatWishes } from './measure.ts';
import { readEchoArguments, type EchoArguments } from './options.ts';

function read(...args: string[]): EchoArguments {
  const found = readEchoArguments(args, 'nowhere');
  assert.ok(found.asks === 'echo', JSON.stringify(found));
  return found.given;
}

function why(...args: string[]): string {
  const found = readEchoArguments(args, 'nowhere');
  return found.asks === 'wrong' ? found.why : found.asks;
}

/** As it is asked for elsewhere. */
function asked(...args: string[]): string[] {
  const given = read(...args, '--from', 'web1');
  assert.ok(given.probe?.from !== undefined);
  return ['--measure', formatWishes(given, given.probe), given.probe.from.target];
}

const WISHES: readonly (readonly string[])[] = [
  ['hub.example'],
  ['tls://[2001:db8::1]:443', '--raw'],
  ['hub.example', '-4', '--count', '3', '--interval', '0', '--size', '1200'],
  ['hub.example', '-6', '--name', 'a,name=b,c'],
  ['hub.example:443', '--connect'],
];

for (const wishes of WISHES) {
  test(`what is wished here is what is measured there: ${wishes.join(' ')}`, () => {
    const there = read(...asked(...wishes));
    const here = read(...wishes, '--probe', '--json');
    assert.ok(here.probe !== undefined);
    assert.deepEqual(there, { ...here, probe: { ...here.probe, isForOthers: true } });
  });
}

test('one pattern of a policy is the question, and nothing else that echo can do', () => {
  const pattern = parsePattern('partyline echo --measure * *');
  assert.ok(!('refused' in pattern));
  for (const wishes of WISHES) assert.ok(matchesPattern(pattern, ['partyline', 'echo', ...asked(...wishes)]));
  for (const others of [
    ['hub.example', '--raw'],
    ['--probe', '--watch', 'hub.example'],
    ['--measure', 'count=1', '--tell=all'],
    ['--measure', '--watch', 'hub.example'],
    ['--measure', 'count=1', 'hub.example', '--from=all'],
  ]) {
    assert.ok(!matchesPattern(pattern, ['partyline', 'echo', ...others]), others.join(' '));
  }
});

test('no wish is another option, and no target', () => {
  for (const word of [
    'watch',
    'count',
    'count=-1',
    'tell=all',
    'count=1 --watch',
    'host=evil',
    'from=all,count=1',
    ',',
  ]) {
    assert.match(why('--measure', word, 'hub.example'), /^--measure takes wishes such as/, word);
  }
  assert.match(why('--measure', 'count=1,name=--x y', 'hub.example'), /takes wishes/);
  assert.match(why('--measure', 'count=100001', 'hub.example'), /^--count is a number/);
  assert.match(why('--measure', 'ipv4,ipv6', 'hub.example'), /exclude each other/);
  assert.match(why('--measure', 'count=1', '--', '--watch'), /Cannot use "--watch" as an address/);
  assert.match(why('--measure', 'count=1', 'a', '--tell', 'all'), /and nothing else$/);
  assert.match(why('--measure', 'count=1', 'a', 'b'), /and nothing else$/);
  assert.match(why('--measure', 'count=1'), /and nothing else$/);
});

test('what --from and --tell are used wrongly for is said', () => {
  assert.match(why('--from', 'web1'), /^--from needs a TARGET/);
  assert.match(why('a', '--from', ' ,'), /^--from names no machine/);
  assert.match(why('a', '--from', 'web1', '--watch'), /^--watch watches from here/);
  assert.match(why('a', '--from', 'web1', '--every', '3'), /need --watch/);
  assert.match(why('a', '--from', 'web1', '--batch', '0'), /^--batch is a number of machines from 1 to 1000/);
  assert.match(why('a', '--from', 'web1', '--timeout', 'x'), /^--timeout is a number of seconds/);
  assert.match(why('a', '--probe', '--yes'), /need --from/);
  assert.match(why('a', '--probe', '--host', 'b'), /^--host needs --watch or --from/);
  const telling = ['a', '--probe', '--watch', '--tell', 'bob', '--host'] as const;
  assert.match(why(...telling, '::1:26100'), /^Cannot use "::1:26100" as an address/);
  assert.match(why(...telling, 'echo://chat'), /^"echo" does not carry the native protocol/);
  for (const names of ['bob,,eve', 'bob,']) {
    assert.match(why('a', '--probe', '--watch', '--tell', names), /^--tell takes names with commas between them/);
  }
  const names = ['--tell', 'bob eve', '--tell', '#ops'];
  assert.deepEqual(
    read('a', '--probe', '--watch', ...names).probe?.watch?.tell,
    ['bob', 'eve', '#ops'],
    'as send --to',
  );
  assert.match(why('--from', 'web1', '--', '-x'), /Cannot use "-x" as an address/);
  const { probe } = read('a', '--from', 'web[1-2]', '--host', 'chat', '--yes', '--batch', '2', '--timeout', '9');
  const from = { targets: 'web[1-2]', target: 'a', host: 'chat', isConfirmed: true, batch: 2, timeoutMs: 9_000 };
  assert.deepEqual(probe?.from, from);
});
