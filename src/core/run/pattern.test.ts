import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readingsOf } from './grant.ts';
import { hasClass, matchesPattern, parsePattern } from './pattern.ts';

function isFor(pattern: string | readonly string[], ...argv: string[]): boolean {
  const parsed = parsePattern(pattern);
  assert.ok(!('refused' in parsed));
  return matchesPattern(parsed, argv);
}

test('a pattern is held against a command word by word', () => {
  assert.ok(isFor('uptime', 'uptime'));
  assert.ok(!isFor('uptime', 'uptime', '-p'));
  assert.ok(!isFor('uptime', './uptime'));
  assert.ok(isFor('systemctl status *', 'systemctl', 'status', 'nginx'));
  assert.ok(isFor('systemctl status nginx*', 'systemctl', 'status', 'nginx.service'));
  assert.ok(!isFor('systemctl status *', 'systemctl', 'status'), 'a star is a word');
  assert.ok(!isFor('systemctl status *', 'systemctl', 'status', 'a', 'b'), 'and no more than one');
  assert.ok(isFor('systemctl status *', 'systemctl', 'status', 'a; reboot'), 'no shell sees it');
  assert.ok(!isFor('systemctl status *', 'systemctl status', 'nginx'));
  assert.ok(isFor(['cat', '/srv/my file'], 'cat', '/srv/my file'));
  assert.ok(!isFor('cat /srv/my file', 'cat', '/srv/my file'));
});

test('two stars at the end are any rest, also none', () => {
  for (const rest of [[], ['-l'], ['a', '-b', '../c']]) assert.ok(isFor('git pull **', 'git', 'pull', ...rest));
  assert.ok(!isFor('git pull **', 'git'));
  assert.ok(!isFor('git pull **', 'git', 'push'));
});

test('a star stands for no option and leads out of no directory', () => {
  assert.ok(!isFor('systemctl status *', 'systemctl', 'status', '--host=evil'));
  assert.ok(!isFor('ls *', 'ls', '-l'));
  assert.ok(isFor('ls -*', 'ls', '-l'));
  assert.ok(!isFor('cat /var/log/*', 'cat', '/var/log/../../etc/shadow'));
  assert.ok(!isFor('cat *', 'cat', '..'));
  assert.ok(isFor('cat /var/log/*', 'cat', '/var/log/nginx/access..log'));
  assert.ok(isFor('cat ../*', 'cat', '../x'));
});

test('what is no pattern is refused', () => {
  const faults = ['', ' ', '**', 'a ** b', 'x '.repeat(65)].map((text) => {
    const parsed = parsePattern(text);
    return 'refused' in parsed ? parsed.refused : undefined;
  });
  assert.deepEqual(faults, ['empty', 'empty', 'empty', 'rest-inside', 'too-long']);
});

test('what a shell would take for a class of characters is told from an address and a lone bracket', () => {
  for (const word of ['[a-z]', 'x[0-9]', '[!a]*', '[[:digit:]]', '[:]', '[a:b]', '[::1][0-9]'])
    assert.ok(hasClass(word), word);
  for (const word of [
    '[',
    ']',
    '[]',
    'a]b[',
    'http://[::1]:80/',
    '[2001:DB8::*]',
    '[::ffff:127.0.0.1]',
    '[fe80::1%eth0]',
  ]) {
    assert.ok(!hasClass(word), word);
  }
});

test('only a line that means nothing to a shell may be read as a vector', () => {
  const vector = { kind: 'argv', argv: ['df', '-h', '/var:x', 'a=b'] } as const;
  const plain = { kind: 'shell', line: 'df -h /var:x' } as const;
  assert.deepEqual(readingsOf(plain), [plain, { kind: 'argv', argv: ['df', '-h', '/var:x'] }]);
  assert.deepEqual(readingsOf(vector), [vector]);
  const signs = [
    'a;b',
    'a b|c',
    '$x',
    'a `b`',
    'a $(b)',
    'a\nb',
    "a 'b'",
    'a "b"',
    'a\\b',
    '~',
    'a*',
    'a?',
    '[a]',
    '{a}',
  ];
  for (const line of [...signs, 'a&', 'a>b', 'a<b', '#a', '!a', 'X=1 a', 'a\tb', ' a', '(a)', 'ä']) {
    assert.deepEqual(readingsOf({ kind: 'shell', line }), [{ kind: 'shell', line }], line);
  }
});
