// A server in miniature that has no descriptor left: takes all there are, starts a command, gives them back, starts one
// more, and says in JSON how both ended. For a process with a limit (`ulimit -n`).

import { closeSync, openSync } from 'node:fs';
import { createRunner } from '../../src/runner/runner.ts';
import { argv, finish } from './runner.ts';

const [directory = ''] = process.argv.slice(2);
const runner = createRunner({ directory });
const started = () => finish(runner.start({ command: argv('echo', 'hi'), env: {} }));
await started();
const taken: number[] = [];
try {
  for (;;) taken.push(openSync('/dev/null', 'r'));
} catch {
  // As many as there were.
}
const short = await started();
for (const descriptor of taken) closeSync(descriptor);
const after = await started();
await runner.close();
process.stdout.write(JSON.stringify({ short, after }));
