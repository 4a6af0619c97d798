// Writes src/core/confusables.ts out of the ICU of this machine (Debian: libicu-dev, and gcc): of Unicode's
// confusables.txt what letters, marks and digits of names need. `node tools/confusables/generate.ts`

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const HERE = import.meta.dirname;
const COLUMNS = 120;
/** A superset of what `parseName` takes, in either case, decomposed. */
const OF_NAMES = /^(?:[\p{L}\p{M}\p{Nd}]|\u3007|[_.-])$/u;

function prototypes(): string[] {
  const directory = mkdtempSync(join(tmpdir(), 'partyline-confusables-'));
  const program = join(directory, 'prototypes');
  try {
    execFileSync('gcc', ['-O1', join(HERE, 'prototypes.c'), '-licui18n', '-licuuc', '-o', program]);
    return execFileSync(program, { encoding: 'utf8', maxBuffer: 16 * 1_048_576 })
      .trimEnd()
      .split('\n');
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const [version = '', ...lines] = prototypes();
/** Prototype, as code points in base 36 joined by `+`, to the code points that have it. */
const groups = new Map<string, number[]>();
for (const line of lines) {
  const [source = 0, ...parts] = line.split(' ').map((hex) => Number.parseInt(hex, 16));
  const character = String.fromCodePoint(source);
  // ASCII is read without the table; what has a compatibility mapping is in no name.
  if (source < 0x80 || !OF_NAMES.test(character) || character.normalize('NFKC') !== character) continue;
  const prototype = parts.map((part) => part.toString(36)).join('+');
  groups.set(prototype, [...(groups.get(prototype) ?? []), source]);
}

const entries = [...groups].map(([prototype, sources]) => {
  const steps = sources.map((source, at) => (source - (sources[at - 1] ?? 0)).toString(36));
  return `${prototype}=${steps.join(',')}`;
});
const wrapped: string[] = [];
for (const entry of entries) {
  const last = wrapped.at(-1);
  if (last !== undefined && last.length + 1 + entry.length <= COLUMNS) wrapped[wrapped.length - 1] = `${last} ${entry}`;
  else wrapped.push(entry);
}
writeFileSync(
  join(HERE, '../../src/core/confusables.ts'),
  `// Made by tools/confusables/generate.ts: what letters, marks and digits beyond ASCII look like (UTS #39, confusables.txt).
// Data of Unicode ${version}, © Unicode, Inc., by way of ICU; licence: tools/confusables/LICENSE.

/**
 * Words of the form PROTOTYPE=SOURCES in base 36: the code points of a prototype, joined by \`+\`; those that look like
 * it, in order, the first as it is and each other as its distance from the one before.
 */
export const CONFUSABLES = \`
${wrapped.join('\n')}
\`;
`,
);
