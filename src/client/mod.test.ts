import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

const IMPORT = /^\s*(?:import|export)\b(?!\s+type\b)(?:[\w\s{},*$]*?\bfrom)?\s*['"]([^'"]+)['"]/gm;

/** Every file that is loaded with one, by its own imports; what is loaded when it is asked for is not among them. */
function loadedWith(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const [, target = ''] of readFileSync(file, 'utf8').matchAll(IMPORT)) {
    if (target.startsWith('.')) loadedWith(join(dirname(file), target), seen);
    else seen.add(target);
  }
  return seen;
}

test('the library loads nothing that a browser does not have', () => {
  const loaded = [...loadedWith(join(import.meta.dirname, 'mod.ts'))];
  assert.ok(
    loaded.some((file) => file.endsWith('/protocol/native/connection.ts')),
    'the imports were not followed',
  );
  assert.deepEqual(
    loaded.filter((file) => !file.startsWith('/') || /\/src\/(net|config|log|cli)\//.test(file)),
    [],
  );
});
