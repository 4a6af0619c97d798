// Plain JavaScript, so that modules.mjs counts before the first TypeScript file is read.
import '../modules.mjs';

await import('./worker.ts');
