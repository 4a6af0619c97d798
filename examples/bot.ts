// An echo bot: says back what it is told. Start it on the checkout's own Node, with the HOST and a file that holds a token of
// its own: node_modules/.bin/node examples/bot.ts lab.example bot.token

import { readFileSync } from 'node:fs';
import { connect } from '../src/client/mod.ts';

const [host = 'localhost', tokenFile = 'bot.token'] = process.argv.slice(2);
const token = readFileSync(tokenFile, 'utf8').trim();
await using client = await connect({ host, credential: { token } });

for await (const { from, text } of client.messages()) {
  // Whoever has left meanwhile is no reason to stop.
  await client.send(from, text).catch((error: Error) => process.stderr.write(`${error.message}\n`));
}
