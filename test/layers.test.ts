// Holds every import in src/ against the table of rooms in ARCHITECTURE.md: who may know whom.

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { test } from 'node:test';

const SRC = join(import.meta.dirname, '../src');
/** One line that every room knows. */
const EVERYBODYS = ['reason.ts', 'modules.mjs'];
/** Room to what it may import beside itself; the longest beginning of a path counts. A trailing `/` is a whole room. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  'core/': ['bidi-js', 'smol-toml'],
  'protocol/': [],
  'net/': ['protocol/', 'log/', 'node:'],
  'doors/': ['core/', 'protocol/', 'net/', 'log/', 'doors/door.ts', 'doors/shared/', 'node:'],
  'doors/native/': ['core/', 'protocol/', 'net/', 'log/', 'relay/', 'doors/door.ts', 'doors/shared/', 'node:', 'ws'],
  // Both ends of a run over a native connection.
  'relay/': ['core/', 'protocol/'],
  // A machine that has joined: a client that is asked to run what it is told to.
  'host/': ['client/', 'core/', 'detached/', 'log/', 'net/', 'protocol/', 'relay/', 'runner/', 'node:'],
  // Runs that outlive whoever started them.
  'detached/': [
    'core/',
    'protocol/native/tagged.ts',
    'runner/directory.ts',
    'runner/errors.ts',
    'secrets/digest.ts',
    'node:',
  ],
  'journal/': ['core/', 'log/', 'node:'],
  'bus/': ['core/', 'log/', 'node:'],
  'runner/': ['core/', 'log/', 'node:'],
  'secrets/': ['core/', 'node:'],
  'client/': ['protocol/', 'net/', 'node:'],
  // Of net, the commands take addresses and the words of dialling; connecting is the client's.
  'cli/': ['client/', 'protocol/', 'config/', 'net/address.ts', 'net/dial.ts', 'net/peer.ts', 'net/race.ts', 'node:'],
  // How surely commands are ended, for the doctor.
  'cli/doctor/checks.ts': ['cli/', 'net/address.ts', 'net/peer.ts', 'runner/hold.ts', 'node:'],
  'cli/doctor/certificate.ts': ['cli/', 'net/address.ts', 'net/tls-client.ts', 'node:'],
  'cli/doctor.ts': ['cli/', 'client/', 'config/', 'journal/glance.ts', 'net/address.ts', 'node:'],
  'cli/serve.ts': ['cli/', 'config/', 'log/', 'net/listen.ts', 'runner/user.ts', 'server.ts', 'server/', 'node:'],
  'cli/backup.ts': ['cli/', 'config/', 'journal/backup.ts', 'journal/salvage.ts', 'protocol/', 'node:'],
  'cli/restore.ts': ['cli/', 'config/', 'journal/backup.ts', 'journal/segment.ts', 'protocol/', 'node:'],
  'cli/verify.ts': ['cli/', 'config/', 'journal/verify.ts', 'protocol/', 'node:'],
  'cli/join.ts': ['cli/', 'client/', 'protocol/', 'config/', 'detached/', 'host/', 'log/', 'net/', 'runner/', 'node:'],
  'tui/': ['client/', 'protocol/', 'config/', 'node:'],
  'web/': ['client/', 'protocol/', 'config/'],
  'config/': ['node:'],
  'log/': ['protocol/text.ts', 'node:'],
  'reason.ts': [],
  // What only server.ts asks for.
  'policy.ts': ['config/', 'core/', 'doors/shared/words-run.ts', 'log/'],
  'server.ts': ['', 'node:'],
  'server/': ['', 'node:'],
  'modules.mjs': ['node:'],
  'launch.mjs': ['cli/main.ts'],
};
const IMPORT =
  /^\s*(?:import|export)\b(?:[\w\s{},*$]*?\bfrom)?\s*['"]([^'"]+)['"]|\bimport\s*\(\s*['"`]([^'"`]+)['"`]/gm;

/** The imports of a file that its room may not have, as `file -> target`. */
function wrongImports(file: string, source: string): string[] {
  const rooms = Object.keys(MAY_IMPORT).filter((room) => file.startsWith(room));
  const room = rooms.sort((a, b) => b.length - a.length)[0];
  if (room === undefined) return [`${file} -> (in no room)`];
  // A door is a room of its own: doors/line/ never knows doors/http/.
  const own = /^doors\/[^/]+\//.exec(file)?.[0] ?? (room.endsWith('/') && room !== 'doors/' ? room : file);
  const allowed = [own, ...EVERYBODYS, ...(MAY_IMPORT[room] ?? [])];
  const targets = [...source.matchAll(IMPORT)].map((match) => match[1] ?? match[2] ?? '');
  return targets
    .map((target) => (target.startsWith('.') ? normalize(join(dirname(file), target)) : target))
    .filter(
      (target) => !allowed.some((start) => (/\/$|:$|^$/.test(start) ? target.startsWith(start) : target === start)),
    )
    .map((target) => `${file} -> ${target}`);
}

test('every import in src/ keeps to the table of rooms', () => {
  const files = globSync('**/*.{ts,mjs}', { cwd: SRC }).filter((file) => !file.endsWith('.test.ts'));
  assert.ok(files.length > 10, `only ${files.length} files found under ${relative('', SRC)}`);
  assert.deepEqual(
    files.flatMap((file) => wrongImports(file, readFileSync(join(SRC, file), 'utf8'))),
    [],
  );
});

test('a wrong import is found however it is written', () => {
  for (const [file, source, target] of [
    ['core/hub.ts', "import { connect } from 'node:net';", 'node:net'],
    ['core/hub.ts', "import type { A } from '../protocol/line/decoder.ts';", 'protocol/line/decoder.ts'],
    ['core/hub.ts', "import {\n  a,\n  b,\n} from '../net/dial.ts';", 'net/dial.ts'],
    ['doors/line/door.ts', "export { b } from '../http/door.ts';", 'doors/http/door.ts'],
    ['doors/line/door.ts', "import '../http/door.ts';", 'doors/http/door.ts'],
    ['doors/detect.ts', "import '../doors/http/door.ts';", 'doors/http/door.ts'],
    ['cli/main.ts', "const { serve } = await import(\n  '../server.ts'\n);", 'server.ts'],
    ['cli/main.ts', "await import('ws');", 'ws'],
    ['net/tls.ts', "let a: import('../core/name.ts').Name;", 'core/name.ts'],
    ['net/tls.ts', "import { a } from '../log/log.ts'; // why\nimport * as fc from 'fast-check';", 'fast-check'],
    ['attic/old.ts', '', '(in no room)'],
  ] as const) {
    assert.deepEqual(wrongImports(file, source), [`${file} -> ${target}`]);
  }
  assert.deepEqual(wrongImports('cli/serve.ts', "import '../config/state.ts';\nawait import('../server.ts');"), []);
  assert.deepEqual(wrongImports('doors/line/door.ts', "import type { Door } from '../door.ts';\nimport './a.ts';"), []);
});
