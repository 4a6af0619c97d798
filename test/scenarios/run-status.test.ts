// The whole table of what `partyline run` ends with, on a server and on a machine, over both families.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aPlace, WHERE, type Place } from '../kit/place.ts';
import { outcomeOf, partyline, type Outcome } from '../kit/program.ts';
import { at, LOOPBACKS } from '../kit/server.ts';

const LIMIT = { timeout: 110_000 };
const ONE_LINE = /^partyline run: [^\n]+\n$/;

/** The arguments after HOST and targets, and with `--json` what the last object says. */
const TABLE: readonly (readonly [what: string, args: readonly string[], status: number, result: string])[] = [
  ['its own: 0', ['--', 'true'], 0, 'exited'],
  ['its own: 1', ['--', 'false'], 1, 'exited'],
  ['its own: 44', ['--', 'exit 44'], 44, 'exited'],
  ['its own: 255', ['--', 'exit 255'], 255, 'exited'],
  ['its own, of an argument vector', ['--', 'sh', '-c', 'exit 5'], 5, 'exited'],
  ['its own: one that looks like a signal', ['--', 'exit 137'], 137, 'exited'],
  ['128 and the signal: HUP', ['--', 'kill -HUP $$'], 129, 'signalled'],
  ['128 and the signal: KILL', ['--', 'kill -KILL $$'], 137, 'signalled'],
  ['128 and the signal: SEGV', ['--', 'ulimit -c 0; kill -SEGV $$'], 139, 'signalled'],
  ['128 and the signal: TERM', ['--', 'kill -TERM $$'], 143, 'signalled'],
  ['past its time', ['--timeout', '0.2', '--', 'exec sleep 1000'], 124, 'timeout'],
  [
    'past its time, whatever it makes of it',
    ['--timeout', '0.2', '--', 'trap "exit 3" HUP; sleep 1000'],
    124,
    'timeout',
  ],
  ['within its time', ['--timeout', '100', '--', 'exit 3'], 3, 'exited'],
  ['not executable', ['--', '/etc/passwd', 'x'], 126, 'exited'],
  ['not executable, to a shell', ['--', '/etc/passwd'], 126, 'exited'],
  ['a directory', ['--', '/etc', 'x'], 126, 'exited'],
  ['not found', ['--', 'no-such-program', 'x'], 127, 'exited'],
  ['not found, by a path', ['--', '/no/such/program', 'x'], 127, 'exited'],
  ['not found, to a shell', ['--', 'no-such-program'], 127, 'exited'],
];

/** All at once: each has a connection and a run of its own. */
async function each<Row>(rows: readonly Row[], check: (row: Row) => Promise<void>): Promise<void> {
  for (let from = 0; from < rows.length; from += 4) await Promise.all(rows.slice(from, from + 4).map(check));
}

function lastOf({ stdout }: Outcome): unknown {
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
}

async function interrupted(place: Place, signal: NodeJS.Signals): Promise<number> {
  await using program = place.run(['--', 'echo up; exec sleep 1000']);
  await program.stdout.until('up\n');
  program.kill(signal);
  return await program.ended;
}

for (const host of LOOPBACKS) {
  for (const where of WHERE) {
    test(`each way in which a command ends has its status, on the ${where}: ${host}`, LIMIT, async () => {
      await using place = await aPlace(where, host);
      await each(TABLE, async ([what, args, status, result]) => {
        const told = await place.outcome(['--json', ...args]);
        assert.equal(told.status, status, what);
        assert.deepEqual(lastOf(told), { host: place.name, result, status }, what);
      });
      assert.equal((await place.outcome(['--', 'echo out; echo err >&2; exit 7'])).status, 7);
      assert.deepEqual([await interrupted(place, 'SIGINT'), await interrupted(place, 'SIGTERM')], [130, 143]);
    });

    test(
      `where nothing starts, or nobody can tell, it is 255 and one line: on the ${where}, ${host}`,
      LIMIT,
      async () => {
        await using place = await aPlace(where, host);
        const { server } = place;
        const target = at(host, server.port);
        const ask = (args: readonly string[], env = {}) =>
          outcomeOf(partyline(['run', ...args], { env: { ...server.env, ...env } }));
        const on = where === 'machine' ? ['--on', 'web1'] : [];
        const cases: [what: string, outcome: Promise<Outcome>][] = [
          ['no such host', ask([target, '--on', 'nobody', '--', 'true'])],
          ['not allowed', ask([target, ...on, '--', 'true'], { PARTYLINE_DATA: `${server.directory}/none` })],
          // What spoke there is gone.
          ['could not connect', ask([at(host, 1), ...on, '--', 'true'])],
          ['not a server of this kind', ask([at(host, server.echoPort), ...on, '--', 'true'])],
          ['wrong usage', ask([target, '--no-such-option', '--', 'true'])],
        ];
        for (const [what, outcome] of cases) {
          const { status, stdout, stderr } = await outcome;
          assert.deepEqual([status, stdout], [255, ''], what);
          assert.match(stderr, ONE_LINE, what);
        }
        // Lost on its way.
        await using lost = place.run(['--', 'echo up; exec sleep 1000']);
        await lost.stdout.until('up\n');
        place.program.kill('SIGKILL');
        assert.equal(await lost.ended, 255);
        assert.match(lost.stderr.text, ONE_LINE);
        if (where === 'server') return;
        await server.program.stdout.until('web1 connection closed\n');
        const offline = await place.outcome(['--json', '--', 'true']);
        assert.equal(offline.status, 255);
        const { result, status } = { result: undefined, status: undefined, ...Object(lastOf(offline)) };
        assert.deepEqual([result, status], ['offline', null]);
      },
    );
  }
}
