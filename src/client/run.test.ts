import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RUN_ENDED } from '../protocol/native/methods/run.ts';
import { Runs, type RunsClient } from './run.ts';
import type { Answer } from './wire.ts';

test('an end that comes in the same chunk as the answer is the end of that run', async () => {
  const answers: ((answer: Answer) => void)[] = [];
  let hear: (params: unknown) => void = () => {};
  const client: RunsClient = {
    request: () => new Promise((resolve) => answers.push(resolve)),
    onNotification: (method, listener) => {
      if (method === RUN_ENDED) hear = listener;
    },
    openStream: () => 1,
    gone: new Promise(() => {}),
    onDrain: () => {},
    write: () => true,
    canWrite: () => true,
    end: () => {},
    consume: () => {},
    reset: () => {},
    forget: () => {},
  };
  const runs = new Runs(client);
  const listener = { onOutput: () => {}, onOutputEnd: () => {}, onInputRoom: () => {}, onInputClosed: () => {} };
  const [first, second] = ['true', 'false'].map((shell) => runs.start({ command: { shell } }, listener));
  // A promise is heard later than what comes with it.
  answers[0]?.({ result: { run: 1 } });
  hear({ run: 1, result: 'exited', status: 0 });
  answers[1]?.({ result: { run: 2 } });
  hear({ run: 2, result: 'exited', status: 1 });
  assert.deepEqual(await first?.ended, { end: 'ended', result: 'exited', status: 0 });
  assert.deepEqual(await second?.ended, { end: 'ended', result: 'exited', status: 1 });
});
