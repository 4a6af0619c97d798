// The streams of a command, each by itself: as other programs that run commands elsewhere have learnt to test them (a late
// stderr, a broken pipe, an input that is missing, transfers of crooked lengths), on a server and on a machine.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { enterAsOwner } from '../../src/client/on-socket.ts';
import { Runs } from '../../src/client/run.ts';
import { INITIAL_WINDOW_BYTES, MAX_DATA_BYTES } from '../../src/protocol/native/limits.ts';
import { aPlace, WHERE, type Place } from '../kit/place.ts';
import { outcomeOf, PARTYLINE, start } from '../kit/program.ts';
import { at, LOOPBACKS } from '../kit/server.ts';

const LIMIT = { timeout: 110_000 };

const digestOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** A line of a shell here, in which `$RUN` is `partyline run` there. */
function here(line: string, place: Place, host: string) {
  const on = place.machine === undefined ? [] : ['--on', place.name];
  const words = ['run', at(host, place.server.port), ...on, '--'];
  return start(
    '/bin/sh',
    ['-c', `run() { "$0" ${words.map((word) => `'${word}'`).join(' ')} "$@"; }; ${line}`, PARTYLINE],
    {
      env: { ...place.server.env },
    },
  );
}

/** Both outputs as they come, whole. */
async function bytesOf(place: Place, host: string, { line, input }: { line: string; input: Uint8Array }) {
  const on = place.machine === undefined ? [] : ['--on', place.name];
  const child = spawn(PARTYLINE, ['run', at(host, place.server.port), ...on, '--', line], {
    env: { ...process.env, ...place.server.env },
  });
  const outputs: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].on('data', (chunk: Buffer) => outputs[name].push(chunk));
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const [status]: unknown[] = await once(child, 'close');
  return { status, stdout: Buffer.concat(outputs.stdout), stderr: Buffer.concat(outputs.stderr) };
}

