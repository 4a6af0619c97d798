// The process of one terminal begins here: plain JavaScript, so that the compile cache is on before the first TypeScript
// file is read (as in launch.mjs).
import { enableCompileCache } from 'node:module';

enableCompileCache(`${import.meta.dirname}/../../node_modules/.cache/partyline`);
await import('./terminal.ts');
