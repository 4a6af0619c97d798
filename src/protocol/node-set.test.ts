import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random, seedOf } from '../../test/kit/random.ts';
import { parseName, type NameKey } from '../core/name.ts';
import { parseTargets, resolveTargets, type TargetHost } from '../core/run/targets.ts';
import { formatNodeSet } from './node-set.ts';

test('names that differ in one number become one, the others are listed', () => {
  const table: [names: string, folded: string][] = [
    ['', ''],
    ['web1', 'web1'],
    ['web1 web1', 'web1'],
    ['web1 web2', 'web[1-2]'],
    ['web9 web11 db web10', 'db,web[9-11]'],
    ['web1 web2 web3 web4 web5 web6 web7 web8 web9 web11 db', 'db,web[1-9,11]'],
    ['web1 web3', 'web[1,3]'],
    ['web08 web09 web10 web11', 'web[08-11]'],
    ['web098 web099 web100', 'web[098-100]'],
    ['web9 web10 web09', 'web[9,09-10]'],
    ['web0 web00 web1', 'web[0-1,00]'],
    ['web1.lab web2.lab web3.lab', 'web[1-3].lab'],
    ['web1.lab2 web2.lab2', 'web[1-2].lab2'],
    ['r1n1 r1n2 r2n1', 'r1n[1-2],r2n1'],
    ['r1n1 r2n1', 'r[1-2]n1'],
    ['1 2 3', '[1-3]'],
    ['Web1 web2 web3', 'Web1,web[2-3]'],
    ['web10 db2 web2 db web', 'db,db2,web,web[2,10]'],
    ['web1 db straße', 'db,straße,web1'],
    ['a1234567890123456 a1234567890123457', 'a1234567890123456,a1234567890123457'],
  ];
  for (const [names, folded] of table) assert.equal(formatNodeSet(names.split(' ').filter(Boolean)), folded, names);
});

test('a name that no server should give cannot drive the terminal', () => {
  assert.equal(formatNodeSet(['a\u001b[31m']), String.raw`a\x1b[31m`);
});

function namesOf(text: string, all: readonly string[]): string[] {
  const hosts = new Map<NameKey, TargetHost>();
  for (const given of all) {
    const parsed = parseName(given);
    assert.ok('name' in parsed, given);
    hosts.set(parsed.key, { ...parsed, labels: new Map() });
  }
  const targets = parseTargets(text);
  assert.ok('wanted' in targets, `${text} is refused: ${JSON.stringify(targets)}`);
  const resolved = resolveTargets(targets, {
    serverKey: [...hosts.keys()][0] ?? assert.fail('no names'),
    hosts: () => [...hosts.values()],
    host: (key) => hosts.get(key),
    isMember: () => false,
    group: () => undefined,
  });
  assert.ok('hosts' in resolved, `${text} is refused: ${JSON.stringify(resolved)}`);
  return resolved.hosts.map(({ name }): string => name);
}

test('read as run targets, what was folded is the same names again', (t) => {
  const random = new Random(seedOf(t));
  for (let round = 0; round < 2_000; round++) {
    const pieces = Array.from({ length: 1 + random.int(30) }, () => {
      const digits = () => `${random.int(random.pick([3, 12, 200]))}`.padStart(random.pick([1, 1, 2, 3]), '0');
      const length = 1 + random.int(3);
      const text = Array.from({ length }, () => random.pick(['a', 'b', 'é', '-n', '.x', digits(), digits()])).join('');
      return `${random.pick(['w', 'w', ''])}${text}`.replace(/^[-.]/, 'q');
    });
    // Two spellings of one name cannot both be there; the server is not among the machines.
    const names = [...new Map(pieces.map((name) => [name.toLowerCase(), name])).values()];
    const others = ['the-server', ...names, 'w', 'other1', 'w1x'];
    const text = formatNodeSet(names);
    assert.deepEqual(namesOf(text, others).toSorted(), names.toSorted(), text);
  }
});

test('ten thousand names are folded, and read back', () => {
  const names = Array.from({ length: 10_000 }, (_, at) => `web${at}.lab`);
  const text = formatNodeSet(names.toReversed());
  assert.equal(text, 'web[0-9999].lab');
  assert.equal(namesOf(text, ['the-server', ...names]).length, 10_000);
});
