// `partyline run -t`: a terminal there, as ssh gives one, on the server and on a machine that joined it, over both
// families; with somebody who types and looks (tmux), and with the programs that need one.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { aDirectory } from '../kit/directory.ts';
import { aMachine } from '../kit/machine.ts';
import { needs } from '../kit/needs.ts';
import { writeHostPolicy, writePolicy } from '../kit/policy.ts';
import { hasProc, isRunning, until } from '../kit/proc.ts';
import { outcomeOf, PARTYLINE, partyline, start, type Outcome } from '../kit/program.ts';
import { at, LOOPBACKS, startServer, type TestServer } from '../kit/server.ts';
import { loggedIn, refused, someone } from '../kit/someone.ts';
import { aTmux, type Tmux } from '../kit/tmux.ts';

interface There {
  readonly server: TestServer;
  readonly host: string;
}

/** The program in a terminal, whose shell says afterwards how it ended and whether the terminal is as it was. */
function inTmux({ server, host }: There, args: string): Promise<Tmux> {
  const run = `'${PARTYLINE}' run '${at(host, server.port)}' ${args}`;
  return aTmux(`${run}; echo "status $?"; ${LOOK}; exec sleep 1000`, server.env);
}

const LOOK = 'stty -a | grep -o "[-]*icanon\\|[-]*isig\\|[-]*echo \\|[-]*opost" | xargs';
const AS_IT_WAS = /^opost isig icanon echo$/m;

async function ended(tmux: Tmux, status: number): Promise<string> {
  const screen = await tmux.shows(/^status \d+\n.*echo$/m);
  assert.match(screen, new RegExp(`^status ${status}$`, 'm'));
  assert.match(screen, AS_IT_WAS);
  return screen;
}

/** Whoever has such a file open, or had, is found by its name. */
function pidIn(path: string): number {
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  return text.endsWith('\n') ? Number(text) : 0;
}

async function startedThere(path: string): Promise<number> {
  await until(() => pidIn(path) > 0, `${path} is there`);
  return pidIn(path);
}

