// Where a command starts and what it has of our environment: on the server and on a machine that joined it, over both
// families.

import assert from 'node:assert/strict';
import { mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { aDirectory } from '../kit/directory.ts';
import { aMachine } from '../kit/machine.ts';
import { writePolicy } from '../kit/policy.ts';
import { outcomeOf, partyline, type Outcome } from '../kit/program.ts';
import { at, LOOPBACKS, startServer } from '../kit/server.ts';
import { loggedIn, refused, someone } from '../kit/someone.ts';

for (const host of LOOPBACKS) {
  test(`a command starts where --cwd says, and where that is not it does not start: ${host}`, async (t) => {
    const directory = realpathSync(aDirectory(t));
    mkdirSync(join(directory, 'app'));
    await using server = await startServer();
    await using _web1 = await aMachine('web1', server, host);
    const run = (args: readonly string[]): Promise<Outcome> =>
      outcomeOf(partyline(['run', at(host, server.port), ...args], { env: server.env }));
    const app = join(directory, 'app');
    const nowhere = join(directory, 'none');
    for (const on of [[], ['--on', 'web1']]) {
      const there = await run([...on, '--cwd', app, '--', 'pwd']);
      assert.deepEqual(there, { status: 0, stdout: `${app}\n`, stderr: '' });
      const none = await run([...on, '--cwd', nowhere, '--', 'pwd', '-P']);
      const why = `partyline: Cannot run pwd in ${nowhere}: there is no such directory; nothing was started\n`;
      assert.deepEqual(none, { status: 127, stdout: '', stderr: why });
    }
    refused(await run(['--cwd', '', '--', 'pwd']), /^partyline run: --cwd names no directory$/m, 255);
    const both = await run(['--on', 'web1,Server', '--cwd', app, '--', 'pwd']);
    assert.equal(both.status, 0);
    assert.match(both.stdout, new RegExp(`^Server,web1: ${app}$`, 'm'));
  });

  test(`the policy says where others than the owner may start what it lists: ${host}`, async (t) => {
    const directory = aDirectory(t);
    const app = realpathSync(aDirectory(t));
    const rule = `[[allow]]\nwho = ["role:member"]\non = "web1"\nrun = ["pwd -P"]\n`;
    writePolicy(directory, `${rule}cwd = ["${app}"]\n`);
    await using server = await startServer({ directory });
    const target = at(host, server.port);
    const state = aDirectory(t);
    const policy = join(state, 'host.toml');
    writeFileSync(policy, 'allow = ["pwd -P"]\ncwd = ["/"]\n', { mode: 0o600 });
    await using _web1 = await aMachine('web1', server, host);
    const owner = someone(server.directory, target);
    const janaki = await loggedIn('janaki', { owner, state: aDirectory(t), target });
    const there = await janaki.run(['run', '--on', 'web1', '--cwd', app, '--', 'pwd', '-P']);
    assert.deepEqual(there, { status: 0, stdout: `${app}\n`, stderr: '' });
    const elsewhere = /Cannot run pwd -P in "\/" on "web1" as janaki, a member: the policy .*; nothing was started$/m;
    refused(await janaki.run(['run', '--on', 'web1', '--cwd', '/', '--', 'pwd', '-P']), elsewhere, 255);
    refused(await janaki.run(['run', '--on', 'web*', '--cwd', '/', '--', 'pwd', '-P']), elsewhere, 255);
    // A machine has its own word.
    await using _web2 = await aMachine('web2', server, host, { args: ['--policy', policy] });
    const own = /Cannot run "pwd -P" in ".*": the machine's own policy does not allow it; nothing was started there$/m;
    refused(await owner.run(['run', '--on', 'web2', '--cwd', app, '--', 'pwd', '-P']), own, 255);
    assert.equal((await owner.run(['run', '--on', 'web2', '--cwd', '/', '--', 'pwd', '-P'])).stdout, '/\n');
  });

  test(`a variable reaches a command if the machine lists it, else nothing starts: ${host}`, async (t) => {
    const directory = aDirectory(t);
    writePolicy(directory, 'env = ["DEPLOY_*"]\n');
    await using server = await startServer({ directory });
    await using _web1 = await aMachine('web1', server, host, { args: ['--allow-env', 'BUILD'] });
    const env = { ...server.env, BUILD: 'mine', LC_TIME: 'de_DE' };
    const run = (args: readonly string[]): Promise<Outcome> =>
      outcomeOf(partyline(['run', at(host, server.port), ...args], { env }));
    const show = ['--', 'printf "%s|%s|%s" "$DEPLOY_ENV" "$BUILD" "$LC_TIME"'];
    assert.equal((await run(show)).stdout, '||de_DE');
    assert.equal((await run(['--env', 'DEPLOY_ENV=a=b c', '--env', 'LC_TIME=C', ...show])).stdout, 'a=b c||C');
    assert.equal((await run(['--on', 'web1', '--env', 'BUILD', ...show])).stdout, '|mine|de_DE');
    const touch = join(directory, 'started');
    const start = ['--', 'touch', touch];
    for (const [args, why] of [
      [
        ['--env', 'BUILD'],
        /Cannot pass BUILD on to the command: Server does not list it among what it passes \(env in its policy\); nothing was started$/m,
      ],
      [
        ['--on', 'web1', '--env', 'DEPLOY_ENV='],
        /Cannot pass DEPLOY_ENV on to .*: the machine does not list it .* \(env in its policy, or partyline join --allow-env\)/,
      ],
      [['--on', 'web1', '--env', 'BUILD', '--env', 'A=1', '--env', 'B='], /Cannot pass A, B on to the command/],
      [['--env', 'LD_PRELOAD=/x.so'], /Cannot pass LD_PRELOAD on to .*: it can make programs load or run something/],
      [['--on', 'web1', '--env', 'PATH'], /Cannot pass PATH on to the command/],
      [
        ['--on', 'web*', '--env', 'BASH_ENV=/x'],
        /^web1: partyline: Cannot pass BASH_ENV on to the command: .*\n1 denied: web1$/m,
      ],
      [['--env', 'LANG=../../x'], /Cannot pass LANG on to .*: what it is set to is too long, or no locale/],
      [['--env', 'NOT_SET_HERE'], /^partyline run: --env NOT_SET_HERE: it is not set here; nothing was started$/m],
      [['--env', '=x'], /^partyline run: --env takes NAME=VALUE or NAME, not "=x"$/m],
    ] as const) {
      const { status, stdout, stderr } = await run([...args, ...start]);
      assert.deepEqual([status, stdout], [255, ''], args.join(' '));
      assert.match(stderr, why);
    }
    // Whatever was refused left no trace.
    assert.equal((await run(['--', `test -e '${touch}' || echo nothing`])).stdout, 'nothing\n');
  });
}
