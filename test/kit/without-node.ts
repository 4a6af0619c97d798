// A server in miniature whose own program is removed under its feet: starts a command, which works, and then one in a
// terminal, and says in JSON how that ended.

import { unlinkSync } from 'node:fs';
import { createRunner } from '../../src/runner/runner.ts';
import { argv, finish } from './runner.ts';

const [directory = ''] = process.argv.slice(2);
const runner = createRunner({ directory });
const before = await finish(runner.start({ command: argv('echo', 'before'), env: {} }));
unlinkSync(process.execPath);
const after = await finish(runner.start({ command: argv('vim'), env: {}, terminal: { columns: 80, rows: 24 } }));
await runner.close();
process.stdout.write(JSON.stringify({ before, after }));
