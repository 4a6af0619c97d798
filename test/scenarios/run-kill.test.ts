// kill -9 of the client, the server or the machine, at any point of what they say to each other about a run: nothing that
// the run has started is left, what has made a session of its own included. The points are bytes that a relay stops at,
// chosen by a seed that is told; before them everything has been said, and nothing after them.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { newAccount } from '../kit/accounts.ts';
import { aDirectory } from '../kit/directory.ts';
import { countMarked, lacksMarks } from '../kit/escapees.ts';
import { codeFor, joining } from '../kit/machine.ts';
import { marksIn, WHERE, type Where } from '../kit/place.ts';
import { writePolicy } from '../kit/policy.ts';
import { until } from '../kit/proc.ts';
import { partyline, type Program } from '../kit/program.ts';
import { Random, seedOf } from '../kit/random.ts';
import { aRelay, type Carried, type Relay, type Speaker, type Stop } from '../kit/relay.ts';
import { at, LOOPBACKS, startServer, type TestServer } from '../kit/server.ts';

const LIMIT = { timeout: 110_000, skip: lacksMarks };
/** Whoever has an account runs anything, on the server too. */
const POLICY = '[[allow]]\nwho = ["role:member"]\non = "Server,all"\nshell = true\n';
/** Goes through everything that a run can: a start, input, output, something left in a session of its own, an end. */
const LINE = 'setsid sleep 1000 & cat; exit 3';
const INPUT = randomBytes(200_000);
/** Of what a client and a server say: the login and the start, and the end of the run. */
const FIRST_BYTES = 1_200;
const LAST_BYTES = 300;

interface House extends AsyncDisposable {
  server: TestServer;
  machine: Program | undefined;
  /** Between client and server, and between machine and server. */
  readonly relay: Relay;
  readonly machineRelay: Relay;
  /** The machine's connection. */
  link: Carried | undefined;
  readonly pipes: string;
  run(line: string, port?: number): Program;
  /** Whoever was killed is started again. */
  restart(): Promise<void>;
}

async function aHouse(where: Where, host: string, t: TestContext): Promise<House> {
  const [directory, machineDirectory, own] = [aDirectory(t), aDirectory(t), aDirectory(t)];
  writePolicy(directory, POLICY);
  // Where nothing but TLS is spoken nobody is greeted, however late they speak.
  const begin = (port = 0, tlsPort = 0) =>
    startServer({ directory, port, args: ['--run-as', userInfo().username, '--listen', `tls://localhost:${tlsPort}`] });
  const server = await begin();
  const tlsPort = Number(/^listening on tls:.*:(\d+)$/m.exec(server.program.stdout.text)?.[1]);
  const tokenFile = join(own, 'token');
  writeFileSync(tokenFile, `${await newAccount('janaki', server)}\n`, { mode: 0o600 });
  const relay = await aRelay(host, server.port);
  const machineRelay = await aRelay(host, tlsPort);
  const env = { PARTYLINE_DATA: own, PARTYLINE_TOKEN_FILE: tokenFile };
  const on = where === 'machine' ? ['--on', 'web1'] : [];
  const join_ = async (code: readonly string[] = []) => {
    // Inside TLS its proof counts at any address, which is what a relay needs.
    house.link = machineRelay.next();
    const machine = joining(machineDirectory, [`tls://${at(host, machineRelay.port)}`, ...code]);
    house.machine = machine;
    await machine.stdout.until('ready\n').catch((error: unknown) => {
      throw new Error(`web1 did not join: ${machine.stderr.text}`, { cause: error });
    });
  };
  const house: House = {
    server,
    machine: undefined,
    relay,
    machineRelay,
    link: undefined,
    pipes: where === 'machine' ? join(machineDirectory, 'host-pipes') : join(directory, 'pipes'),
    run: (line, port = relay.port) => partyline(['run', at(host, port), ...on, '--', line], { env }),
    async restart() {
      await house.machine?.[Symbol.asyncDispose]();
      await house.server[Symbol.asyncDispose]();
      house.server = await begin(server.port, tlsPort);
      if (where === 'machine') await join_();
    },
    async [Symbol.asyncDispose]() {
      await house.machine?.[Symbol.asyncDispose]();
      await house.server[Symbol.asyncDispose]();
      await relay[Symbol.asyncDispose]();
      await machineRelay[Symbol.asyncDispose]();
    },
  };
  try {
    if (where === 'machine') await join_(['--code', await codeFor('web1', server, host)]);
  } catch (error) {
    await house[Symbol.asyncDispose]();
    throw error;
  }
  return house;
}