for (const host of LOOPBACKS) {
  for (const where of WHERE) {
    test(`stderr comes byte for byte beside stdout, and after its end: ${where}, ${host}`, LIMIT, async () => {
      await using place = await aPlace(where, host);
      const input = randomBytes(1_500_000);
      const both = await bytesOf(place, host, { line: 'tee /dev/stderr; exit 9', input });
      assert.deepEqual([both.status, both.stdout.equals(input), both.stderr.equals(input)], [9, true, true]);
      const late = await bytesOf(place, host, { line: 'echo first; exec >&-; cat >&2; exit 4', input });
      assert.deepEqual([late.status, String(late.stdout), late.stderr.equals(input)], [4, 'first\n', true]);
      const mute = await bytesOf(place, host, { line: 'exec 2>&-; cat; exit 5', input });
      assert.deepEqual([mute.status, mute.stdout.equals(input), mute.stderr.length], [5, true, 0]);
      const neither = await bytesOf(place, host, { line: 'exec >&- 2>&-; cat >/dev/null; exit 6', input });
      assert.deepEqual([neither.status, neither.stdout.length, neither.stderr.length], [6, 0, 0]);
    });

    test(`lengths around every bound come and go as they are: ${where}, ${host}`, LIMIT, async () => {
      await using place = await aPlace(where, host);
      const bounds = [0, 65_536, MAX_DATA_BYTES * 2, INITIAL_WINDOW_BYTES, 2 * INITIAL_WINDOW_BYTES];
      const lengths = new Set(bounds.flatMap((bound) => [bound - 1, bound, bound + 1]).filter((length) => length >= 0));
      for (const length of lengths) {
        const input = randomBytes(length);
        const { status, stdout } = await bytesOf(place, host, { line: 'cat', input });
        assert.deepEqual([status, stdout.length, digestOf(stdout)], [0, length, digestOf(input)]);
      }
    });

    test(`a reader that goes, and one that never was, end the command: ${where}, ${host}`, LIMIT, async () => {
      await using place = await aPlace(where, host);
      const cases: [what: string, line: string, stdout: string][] = [
        ['head has read enough', 'run "exec yes" | head -n 2', 'y\ny\n'],
        ['nobody reads', 'run "exec yes" | true', ''],
        ['nobody reads what ends by itself', 'run "seq 100000; exit 3" | true', ''],
        ['stdout is closed, which is as good as /dev/null', 'run "seq 100000" >&-', ''],
        ['stderr is closed, and the rest comes', 'run "echo oh >&2; echo out" 2>&-', 'out\n'],
      ];
      for (const [what, line, stdout] of cases) {
        const told = await outcomeOf(here(line, place, host));
        assert.equal(told.stdout, stdout, what);
        assert.ok(!/\bat .*:\d+:\d+/.test(told.stderr), `${what}: ${told.stderr}`);
      }
    });

    test(`an input that is missing, empty or never read is no obstacle: ${where}, ${host}`, LIMIT, async () => {
      await using place = await aPlace(where, host);
      const cases: [what: string, line: string, stdout: string][] = [
        ['nothing at all', 'run "wc -c; exit 3" </dev/null; echo $?', '0\n3\n'],
        ['a closed one', 'run "wc -c; exit 3" <&-; echo $?', '0\n3\n'],
        ['one that ends late', '(run true; echo) | run "wc -c"', '1\n'],
        ['a file', `run "head -n 1" <"$0"`, '#!/bin/sh\n'],
        [
          'one of which a part is read, then the command goes on',
          'seq 100000 | run "head -n 1; exec <&-; echo on"',
          '1\non\n',
        ],
        ['one for the next command in a loop', 'for n in 1 2; do run "echo $n" </dev/null; done', '1\n2\n'],
      ];
      for (const [what, line, stdout] of cases) {
        const told = await outcomeOf(here(line, place, host));
        assert.deepEqual([told.stdout.replaceAll(/^ +/gm, ''), told.stderr], [stdout, ''], what);
      }
    });

    test(`the same command many times at once mixes nothing up: ${where}, ${host}`, LIMIT, async () => {
      await using place = await aPlace(where, host);
      const line = 'tee /dev/stderr; exit 7';
      const inputs = Array.from({ length: 6 }, () => randomBytes(400_000));
      const apart = await Promise.all(inputs.map((input) => bytesOf(place, host, { line, input })));
      for (const [index, { status, stdout, stderr }] of apart.entries()) {
        const input = inputs[index] ?? Buffer.alloc(0);
        assert.deepEqual([status, stdout.equals(input), stderr.equals(input)], [7, true, true], `client ${index}`);
      }
      // And over one connection.
      const trust = { meet: () => assert.fail('loopback is plain'), tell: () => {} };
      const tokenFile = join(place.server.directory, 'owner.token');
      const entering = await enterAsOwner(at(host, place.server.port), { tokenFile, trust });
      if ('refused' in entering) assert.fail(entering.refused);
      const { client } = entering;
      const runs = new Runs(client);
      await Promise.all(
        inputs.map(async (input, index) => {
          const outputs: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] };
          let written = 0;
          const write = () => {
            for (; written < input.length; written += 50_000) {
              if (!handle.write(input.subarray(written, written + 50_000))) {
                written += 50_000;
                break;
              }
            }
            if (written >= input.length) handle.endInput();
          };
          const on = place.machine === undefined ? {} : { on: place.name };
          const handle = runs.start(
            { command: { shell: line }, ...on },
            {
              onOutput(name, bytes, done) {
                outputs[name].push(Buffer.from(bytes));
                done();
              },
              onOutputEnd: () => {},
              onInputRoom: write,
              onInputClosed: () => {},
            },
          );
          write();
          const ended = await handle.ended;
          assert.deepEqual(ended, { end: 'ended', result: 'exited', status: 7 });
          for (const name of ['stdout', 'stderr'] as const) {
            assert.ok(Buffer.concat(outputs[name]).equals(input), `${name} of run ${index}`);
          }
        }),
      );
      client.close();
    });
  }
}
