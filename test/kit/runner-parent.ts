// A server in miniature, to be killed: starts the command that it is given and says what that says first.

import { createRunner } from '../../src/runner/runner.ts';
import { firstLineOf, sh } from './runner.ts';

const [directory = '', line = ''] = process.argv.slice(2);
const runner = createRunner({ directory, killGraceMs: 400 });
process.stdout.write(`${await firstLineOf(runner.start({ command: sh(line), env: {} }).stdout)}\n`);