/** Whatever was asked for before has been started or refused by the time that this is over. */
async function settled(house: House): Promise<void> {
  await using program = house.run('true', house.server.port);
  program.stdin.end();
  assert.equal(await program.ended, 0, program.stderr.text);
}

/** One run to its end: how much each says of it. */
async function measured(house: House): Promise<Readonly<Record<Speaker, number>>> {
  const carried = house.relay.next();
  await using program = house.run(LINE);
  program.stdin.end(INPUT);
  assert.equal(await program.ended, 3, program.stderr.text);
  await carried.over;
  return carried.said;
}

/** As often among the first bytes and among the last, where things happen, as anywhere. */
function aPoint(random: Random, total: Readonly<Record<Speaker, number>>): Stop {
  const speaker = random.pick<Speaker>(['client', 'server']);
  const places = [
    random.int(FIRST_BYTES),
    random.int(total[speaker]),
    Math.max(0, total[speaker] - random.int(LAST_BYTES)),
  ] as const;
  return { speaker, afterBytes: random.pick(places) };
}

for (const host of LOOPBACKS) {
  for (const where of WHERE) {
    test(`a client killed at any byte leaves nothing on the ${where}: ${host}`, LIMIT, async (t) => {
      const random = new Random(seedOf(t));
      await using house = await aHouse(where, host, t);
      const total = await measured(house);
      const [mark = ''] = marksIn(house.pipes);
      for (let trial = 0; trial < 8; trial++) {
        const stop = aPoint(random, total);
        const carried = house.relay.next(stop);
        await using client = house.run(LINE);
        client.stdin.end(INPUT);
        const wasReached = await carried.reached;
        // Otherwise it is ending by itself.
        if (wasReached) client.kill('SIGKILL');
        const status = await client.ended;
        const what = `${stop.speaker} stopped after ${stop.afterBytes} bytes`;
        assert.ok(wasReached ? status === 137 || status === 3 : status === 3, `${what}: ${status}`);
        await carried.over;
        await settled(house);
        await until(() => countMarked(mark) === 1, `the runner alone is left, ${what}`);
      }
    });

    for (const victim of where === 'machine' ? (['server', 'machine'] as const) : (['server'] as const)) {
      test(`a ${victim} killed at any byte leaves nothing on the ${where}: ${host}`, LIMIT, async (t) => {
        const random = new Random(seedOf(t));
        await using house = await aHouse(where, host, t);
        const total = await measured(house);
        for (let trial = 0; trial < 3; trial++) {
          const stop = aPoint(random, total);
          const isLink = where === 'machine' && random.int(2) === 0;
          // Of the machine's connection the client is the machine; there what it says is in records of TLS.
          const carried = isLink ? house.link : house.relay.next(stop);
          if (isLink) house.link?.stopAfter(stop.speaker, stop.afterBytes);
          const marks = marksIn(house.pipes);
          await using client = house.run(LINE);
          client.stdin.end(INPUT);
          const isOver = client.ended.then(() => false);
          const wasReached = await Promise.race([carried?.reached, isOver]);
          const program = victim === 'machine' ? house.machine : house.server.program;
          program?.kill('SIGKILL');
          await program?.ended;
          // What the server says of it would not get there, and the client hears nothing for as long as it may.
          if (!isLink) carried?.cut();
          const status = await client.ended;
          const what = `${isLink ? 'on the link ' : ''}${stop.speaker} stopped after ${stop.afterBytes} bytes`;
          assert.ok(status === 255 || status === 3, `${what}: ${status} ${client.stderr.text}`);
          if (wasReached !== true) assert.equal(status, 3, what);
          // Whose runs they were is dead, or has heard that nobody wants them any more.
          const isRunnerLeft = where === 'machine' && victim === 'server';
          const left = isRunnerLeft ? marks.length : 0;
          await until(
            () => marks.reduce((sum, mark) => sum + countMarked(mark), 0) <= left,
            `nothing is left, ${what}`,
          );
          await house.restart();
        }
      });
    }
  }
}
