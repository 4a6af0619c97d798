// What an output is read into: used again as soon as it is released, and never before.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aRunner, sh } from '../../test/kit/runner.ts';

const LIMIT = { timeout: 20_000 };
const BYTES = 3_000_000;
/** Numbered lines: no two pieces of it are alike. */
const LINE = `seq 1 1000000 | head -c ${BYTES}`;
const EXPECTED = Array.from({ length: 500_000 }, (_, i) => `${i + 1}\n`)
  .join('')
  .slice(0, BYTES);

for (const isReleased of [true, false]) {
  test(
    `bytes are as they were written, ${isReleased ? 'each read released' : 'all of them kept'}`,
    LIMIT,
    async (t) => {
      const run = aRunner(t).start({ command: sh(LINE), env: {} });
      run.stderr.resume();
      const chunks: Uint8Array[] = [];
      const lent = new Set<ArrayBufferLike>();
      run.stdout.onData((chunk, release) => {
        if (release !== undefined) lent.add(chunk.buffer);
        chunks.push(isReleased ? Buffer.from(chunk) : chunk);
        if (!isReleased) return;
        release?.();
        release?.();
      });
      run.stdout.resume();
      assert.deepEqual(await run.ended, { result: 'exited', status: 0 });
      assert.ok(Buffer.concat(chunks).toString() === EXPECTED);
      // One is read into while the other is out.
      if (isReleased) assert.ok(lent.size <= 2, `${lent.size} buffers were used`);
    },
  );
}
