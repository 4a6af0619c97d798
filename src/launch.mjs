// Plain JavaScript, so that modules.mjs counts before the first TypeScript file is read.
import './modules.mjs';

const { main } = await import('./cli/main.ts');
await main(process.argv.slice(2));
