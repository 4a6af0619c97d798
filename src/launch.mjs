// Plain JavaScript, so that the compile cache is on before the first TypeScript file is read: 31 stripped files
// cost 166 ms without it and 54 ms with it. The cache stands beside the installed packages, where only whoever
// installed them writes.
import { enableCompileCache } from 'node:module';

enableCompileCache(`${import.meta.dirname}/../node_modules/.cache/partyline`);
const { main } = await import('./cli/main.ts');
await main(process.argv.slice(2));
