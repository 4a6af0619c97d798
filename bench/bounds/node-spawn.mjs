// The least that a small Node process takes to start commands: node-spawn.mjs AT_ONCE TOTAL. Prints how many a second.

import { spawn } from 'node:child_process';
import { once } from 'node:events';

const [atOnce, total] = process.argv.slice(2).map(Number);
let begun = 0;
const next = async () => {
  while (begun++ < total) await once(spawn('/bin/sh', ['-c', 'true'], { stdio: 'ignore', detached: true }), 'exit');
};
const from = performance.now();
await Promise.all(Array.from({ length: atOnce }, next));
process.stdout.write(JSON.stringify({ rate: (total / (performance.now() - from)) * 1_000 }));
