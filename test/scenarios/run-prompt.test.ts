// `partyline run` without a command: a prompt, for somebody who types and looks (tmux), over both families.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { aDirectory } from '../kit/directory.ts';
import { needs } from '../kit/needs.ts';
import { someMachines } from '../kit/machines.ts';
import { until } from '../kit/proc.ts';
import { outcomeOf, PARTYLINE, partyline } from '../kit/program.ts';
import { at, LOOPBACKS, startServer } from '../kit/server.ts';
import { refused } from '../kit/someone.ts';
import { aTmux } from '../kit/tmux.ts';

for (const host of LOOPBACKS) {
  test(`a prompt runs line after line, on one machine or on many, and keeps what was typed: ${host}`, async (t) => {
    if (!needs(t, ['tmux'])) return;
    await using server = await startServer();
    await using _machines = await someMachines(['web1', 'web2'], server, host);
    // The shell that starts it is in the foreground with it, and gets Ctrl-C too.
    const command = `trap : INT; '${PARTYLINE}' run '${at(host, server.port)}'; echo "left with $?"; exec sleep 1000`;
    await using tmux = await aTmux(command, server.env);
    await tmux.shows(/^Server>$/m);
    await tmux.type('echo "one $((1 + 1))"; exit 3', 'Enter');
    await tmux.shows(/^one 2\nstatus 3\nServer>$/m);
    // Targets are completed, and refused where they mean nobody.
    await tmux.type('on we', 'Tab');
    await tmux.shows(/^Server> on web$/m);
    await tmux.type('*', 'Enter');
    await tmux.shows(/^2 machines: web\[1-2\]\nweb\*>$/m);
    await tmux.type('echo hi', 'Enter');
    await tmux.shows(/^web\[1-2\]: hi\n2 ok: web\[1-2\]\nweb\*>$/m);
    await tmux.type('on web9', 'Enter');
    await tmux.shows(/web9.*\nweb\*>$/m);
    await tmux.type('on web2', 'Enter');
    await tmux.shows(/^web2>$/m);
    // Ctrl-C ends the command, at the prompt the line, and never the prompt.
    await tmux.type('echo begun; exec sleep 1000', 'Enter');
    await tmux.shows(/^begun$/m);
    await tmux.type('C-c');
    await tmux.shows(/^begun\n(?:\^C\n)?web2>$/m);
    await tmux.type('echo not', 'C-c', 'echo yes', 'Enter');
    await tmux.shows(/^yes\nweb2>$/m);
    await tmux.type(' echo "a secret"', 'Enter');
    await tmux.shows(/^a secret\nweb2>$/m);
    await tmux.type('-t tty', 'Enter');
    await tmux.shows(/^\/dev\/pts\/\d+\nweb2>$/m);
    // Lines that come at once are run one after the other.
    await tmux.type('echo first\necho second\n');
    await tmux.shows(/^first\nsecond\nweb2>$/m);
    await tmux.type('on', 'Enter');
    await tmux.shows(/^Server>$/m);
    await tmux.type('Up', 'Up', 'Up', 'Up', 'Up', 'Enter');
    await tmux.shows(/^Server> echo yes\nyes\nServer>$/m);
    await tmux.type('C-d');
    await tmux.shows(/^left with 0$/m);
    const file = join(server.directory, 'run-history');
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const kept = readFileSync(file, 'utf8').trimEnd().split('\n');
    assert.deepEqual(kept.slice(-6), ['echo yes', '-t tty', 'echo first', 'echo second', 'on', 'echo yes']);
    assert.ok(!kept.some((line) => line.includes('secret')));
  });

  test(`what was given with --on holds until another is given at the prompt: ${host}`, async (t) => {
    if (!needs(t, ['tmux'])) return;
    await using server = await startServer();
    await using _machines = await someMachines(['web1', 'web2'], server, host);
    const command = `'${PARTYLINE}' run --on web1 '${at(host, server.port)}' --on=web2; exec sleep 1000`;
    await using tmux = await aTmux(command, server.env);
    await tmux.shows(/^web1,web2>$/m);
    await tmux.type('echo hi', 'Enter');
    await tmux.shows(/^web\[1-2\]: hi\n2 ok: web\[1-2\]\nweb1,web2>$/m);
    await tmux.type('on web1', 'Enter');
    await tmux.shows(/^web1>$/m);
    await tmux.type('echo alone', 'Enter');
    await tmux.shows(/^alone\nweb1>$/m);
  });

  test(`JSON that another program prints to the terminal has no progress before it: ${host}`, async (t) => {
    if (!needs(t, ['tmux'])) return;
    await using server = await startServer();
    await using _machines = await someMachines(['web1', 'web2'], server, host);
    const run = `'${PARTYLINE}' run '${at(host, server.port)}' --on 'web*' --json -- 'echo hi'`;
    await using tmux = await aTmux(`${run} | cat; echo over; exec sleep 1000`, server.env);
    assert.match(await tmux.shows(/over$/), /^(?:\{"host":.*\}\n){4}over$/);
  });

  test(`JSON on a terminal has no progress before it, nor where the output goes into files: ${host}`, async (t) => {
    if (!needs(t, ['tmux'])) return;
    await using server = await startServer();
    await using _machines = await someMachines(['web1', 'web2'], server, host);
    for (const [out, lines] of [
      [[], 4],
      [['--out', aDirectory(t)], 2],
    ] as const) {
      const run = [`'${PARTYLINE}'`, 'run', `'${at(host, server.port)}'`, '--on', "'web*'", '--json', ...out];
      await using tmux = await aTmux(`${run.join(' ')} -- 'echo hi'; echo over; exec sleep 1000`, server.env);
      assert.match(await tmux.shows(/over$/), new RegExp(`^(?:\\{"host":.*\\}\\n){${lines}}over$`));
    }
  });

  test(`how far it has come is shown in the foreground, and no job in the background writes into what is typed: ${host}`, async (t) => {
    if (!needs(t, ['tmux', 'bash'])) return;
    await using server = await startServer();
    await using _machines = await someMachines(['web1', 'web2'], server, host);
    const directory = aDirectory(t);
    const wait = `touch ${directory}/$$; while [ ! -e ${directory}/over ]; do sleep 0.05; done`;
    const run = `'${PARTYLINE}' run '${at(host, server.port)}' --on 'web*' -n -- '${wait}'`;
    await using front = await aTmux(`${run}; exec sleep 1000`, server.env);
    await front.shows(/^0\/2 web\[1-2\]$/m);
    await using back = await aTmux(`bash -c "$SCRIPT"; exec sleep 1000`, {
      ...server.env,
      SCRIPT: `set -m; ${run} & wait; echo over`,
    });
    await until(() => readdirSync(directory).length === 4, 'all four have begun');
    await back.type('typed');
    assert.equal(await back.shows(/typed$/), 'partyline run: 2 machines: web[1-2]\ntyped');
    writeFileSync(join(directory, 'over'), '');
    await back.shows(/2 ok: web\[1-2\]\n[^]*over$/);
  });

  test(`Ctrl-C ends the loop of a shell in which a command was, and its command there: ${host}`, async (t) => {
    if (!needs(t, ['tmux', 'bash'])) return;
    await using server = await startServer();
    await using _machines = await someMachines(['web1', 'web2'], server, host);
    for (const on of [[], ['--on', 'web1'], ['--on', 'web[1-2]']]) {
      const run = [`'${PARTYLINE}'`, 'run', `'${at(host, server.port)}'`, ...on, '--', "'echo begun; exec sleep 1000'"];
      const script = `for i in 1 2; do ${run.join(' ')}; echo "went on with $?"; done`;
      const line = `trap : INT; bash -c "$SCRIPT"; echo "left with $?"; exec sleep 1000`;
      await using tmux = await aTmux(line, { ...server.env, SCRIPT: script });
      await tmux.shows(/begun$/m);
      await tmux.type('C-c');
      const seen = await tmux.shows(/left with/);
      assert.match(seen, /left with 130$/m);
      assert.doesNotMatch(seen, /went on/);
    }
  });

  test(`where nobody sits a command has to be there, and where nobody answers there is no prompt: ${host}`, async (t) => {
    await using server = await startServer();
    const run = (...args: string[]) => outcomeOf(partyline(['run', ...args], { env: server.env }), 'id\n');
    refused(await run(at(host, server.port)), /^partyline run: no command, and no terminal for a prompt; see/, 255);
    for (const [args, why] of [
      [
        ['web1', 'uptime'],
        'a -- is missing before the command; for a command: -- web1 uptime; for a machine that has joined: --on web1 -- uptime',
      ],
      [['localhost', 'df', 'a b'], "a -- is missing before the command; for a command: localhost -- df 'a b'"],
      [['--on', 'web1', 'uptime'], 'no command, and no terminal for a prompt; for a command: -- uptime'],
      [
        ['uptime'],
        'no command, and no terminal for a prompt; for a command: -- uptime; for a machine that has joined: --on uptime',
      ],
      [['--json', 'df -h'], "no command, and --json has no prompt; for a command: -- 'df -h'"],
    ] as const) {
      const said = await run(...args);
      assert.deepEqual([said.status, said.stderr], [255, `partyline run: ${why}; see partyline run --help\n`]);
    }
    const twoHosts = 'one HOST before --, not 2; for machines that have joined: --on web1,web2\n';
    assert.equal((await run('web1', 'web2', '--', 'id')).stderr, `partyline run: ${twoHosts}`);
    if (!needs(t, ['tmux'])) return;
    const line = `PARTYLINE_DATA='${aDirectory(t)}' '${PARTYLINE}' run '${at(host, server.port)}'; echo "left with $?"; exec sleep 1000`;
    await using tmux = await aTmux(line);
    await tmux.shows(/^partyline run: Cannot .*[^]*^left with 255$/m);
    await using word = await aTmux(`'${PARTYLINE}' run uptime.invalid; exec sleep 1000`);
    await word.shows(/for a command: --\s+uptime.invalid; for a machine that has joined: --on\s+uptime.invalid$/m);
    await using words = await aTmux(`'${PARTYLINE}' run web1 uptime; exec sleep 1000`);
    await words.shows(/^partyline run: one HOST before --, not 2; for a command: -- web1 uptime; for a/m);
    const hosted = await outcomeOf(
      partyline(['run', '--host', at(host, server.port), '--', 'echo hi'], { env: server.env }),
    );
    assert.deepEqual([hosted.status, hosted.stdout], [0, 'hi\n']);
    refused(await run(at(host, server.port), '--host', 'localhost', '--', 'id'), /the server is given twice/, 255);
  });
}
