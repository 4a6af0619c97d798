// A server in miniature, to be killed: starts the command that it is given, says what that says first, and cancels it when
// it is told anything.

import type { Hold } from '../../src/runner/control.ts';
import { createRunner } from '../../src/runner/runner.ts';
import { firstLineOf, sh } from './runner.ts';

const HOLDS: Readonly<Record<string, Hold>> = { cgroup: 'cgroup', mark: 'mark' };

const [directory = '', line = '', most = '', grace = '400'] = process.argv.slice(2);
const hold = HOLDS[most];
const runner = createRunner({ directory, killGraceMs: Number(grace), ...(hold === undefined ? {} : { hold }) });
const run = runner.start({ command: sh(line), env: {} });
run.stderr.resume();
process.stdin.once('data', () => {
  run.cancel();
  process.stdout.write('cancelled\n');
});
process.stdout.write(`${await firstLineOf(run.stdout)}\n`);
