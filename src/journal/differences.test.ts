// How much is read of a log that is altered in very many places.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { aDirectory } from '../../test/kit/directory.ts';
import { sealedFrame } from '../../test/kit/frames.ts';
import { alteredIn } from './differences.ts';

const SEED = 7;
const FRAMES = 2_000;
const WHERE = { seed: SEED, upTo: FRAMES };

/** A frame for each message, and every second one is not what was written. */
function anAlteredLog(t: TestContext): string {
  const path = join(aDirectory(t), 'journal');
  const frames = Array.from({ length: FRAMES }, (_, at) => {
    const frame = sealedFrame(at + 1, [[1_000, 1, 'Bob', 'broadcast', ['all'], 'said', []]], SEED);
    if (at % 2 === 1) frame.write('SAID', frame.indexOf('said'));
    return frame;
  });
  // The last one is whole: behind it the end would be one that a crash leaves.
  writeFileSync(`${path}-log-0`, Buffer.concat(frames.slice(0, -1)));
  return path;
}

/** How often frames are looked for while this is done. */
function searchesDuring(t: TestContext, action: () => void): number {
  let count = 0;
  const indexOf = Reflect.get(Buffer.prototype, 'indexOf');
  const counted = t.mock.method(Buffer.prototype, 'indexOf', function (this: Buffer, ...given: unknown[]) {
    count += 1;
    return Reflect.apply(indexOf, this, given);
  });
  action();
  counted.mock.restore();
  return count;
}

test('each place of a log that is altered in very many is looked for from the one before', (t) => {
  const path = anAlteredLog(t);
  const found: string[] = [];
  const searches = searchesDuring(t, () => void found.push(...alteredIn(path, WHERE)));
  assert.equal(found.length, FRAMES / 2 - 1);
  assert.match(found.at(-1) ?? '', new RegExp(`^Message ${FRAMES - 2} is altered in the log`));
  // Twice read; at the damage a search finds the frame that is damaged, and the next one behind it.
  assert.ok(searches <= 2 * 2 * FRAMES, `${searches} searches`);
});

test('no more of them are looked for than are told', (t) => {
  const path = anAlteredLog(t);
  const searches = searchesDuring(t, () => assert.equal([...alteredIn(path, WHERE).take(10)].length, 10));
  assert.ok(searches <= 2 * 2 * 11, `${searches} searches`);
});
