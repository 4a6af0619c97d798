// The client, the server or the machine killed while a command is being ended, or while it takes no input: what takes
// neither HUP nor TERM, and what has a session of its own, is gone after the grace all the same.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { countMarked, lacksMarks } from '../kit/escapees.ts';
import { aPlace, marksIn, WHERE, type Place } from '../kit/place.ts';
import { isAsleep, until } from '../kit/proc.ts';
import { PARTYLINE } from '../kit/program.ts';
import { milestone } from '../kit/runner.ts';
import { at, LOOPBACKS } from '../kit/server.ts';

const LIMIT = { timeout: 110_000, skip: lacksMarks };
/** Takes HUP, and says so; takes no TERM; and has somebody elsewhere who takes neither. */
const stubborn = (milestone: string): string =>
  `trap "echo >${milestone}" HUP; ` +
  'trap "" TERM; setsid sh -c \'trap "" HUP TERM; exec sleep 1000\' >/dev/null 2>&1 & ' +
  'echo up; while :; do sleep 1000 >/dev/null & wait $!; done';
type Victim = 'client' | 'server' | 'machine';

/** Every pair of where the command runs and who dies. */
const CASES = WHERE.flatMap((where) =>
  (['client', 'server', 'machine'] as const)
    .filter((victim) => where === 'machine' || victim !== 'machine')
    .map((victim) => ({ where, victim })),
);

function killed(place: Place, client: { kill: (signal: NodeJS.Signals) => unknown }, victim: Victim): void {
  const program = { client, server: place.server.program, machine: place.machine?.program }[victim];
  program?.kill('SIGKILL');
}

/** Of the runner process, and of what it has started: it is left if nobody whom it serves has died. */
async function nothingLeft(place: Place, marks: readonly string[], victim: Victim): Promise<void> {
  const isServed = victim === 'client' || (place.machine !== undefined && victim === 'server');
  assert.ok(marks.length > 0);
  for (const mark of marks) {
    // On a machine that stands still the server may have replaced a runner process that did not answer.
    await until(() => countMarked(mark) <= (isServed ? 1 : 0), `nothing is left when the ${victim} was killed`);
  }
}

for (const host of LOOPBACKS) {
  test(`whoever is killed while a command is being ended, nothing of it is left: ${host}`, LIMIT, async (t) => {
    await Promise.all(
      CASES.map(async ({ where, victim }) => {
        await using place = await aPlace(where, host);
        const ending = milestone(t);
        await using client = place.run(['--', stubborn(ending.path)]);
        await client.stdout.until('up\n');
        const marks = marksIn(place.pipes);
        client.kill('SIGINT');
        await ending.passed();
        killed(place, client, victim);
        await client.ended;
        await nothingLeft(place, marks, victim);
      }),
    );
  });

  test(`whoever is killed while input waits to be taken, nothing of the command is left: ${host}`, LIMIT, async () => {
    await Promise.all(
      CASES.map(async ({ where, victim }) => {
        await using place = await aPlace(where, host);
        const on = place.machine === undefined ? [] : ['--on', place.name];
        const line = 'setsid sleep 1000 >/dev/null 2>&1 & echo up; exec sleep 1000';
        const child = spawn(PARTYLINE, ['run', at(host, place.server.port), ...on, '--', line], {
          env: { ...process.env, ...place.server.env },
          stdio: ['pipe', 'pipe', 'ignore'],
        });
        const ended = new Promise((resolve) => child.once('close', resolve));
        child.stdin.on('error', () => {});
        await new Promise((resolve) => child.stdout.once('data', resolve));
        const marks = marksIn(place.pipes);
        // More than every window and pipe on the way holds; then its writer is told to wait, and goes on waiting.
        const isTaken = child.stdin.write(Buffer.alloc(8 * 1_048_576));
        assert.equal(isTaken, false);
        let written = 0;
        await until(async () => {
          const before = written;
          written = child.stdin.writableLength;
          await place.outcome(['--', 'true']);
          return written > 0 && before === written && isAsleep(child.pid ?? 0);
        }, 'no more input is taken');
        killed(place, child, victim);
        await ended;
        await nothingLeft(place, marks, victim);
      }),
    );
  });
}
