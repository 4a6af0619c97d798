// What a command has put out of its session is gone with the run, whoever is killed: by the programs themselves, for the
// server's own commands and for those of a machine that has joined, over both families.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countMarked, DAEMON, lacksMarks } from '../kit/escapees.ts';
import { joining } from '../kit/machine.ts';
import { aPlace, marksIn, WHERE, type Place } from '../kit/place.ts';
import { until } from '../kit/proc.ts';
import type { Program } from '../kit/program.ts';
import { at, LOOPBACKS, startServer } from '../kit/server.ts';

const LIMIT = { timeout: 60_000, skip: lacksMarks };
/** Says the runner process of its own, then "up" once somebody is out of its session. */
const LINE = `echo $PPID; ${DAEMON}`;

/** Once somebody is out of its session there: the client, the runner process and its mark. */
async function escaped(place: Place) {
  const client = place.run(['--', LINE]);
  const said = await client.stdout.until(/^\d+\nup\n/);
  const [mark = ''] = marksIn(place.pipes);
  assert.ok(countMarked(mark) >= 2);
  return { client, mark, runner: Number.parseInt(said, 10) };
}

/** All that has the mark is gone; with the runner process, too. */
const nothingLeft = (mark: string) => until(() => countMarked(mark) === 0, 'nothing of the run is left');
const onlyRunnerLeft = (mark: string) => until(() => countMarked(mark) === 1, 'the runner process alone is left');

/** The server first, so that it sees nothing of its runner's death. */
async function killBoth(program: Program, runner: number): Promise<void> {
  program.kill('SIGSTOP');
  process.kill(runner, 'SIGKILL');
  program.kill('SIGKILL');
  await program.ended;
}

for (const host of LOOPBACKS) {
  for (const which of WHERE) {
    for (const how of ['interrupted', 'killed'] as const) {
      test(`the client ${how}, a daemon of the ${which}'s command is gone: ${host}`, LIMIT, async () => {
        await using place = await aPlace(which, host);
        const { client, mark } = await escaped(place);
        client.kill(how === 'killed' ? 'SIGKILL' : 'SIGINT');
        assert.equal(await client.ended, how === 'killed' ? 137 : 130);
        await onlyRunnerLeft(mark);
      });
    }

    test(`past its time a daemon of the ${which}'s command is gone: ${host}`, LIMIT, async () => {
      await using place = await aPlace(which, host);
      await using client = place.run(['--timeout', '1', '--', LINE]);
      assert.equal(await client.ended, 124);
      await onlyRunnerLeft(marksIn(place.pipes)[0] ?? '');
    });

    test(`the runner of the ${which} killed, a daemon of its command is gone: ${host}`, LIMIT, async () => {
      await using place = await aPlace(which, host);
      const { client, mark, runner } = await escaped(place);
      process.kill(runner, 'SIGKILL');
      assert.equal(await client.ended, 255);
      await nothingLeft(mark);
      await until(() => marksIn(place.pipes).length === 0, 'the mark is not kept any more');
    });

    test(`the ${which} killed, a daemon of its command is gone: ${host}`, LIMIT, async () => {
      await using place = await aPlace(which, host);
      const { client, mark } = await escaped(place);
      place.program.kill('SIGKILL');
      assert.equal(await client.ended, 255);
      await nothingLeft(mark);
    });

    test(`the ${which} and its runner killed, a daemon is gone when the ${which} is back: ${host}`, LIMIT, async () => {
      await using place = await aPlace(which, host);
      const { server, machine } = place;
      const { client, mark, runner } = await escaped(place);
      await killBoth(place.program, runner);
      assert.equal(await client.ended, 255);
      assert.ok(countMarked(mark) > 0, 'nobody was left to end it');
      await using _ =
        machine === undefined
          ? await startServer({ directory: server.directory, port: server.port })
          : joining(machine.directory, [at(host, server.port)]);
      await nothingLeft(mark);
      await until(() => marksIn(place.pipes).length === 0, 'the mark is not kept any more');
    });
  }

  test(`the server killed, a daemon of a machine's command is gone: ${host}`, LIMIT, async () => {
    await using place = await aPlace('machine', host);
    const { client, mark } = await escaped(place);
    place.server.program.kill('SIGKILL');
    assert.equal(await client.ended, 255);
    await onlyRunnerLeft(mark);
  });
}