for (const host of LOOPBACKS) {
  test(`what is typed goes there, the size follows, and the end is the shell's: ${host}`, async (t) => {
    if (!needs(t, ['tmux'])) return;
    await using server = await startServer({ env: { SHELL: '/bin/sh', PS1: '$ ' } });
    await using _web1 = await aMachine('web1', server, host);
    for (const on of ['', '--on web1']) {
      await using tmux = await inTmux({ server, host }, `${on} -t`);
      await tmux.shows(/[$#]$/m);
      await tmux.type('stty size; echo "$TERM"; pwd -P', 'Enter');
      await tmux.shows(/^30 100\n(?:tmux|screen)\S*\n/m);
      await tmux.resize(120, 40);
      await tmux.type(
        'clear; until [ "$(stty size)" = "40 120" ]; do sleep 0.01; done; echo "now $((40 + 2))"',
        'Enter',
      );
      await tmux.shows(/^now 42$/m);
      // Ctrl-C is the command's, and the shell goes on.
      await tmux.type('clear; sh -c "echo begun; exec sleep 1000"', 'Enter');
      await tmux.shows(/^begun$/m);
      await tmux.type('C-c');
      await tmux.shows(/\^C\n[^]*[$#]$/);
      await tmux.type('echo "after $((1 + 1))"', 'Enter');
      await tmux.shows(/^after 2$/m);
      // What is not shown while it is typed, as sudo asks for it.
      const ask = 'clear; stty -echo; printf "Password: "; read -r word; stty echo; echo; echo "got $word"';
      await tmux.type(ask, 'Enter');
      await tmux.shows(/^Password:$/m);
      await tmux.type('secret', 'Enter');
      assert.equal((await tmux.shows(/^got secret$/m)).match(/secret/g)?.length, 1);
      await tmux.type('exit 7', 'Enter');
      await ended(tmux, 7);
    }
  });

  test(`an editor, a pager and a program that draws have the screen, and give it back: ${host}`, async (t) => {
    if (!needs(t, ['tmux', 'vi', 'less', 'top'])) return;
    await using server = await startServer();
    const there = { server, host };
    const file = join(aDirectory(t), 'text');
    await using vim = await inTmux(there, `-t -- vi -u NONE '${file}'`);
    await vim.shows(/^~$/m);
    await vim.type('ihello', 'Enter', 'there', 'Escape');
    await vim.shows(/^hello\nthere$/m);
    assert.equal(await vim.is('alternate_on'), '1');
    await vim.type(':wq', 'Enter');
    await ended(vim, 0);
    assert.equal(await vim.is('alternate_on'), '0');
    assert.equal(readFileSync(file, 'utf8'), 'hello\nthere\n');
    await using less = await inTmux(there, '-t -- sh -c "seq 1000 | less"');
    await less.shows(/^29\n:$/m);
    await less.type('G');
    await less.shows(/^1000$/m);
    await less.type('q');
    await ended(less, 0);
    await using top = await inTmux(there, '-t -- top -d 1');
    await top.shows(/^ +PID USER /m);
    await top.type('q');
    await ended(top, 0);
  });

  test(`at the beginning of a line ~ is for the program here: ${host}`, async (t) => {
    if (!needs(t, ['tmux', 'vi']) || !hasProc(t)) return;
    await using server = await startServer();
    await using _web1 = await aMachine('web1', server, host);
    for (const on of ['', '--on web1']) {
      const pid = join(aDirectory(t), 'pid');
      const command = `echo $$ >'${pid}'; stty -echo; while read -r line; do echo "got $line"; done`;
      await using tmux = await inTmux(
        { server, host },
        `${on} -t -- ${JSON.stringify(command.replaceAll('$', '\\$')).replaceAll('\\\\$', '\\$')}`,
      );
      const there = await startedThere(pid);
      await tmux.type('~?');
      await tmux.shows(/^~\. +end it from here$/m);
      await tmux.type('~~.', 'Enter', 'a~.', 'Enter');
      await tmux.shows(/^got ~\.\ngot a~\.$/m);
      await tmux.type('~.');
      assert.match(await ended(tmux, 255), /^partyline run: Ended from here \(~\.\)/m);
      await until(() => !isRunning(there), 'the command is gone');
    }
    // The editor has no time to leave the screen: it is left in its place.
    await using vim = await inTmux({ server, host }, '-t -- vi -u NONE');
    await vim.shows(/^~$/m);
    await vim.type('Enter', '~.');
    await ended(vim, 255);
    assert.equal(await vim.is('alternate_on'), '0');
  });

  test(`however it ends nothing stays there, and the terminal here is as it was: ${host}`, async (t) => {
    if (!needs(t, ['tmux']) || !hasProc(t)) return;
    await using server = await startServer();
    const directory = aDirectory(t);
    const endings: [name: string, end: (pid: number) => void, status: number][] = [
      ['TERM', (pid) => process.kill(pid, 'SIGTERM'), 143],
      ['INT', (pid) => process.kill(pid, 'SIGINT'), 130],
      ['server', () => server.program.kill('SIGKILL'), 255],
    ];
    for (const [name, end, status] of endings) {
      const [here, there] = [join(directory, `${name}.here`), join(directory, `${name}.there`)];
      const command = `trap : HUP TERM; tty >'${there}.tty'; setsid sh -c 'echo \\$\\$ >${there}; exec sleep 1000'; sleep 1000`;
      const run = `run '${at(host, server.port)}' -t -- "${command}"`;
      await using tmux = await aTmux(
        `sh -c 'echo $$ >${here}; exec "$0" "$@"' '${PARTYLINE}' ${run}; echo "status $?"; ${LOOK}; exec sleep 1000`,
        server.env,
      );
      const left = await startedThere(there);
      end(await startedThere(here));
      await ended(tmux, status);
      await until(() => !isRunning(left), 'what left its session is gone');
      const path = readFileSync(`${there}.tty`, 'utf8').trim();
      await until(() => !existsSync(path), 'the terminal is gone');
    }
  });

  test(`what is shown comes through the terminal here as it is: ${host}`, async (t) => {
    if (!needs(t, ['script'])) return;
    await using server = await startServer();
    await using _web1 = await aMachine('web1', server, host);
    const run = `'${PARTYLINE}' run '${at(host, server.port)}' --on web1 -t -- 'stty -opost; printf "a\\nb\\n"'`;
    const shown = async (env: Readonly<Record<string, string>> = {}): Promise<string> => {
      const command = `${run}; ${LOOK}`;
      await using terminal = start('script', ['-qec', command, '/dev/null'], { env: { ...server.env, ...env } });
      assert.equal(await terminal.ended, 0);
      return terminal.stdout.text;
    };
    assert.equal(await shown(), 'a\nb\nopost isig icanon echo\r\n');
    // Where there is no such program, or it cannot, it is as Node has it.
    const directory = aDirectory(t);
    writeFileSync(join(directory, 'stty'), '#!/bin/sh\ncase $1 in -opost) exit 1;; esac; exec /bin/stty "$@"\n', {
      mode: 0o755,
    });
    assert.equal(await shown({ PATH: `${directory}:${process.env['PATH']}` }), 'a\r\nb\r\nopost isig icanon echo\r\n');
  });

  test(`without a terminal here -tt takes one there, -t does not, and several machines have none: ${host}`, async (t) => {
    const directory = aDirectory(t);
    const rule = '[[allow]]\nwho = ["role:member"]\non = "web1"\nrun = ["tty", "echo *"]\n';
    writePolicy(directory, `${rule}\n[[allow]]\nwho = ["eve"]\non = "web1"\nrun = ["tty"]\ntty = true\n`);
    await using server = await startServer({ directory });
    await using _web1 = await aMachine('web1', server, host);
    const target = at(host, server.port);
    const run = (args: readonly string[], input = ''): Promise<Outcome> =>
      outcomeOf(partyline(['run', target, ...args], { env: server.env }), input);
    const sized = await run(['-tt', '--', 'stty size; exit 3'], '');
    assert.deepEqual(sized, { status: 3, stdout: '24 80\r\n', stderr: '' });
    assert.deepEqual(await run(['-tt', '--on', 'web1', '--', 'cat'], 'a~.\n~.\n'), {
      status: 0,
      stdout: 'a~.\r\n~.\r\na~.\r\n~.\r\n',
      stderr: '',
    });
    assert.equal((await run(['-tt', '--', 'kill -9 $$'])).status, 137);
    assert.equal((await run(['-tt', '--', 'no-such-program', 'x'])).status, 127);
    const late = await run(['-tt', '--timeout', '0.3', '--', 'sleep 1000']);
    assert.deepEqual([late.status, late.stderr], [124, 'partyline run: ended after 0.3 s (--timeout)\n']);
    for (const [args, why] of [
      [['-t', '--', 'tty'], /^partyline run: -t passes on what is typed, and standard input is no terminal; -tt/],
      [['-tt', '--on', 'web*', '--', 'tty'], /^partyline run: -t is for one machine, and "web\*" may be several$/m],
      [['-tt', '--on', 'all'], /-t is for one machine/],
      [['-tt', '-n', '--', 'tty'], /-n passes no input on, and -t does: one of them/],
      [['-tt', '--json', '--', 'tty'], /-t shows what the terminal there shows: --json/],
    ] as const) {
      refused(await run(args), why, 255);
    }
    // Who may type may do more: a pager starts a shell for whoever asks. So the policy has a word for it.
    const owner = someone(server.directory, target);
    const janaki = await loggedIn('janaki', { owner, state: aDirectory(t), target });
    const eve = await loggedIn('eve', { owner, state: aDirectory(t), target });
    assert.equal((await janaki.run(['run', '--on', 'web1', '--', 'echo', 'hi'])).stdout, 'hi\n');
    const no = /Cannot run tty in a terminal on "web1" as janaki, a member: the policy .*; nothing was started$/m;
    refused(await janaki.run(['run', '--on', 'web1', '-tt', '--', 'tty']), no, 255);
    assert.match((await eve.run(['run', '--on', 'web1', '-tt', '--', 'tty'])).stdout, /^\/dev\/pts\/\d+\r\n$/);
    refused(await eve.run(['run', '--on', 'web1', '-tt']), /Cannot run a login shell in a terminal on "web1"/, 255);
    await using web2 = await aMachine('web2', server, host, { args: ['--policy', writeHostPolicy(aDirectory(t), '')] });
    for (const args of [[], ['--cwd', '/tmp']]) {
      const there = args.length === 0 ? '' : ' in "/tmp"';
      const why = `Cannot run a login shell${there} in a terminal: the machine's own policy does not allow it; nothing was started there`;
      assert.equal((await run(['-tt', '--on', web2.name, ...args])).stderr, `partyline run: ${why}\n`);
    }
  });
}
