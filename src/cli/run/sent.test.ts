import assert from 'node:assert/strict';
import { test } from 'node:test';
import { passedEnvironment } from '../../core/run/environment.ts';
import { refusalOfLength, sentEnvironment } from './sent.ts';

test('what is sent of the environment is what a server lets through, no more and no less', () => {
  const names = ['LANG', 'LANGUAGE', 'LC_ALL', 'LC_CTYPE', 'LC_', 'lc_all', 'TERM', 'TERMINFO', 'TZ', 'TZDIR', 'PATH'];
  names.push('HOME', 'LD_PRELOAD', 'BASH_ENV', 'NODE_OPTIONS', 'PARTYLINE_TOKEN_FILE', 'AWS_SECRET_ACCESS_KEY');
  names.push('XLANG', 'LANG ', 'LC_ALL=', 'LANG\n', '__proto__', '', ...Object.keys(process.env));
  const environment = Object.fromEntries(names.map((name) => [name, 'x']));
  const sent = sentEnvironment(environment);
  assert.deepEqual(passedEnvironment(sent, []), { env: sent });
  for (const name of Object.keys(environment)) {
    const passes = !('refused' in passedEnvironment({ [name]: 'x' }, []));
    assert.equal(Object.hasOwn(sent, name), passes, name);
  }
  const values = [
    '/x',
    'a%s',
    'x'.repeat(300),
    '',
    'C.UTF-8',
    ':/etc/localtime',
    '/etc/passwd',
    '../x',
    'Europe/Berlin',
  ];
  for (const value of values) {
    for (const name of ['LANG', 'TZ', 'TERM']) {
      // Of what nobody asked for nothing is sent that would be refused.
      const all = sentEnvironment({ [name]: value });
      assert.deepEqual(passedEnvironment(all, []), { env: all }, `${name}=${value}`);
    }
  }
  assert.equal(sentEnvironment({ TZ: ':/etc/localtime' })['TZ'], ':/etc/localtime');
  for (const name of ['LANG', 'LC_ALL', 'LC_CTYPE', 'TERM', 'TZ']) assert.equal(sent[name], 'x');
  assert.equal('PATH' in sent, false);
});

test('a command longer than a request may be is refused with both numbers', () => {
  assert.equal(refusalOfLength({ shell: 'true' }), undefined);
  assert.match(
    refusalOfLength({ shell: 'é'.repeat(2_000_000) }) ?? '',
    /^the command has 40000\d\d bytes, and \d+ are/,
  );
});
