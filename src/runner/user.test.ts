import assert from 'node:assert/strict';
import { getuid } from 'node:process';
import { test } from 'node:test';
import { argv, aRunner, finish, sh } from '../../test/kit/runner.ts';
import { findOwnProgram, withOwnProgram } from './own-program.ts';
import { lookUpUser, parsePasswd } from './user.ts';

const LIMIT = { timeout: 20_000 };

test('a line of passwd(5) and one of `id -P` name the same user', () => {
  const amy = { name: 'amy', uid: 1000, gid: 100, home: '/home/amy', shell: '/bin/bash' };
  assert.deepEqual(parsePasswd('amy:x:1000:100:Amy,,,:/home/amy:/bin/bash\n'), amy);
  assert.deepEqual(parsePasswd('amy:********:1000:100::0:0:Amy:/home/amy:/bin/bash\n'), amy);
  assert.deepEqual(parsePasswd('amy:x:1000:100:::\n'), { ...amy, home: '/', shell: '/bin/sh' });
  for (const text of ['', 'amy', 'amy:x:one:two:::', 'amy:x:1:1']) assert.equal(parsePasswd(text), undefined);
});

test('a user is found, or the reason says why not', LIMIT, async () => {
  const root = await lookUpUser('root');
  assert.ok(!('reason' in root) ? root.uid === 0 : getuid?.() !== 0);
  assert.deepEqual(await lookUpUser('no-such-user-x'), {
    reason: 'Cannot run commands as no-such-user-x: no such user',
  });
  for (const name of ['', '--help', 'a b', 'a:b', '/etc/passwd']) {
    assert.deepEqual(await lookUpUser(name), {
      reason: `Cannot run commands as ${JSON.stringify(name)}: not a user's name`,
    });
  }
});

test(
  'commands run as the other user, with its names and nothing of the server',
  { ...LIMIT, skip: getuid?.() !== 0 && 'only root may change users' },
  async (t) => {
    const user = await lookUpUser('nobody');
    assert.ok(!('reason' in user));
    const runner = aRunner(t, { user, environment: { PATH: '/secret', TMPDIR: '/secret', HOME: '/root', LANG: 'C' } });
    const { stdout, result } = await finish(runner.start({ command: argv('env'), env: { TERM: 'dumb' } }));
    assert.deepEqual(result, { result: 'exited', status: 0 });
    const named = stdout.replace(/(?<=^PARTYLINE_RUN=)[0-9a-f]{32}-0$/m, 'the run');
    assert.deepEqual(named.trim().split('\n').toSorted(), [
      `HOME=${user.home}`,
      'LANG=C',
      'LOGNAME=nobody',
      'PARTYLINE_RUN=the run',
      `PATH=${withOwnProgram('/usr/local/bin:/usr/bin:/bin', findOwnProgram(true))}`,
      `SHELL=${user.shell}`,
      'TERM=dumb',
      'USER=nobody',
    ]);
    const ids = await finish(runner.start({ command: sh('id -u; id -g; id -G; pwd'), env: {} }));
    assert.equal(ids.stdout, `${user.uid}\n${user.gid}\n${user.gid}\n/\n`);
    const pipes = sh('cat /dev/stdin | tee /dev/stderr; kill -0 $PPID || echo refused >/dev/stdout');
    const own = await finish(runner.start({ command: pipes, env: {} }), 'mine\n');
    assert.match(own.stderr, /^mine\n/);
    assert.equal(own.stdout, 'mine\nrefused\n');
  },
);
