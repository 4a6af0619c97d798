// Somebody who is attached to a detached run, served as a run is: one output, tagged, and what ends is the watching.

import type { ByteSource, Run, RunResult } from '../core/ports.ts';
import type { Attachment } from '../core/run/detached.ts';

/** It says nothing of the run itself. */
const LEFT: RunResult = { result: 'lost', status: null, reason: 'it is not watched here any more', mayGoOn: true };

export function asRun({ stdin, output, ended, leave }: Attachment): Run {
  const { promise, resolve } = Promise.withResolvers<RunResult>();
  void ended.then(resolve);
  return {
    stdin,
    stdout: output,
    stderr: SILENCE,
    ended: promise,
    cancel() {
      leave();
      resolve(LEFT);
    },
    // It is no terminal.
    resize() {},
  };
}

const SILENCE: ByteSource = { onData() {}, onEnd() {}, pause() {}, resume() {}, cancel() {} };
