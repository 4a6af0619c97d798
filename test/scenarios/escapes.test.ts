// What a command has put out of its session is gone with the run, whoever is killed: by the programs themselves, for the
// server's own commands and for those of a machine that has joined, over both families.

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { countMarked, DAEMON, lacksMarks } from '../kit/escapees.ts';
import { aMachine, joining, type Machine } from '../kit/machine.ts';
import { until } from '../kit/proc.ts';
import { partyline, type Program } from '../kit/program.ts';
import { at, LOOPBACKS, startServer, type TestServer } from '../kit/server.ts';

const LIMIT = { timeout: 60_000, skip: lacksMarks };
/** Says the runner process of its own, then "up" once somebody is out of its session. */
const LINE = `echo $PPID; ${DAEMON}`;

interface Place {
  readonly server: TestServer;
  readonly host: string;
  readonly machine: Machine | undefined;
}

/** Whose commands: what asks for one there, where the runner has its directory, and whose runner it is. */
const PLACES = {
  server: {
    on: [],
    directory: ({ server }: Place) => join(server.directory, 'pipes'),
    program: ({ server }: Place) => server.program,
  },
  machine: {
    on: ['--on', 'web1'],
    directory: ({ machine }: Place) => join(machine?.directory ?? '', 'host-pipes'),
    program: ({ server, machine }: Place) => machine?.program ?? server.program,
  },
} as const;

/** Once somebody is out of its session there: the client, the runner process and its mark. */
async function escaped(place: Place, which: keyof typeof PLACES) {
  const { on, directory } = PLACES[which];
  const { server, host } = place;
  const client = partyline(['run', at(host, server.port), ...on, '--', LINE], { env: { ...server.env } });
  const said = await client.stdout.until(/^\d+\nup\n/);
  const [mark = ''] = marksIn(directory(place));
  assert.ok(countMarked(mark) >= 2);
  return { client, mark, runner: Number.parseInt(said, 10) };
}

function marksIn(directory: string): string[] {
  return readdirSync(directory).flatMap((name) => (name.startsWith('mark-') ? [name.slice('mark-'.length)] : []));
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
  for (const which of ['server', 'machine'] as const) {
    const begin = async () => {
      const server = await startServer();
      const machine = which === 'machine' ? await aMachine('web1', server, host) : undefined;
      const place: Place = { server, host, machine };
      return {
        ...place,
        place,
        async [Symbol.asyncDispose]() {
          await machine?.[Symbol.asyncDispose]();
          await server[Symbol.asyncDispose]();
        },
      };
    };

    for (const how of ['interrupted', 'killed'] as const) {
      test(`the client ${how}, a daemon of the ${which}'s command is gone: ${host}`, LIMIT, async () => {
        await using there = await begin();
        const { client, mark } = await escaped(there.place, which);
        client.kill(how === 'killed' ? 'SIGKILL' : 'SIGINT');
        assert.equal(await client.ended, how === 'killed' ? 137 : 130);
        await onlyRunnerLeft(mark);
      });
    }

    test(`past its time a daemon of the ${which}'s command is gone: ${host}`, LIMIT, async () => {
      await using there = await begin();
      const { on, directory } = PLACES[which];
      const args = ['run', at(host, there.server.port), '--timeout', '1', ...on, '--', LINE];
      await using client = partyline(args, { env: { ...there.server.env } });
      assert.equal(await client.ended, 124);
      await onlyRunnerLeft(marksIn(directory(there.place))[0] ?? '');
    });

    test(`the runner of the ${which} killed, a daemon of its command is gone: ${host}`, LIMIT, async () => {
      await using there = await begin();
      const { client, mark, runner } = await escaped(there.place, which);
      process.kill(runner, 'SIGKILL');
      assert.equal(await client.ended, 255);
      await nothingLeft(mark);
      const { directory } = PLACES[which];
      await until(() => marksIn(directory(there.place)).length === 0, 'the mark is not kept any more');
    });

    test(`the ${which} killed, a daemon of its command is gone: ${host}`, LIMIT, async () => {
      await using there = await begin();
      const { client, mark } = await escaped(there.place, which);
      PLACES[which].program(there.place).kill('SIGKILL');
      assert.equal(await client.ended, 255);
      await nothingLeft(mark);
    });

    test(`the ${which} and its runner killed, a daemon is gone when the ${which} is back: ${host}`, LIMIT, async () => {
      await using there = await begin();
      const { client, mark, runner } = await escaped(there.place, which);
      const { program, directory } = PLACES[which];
      await killBoth(program(there.place), runner);
      assert.equal(await client.ended, 255);
      assert.ok(countMarked(mark) > 0, 'nobody was left to end it');
      await using _ =
        there.machine === undefined
          ? await startServer({ directory: there.server.directory, port: there.server.port })
          : joining(there.machine.directory, [at(host, there.server.port)]);
      await nothingLeft(mark);
      await until(() => marksIn(directory(there.place)).length === 0, 'the mark is not kept any more');
    });
  }

  test(`the server killed, a daemon of a machine's command is gone: ${host}`, LIMIT, async () => {
    await using server = await startServer();
    await using machine = await aMachine('web1', server, host);
    const { client, mark } = await escaped({ server, host, machine }, 'machine');
    server.program.kill('SIGKILL');
    assert.equal(await client.ended, 255);
    await onlyRunnerLeft(mark);
  });
}
