// A large input there and back through a command: every byte of it, and memory that does not grow with it, in the client,
// the server and the machine. TEST_BYTES in the environment says how much: 1073741824 by hand, less in every run.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { test } from 'node:test';
import { aPlace, WHERE } from '../kit/place.ts';
import { hasProc, residentBytes } from '../kit/proc.ts';
import { PARTYLINE } from '../kit/program.ts';
import { at, LOOPBACKS } from '../kit/server.ts';

const MIB = 1_048_576;
const BYTES = Number(process.env['TEST_BYTES'] ?? 48 * MIB);
/** Milliseconds: a busy machine takes 30 MiB in a second, both ways. */
const LIMIT = { timeout: 110_000 + BYTES / 10_000 };
/** Between two looks at who occupies how much. */
const LOOK_BYTES = 4 * MIB;
/** Until then windows and buffers fill, and code becomes fast; from then on nobody grows by more than what garbage makes. */
const WARM_UP_BYTES = 24 * MIB;
const MAX_GROWTH_BYTES = 96 * MIB;

for (const host of LOOPBACKS) {
  for (const where of WHERE) {
    test(`${BYTES / MIB} MiB go there and come back, in flat memory: ${where}, ${host}`, LIMIT, async (t) => {
      if (!hasProc(t)) return;
      await using place = await aPlace(where, host);
      const on = place.machine === undefined ? [] : ['--on', place.name];
      const client = spawn(PARTYLINE, ['run', at(host, place.server.port), ...on, '--', 'cat'], {
        env: { ...process.env, ...place.server.env },
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      const pids = { client: client.pid ?? 0, server: place.server.pid, machine: place.machine?.program.pid };
      const [sent, came] = [createHash('sha256'), createHash('sha256')];
      const early: Record<string, number> = {};
      const late: Record<string, number> = {};
      let received = 0;
      let nextLook = LOOK_BYTES;
      client.stdout.on('data', (chunk: Buffer) => {
        came.update(chunk);
        received += chunk.length;
        if (received < nextLook || received >= BYTES) return;
        nextLook += LOOK_BYTES;
        const highest = received < WARM_UP_BYTES ? early : late;
        for (const [who, pid] of Object.entries(pids)) {
          if (pid !== undefined) highest[who] = Math.max(highest[who] ?? 0, residentBytes(pid));
        }
      });
      const ended = once(client, 'close');
      const block = randomBytes(MIB);
      for (let left = BYTES; left > 0; left -= block.length) {
        // No two blocks are alike: one that was left out, doubled or misplaced shows.
        const piece = Buffer.from(block.subarray(0, left));
        piece.writeUIntBE(left, 0, 6);
        sent.update(piece);
        if (!client.stdin.write(piece)) await once(client.stdin, 'drain');
      }
      client.stdin.end();
      const [status]: unknown[] = await ended;
      assert.deepEqual([status, received, came.digest('hex')], [0, BYTES, sent.digest('hex')]);
      for (const [who, bytes] of Object.entries(late)) {
        const before = early[who] ?? 0;
        t.diagnostic(`${who}: ${Math.round(before / MIB)} MiB at first, ${Math.round(bytes / MIB)} later`);
        assert.ok(bytes - before < MAX_GROWTH_BYTES, `the ${who} grew from ${before} to ${bytes} bytes`);
      }
      assert.ok(Object.keys(late).length >= 2, 'somebody was looked at');
    });
  }
}
