// A command that takes no input: what somebody else approved is all that it gets.

import type { ByteSink, Run } from '../ports.ts';

const CLOSED: ByteSink = {
  write: () => true,
  onDrain() {},
  onClosed: (listener) => listener(),
  end() {},
};

export function withoutInput(run: Run): Run {
  run.stdin.end();
  const { stdout, stderr, ended } = run;
  const resize: Run['resize'] = (size) => run.resize(size);
  return { stdin: CLOSED, stdout, stderr, ended, cancel: (why) => run.cancel(why), resize };
}
