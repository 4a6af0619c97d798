import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  isNeverPassed,
  MAX_VALUE_LENGTH,
  parseEnvironmentPattern,
  passedEnvironment,
  type EnvironmentPattern,
} from './environment.ts';

function patterns(...texts: readonly string[]): EnvironmentPattern[] {
  return texts.map((text) => {
    const pattern = parseEnvironmentPattern(text);
    assert.ok(typeof pattern !== 'string', `${text}: ${JSON.stringify(pattern)}`);
    return pattern;
  });
}

/** What other programs load, run or trust at their start, and who and where the user is. */
const DANGEROUS = [
  'LD_PRELOAD LD_LIBRARY_PATH LD_AUDIT LD_ DYLD_INSERT_LIBRARIES GLIBC_TUNABLES MALLOC_CHECK_ GCONV_PATH LOCPATH NLSPATH',
  'BASH_ENV ENV IFS SHELLOPTS BASHOPTS BASH_FUNC_ls%% BASH_XTRACEFD CDPATH PS4 PROMPT_COMMAND ZDOTDIR HISTFILE INPUTRC',
  'NODE_OPTIONS NODE_PATH NODE_EXTRA_CA_CERTS npm_config_script_shell PYTHONPATH PYTHONSTARTUP PERL5LIB PERL5OPT RUBYOPT',
  'JAVA_TOOL_OPTIONS _JAVA_OPTIONS CLASSPATH LUA_PATH PHPRC AWKPATH GEM_HOME BUNDLE_GEMFILE TCLLIBPATH',
  'PATH HOME USER LOGNAME SHELL TMPDIR PWD PAGER MANPAGER GIT_PAGER GIT_SSH_COMMAND SSH_ASKPASS SUDO_ASKPASS EDITOR VISUAL',
  'SUDO_EDITOR LESSOPEN VIMINIT EXINIT TERMINFO TERMCAP OPENSSL_CONF SSL_CERT_FILE RSYNC_RSH TAR_OPTIONS MAKEFLAGS CC',
  'XDG_CONFIG_HOME http_proxy HTTPS_PROXY DBUS_SESSION_BUS_ADDRESS NOTIFY_SOCKET LISTEN_FDS PARTYLINE_RUN PARTYLINE_DATA',
]
  .join(' ')
  .split(' ');

test('of the environment locale, terminal and time zone pass, and what else a machine lists', () => {
  const usual = { LANG: 'C.UTF-8', LC_TIME: 'de_DE', TERM: 'xterm-256color', TZ: 'Europe/Berlin' };
  assert.deepEqual(passedEnvironment(usual, []), { env: usual });
  const more = { ...usual, DEPLOY_ENV: 'test', BUILD: '' };
  assert.deepEqual(passedEnvironment(more, patterns('DEPLOY_*', 'BUILD')), { env: more });
  assert.deepEqual(passedEnvironment(more, 'decided-there'), { env: more });
  assert.deepEqual(passedEnvironment(more, patterns('DEPLOY_')), {
    refused: 'env-not-allowed',
    names: ['DEPLOY_ENV', 'BUILD'],
    why: 'not-listed',
  });
});

test('what makes programs load, run or trust something else never passes, whatever a machine lists', () => {
  const wide = Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz', (beginning) => ({
    beginning,
    isOpen: true,
  }));
  for (const name of [...DANGEROUS, 'lc_all=', 'A B', '', '__proto__ ', 'É', 'A\0', 'A\n', `A${'x'.repeat(128)}`]) {
    assert.ok(isNeverPassed(name), name);
    for (const wider of [wide, 'decided-there'] as const) {
      const refused = passedEnvironment({ LANG: 'C', MINE: '1', [name]: '' }, wider);
      assert.deepEqual(refused, { refused: 'env-not-allowed', names: [name], why: 'never' });
    }
  }
  for (const name of ['DEPLOY_ENV', 'NODE_ENV', 'AWS_REGION', 'RUST_LOG', 'VERSION', 'CI', '_MINE', 'ENVIRONMENT']) {
    assert.ok(!isNeverPassed(name), name);
  }
});

test('a value that is too long, or a path where a locale is expected, is refused by the name', () => {
  const unfit: [name: string, value: string][] = [
    ['LANG', '../../x'],
    ['LC_ALL', '%n'],
    ['TERM', '/tmp/x'],
    ['TZ', '/etc/shadow'],
    ['TZ', 'a/../../x'],
    ['MINE', 'x'.repeat(MAX_VALUE_LENGTH + 1)],
    ['MINE', 'a\0b'],
  ];
  for (const [name, value] of unfit) {
    const refused = passedEnvironment({ [name]: value }, patterns('MINE'));
    assert.deepEqual(refused, { refused: 'env-not-allowed', names: [name], why: 'value' }, value.slice(0, 80));
  }
  for (const value of ['', 'UTC', ':/etc/localtime', 'CET-1CEST,M3.5.0,M10.5.0/3', '<+03>-3', 'America/New_York']) {
    assert.ok('env' in passedEnvironment({ TZ: value }, []), value);
  }
});

test('a pattern is a name, or the beginning of some; one that would pass nothing is a mistake', () => {
  assert.deepEqual(parseEnvironmentPattern('DEPLOY_*'), { beginning: 'DEPLOY_', isOpen: true });
  assert.deepEqual(parseEnvironmentPattern('BUILD'), { beginning: 'BUILD', isOpen: false });
  for (const text of ['', '*', 'A*', 'AB*', 'A*B', 'A-B', ' A', 'A=1', '?AB', 'A**']) {
    assert.ok(typeof parseEnvironmentPattern(text) === 'string', text);
  }
  for (const text of ['LD_*', 'LD_PRELOAD', 'PATH', 'PYTHON*', 'PERL*', 'NODE_OPTIONS', 'BASH*', 'PARTYLINE_*']) {
    assert.equal(parseEnvironmentPattern(text), `${text} is never passed on`);
  }
  // What begins so and may not pass stays out all the same.
  const open = patterns('NODE*', 'GIT*');
  assert.ok('env' in passedEnvironment({ NODE_ENV: 'x', GITLAB_REF: 'x' }, open));
  assert.ok('refused' in passedEnvironment({ NODE_OPTIONS: 'x' }, open));
});
