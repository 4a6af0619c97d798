import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random, seedOf } from '../../../test/kit/random.ts';
import { parseName } from '../name.ts';
import {
  isMeant,
  MAX_TARGET_NAMES,
  MAX_TARGET_PATTERNS,
  MAX_TARGETS_LENGTH,
  parseTargets,
  resolveTargets,
  type TargetHost,
  type TargetsRefusal,
  type TargetWorld,
} from './targets.ts';

function nameOf(text: string) {
  const parsed = parseName(text, { maxCodePoints: 253 });
  assert.ok('name' in parsed, text);
  return parsed;
}

interface Given {
  /** Names with their labels: `web1 rack=r1 env=prod`. */
  readonly hosts: readonly string[];
  readonly people?: readonly string[];
  readonly groups?: Readonly<Record<string, readonly string[]>>;
}

function aWorld({ hosts, people = [], groups = {} }: Given): TargetWorld<TargetHost> {
  const byKey = new Map<string, TargetHost>();
  for (const host of hosts) {
    const [name = '', ...labels] = host.split(' ');
    const entries = labels.map((label) => [label.replace(/=.*/, ''), label.replace(/.*?=/, '')] as const);
    byKey.set(nameOf(name).key, { ...nameOf(name), labels: new Map(entries) });
  }
  return {
    serverKey: nameOf('Lab').key,
    hosts: () => [...byKey.values()],
    host: (key) => byKey.get(key),
    isMember: (key) => people.some((person) => nameOf(person).key === key),
    group: (key) => groups[key] && { members: groups[key].map(nameOf) },
  };
}

const FARM: Given = {
  hosts: [
    'web10 env=prod rack=r2',
    'web2 env=prod rack=r1',
    'web1 env=prod rack=r1',
    'web1.lab',
    'Db1 env=prod',
    'db02 env=test url=a=b',
    'Ωmega',
    'ΩΜΕΓΑΣ',
    'straße',
  ],
  people: ['Eve'],
  groups: { '#ops': ['Eve', 'web2', 'db1'], '#talk': ['Eve'] },
};

/** The names that are meant, the server's last; or what is refused. */
function meaning(text: string, given: Given = FARM): string | TargetsRefusal {
  const targets = parseTargets(text);
  if ('refused' in targets) return targets;
  const resolved = resolveTargets(targets, aWorld(given));
  if ('refused' in resolved) return resolved;
  return [...resolved.hosts.map(({ name }) => name), ...(resolved.isServerMeant ? ['(server)'] : [])].join(' ');
}

test('names, ranges, globs, groups and labels are put together, and what has a ! is taken away', () => {
  const table: [text: string, hosts: string][] = [
    ['web1', 'web1'],
    ['WEB1', 'web1'],
    ['ＷＥＢ１', 'web1'],
    ['web10,web2, web1 ,,web2', 'web1 web2 web10'],
    ['web10 web2\tweb1', 'web1 web2 web10'],
    ['web[1-2,10]', 'web1 web2 web10'],
    ['web[1, 2]', 'web1 web2'],
    ['web1[0-0],db[02-02]', 'db02 web10'],
    ['web*', 'web1 web1.lab web2 web10'],
    ['WEB?', 'web1 web2'],
    ['*.lab', 'web1.lab'],
    ['web[1-2]*', 'web1 web1.lab web2 web10'],
    ['d?*', 'Db1 db02'],
    ['ωμ*', 'ΩΜΕΓΑΣ'],
    ['Stra?e', 'straße'],
    ['#ops', 'Db1 web2'],
    ['#OPS web1', 'Db1 web1 web2'],
    ['env=prod', 'Db1 web1 web2 web10'],
    ['rack=r[1-2]', 'web1 web2 web10'],
    ['rack=*', 'web1 web2 web10'],
    ['url=a=?', 'db02'],
    ['env=prod,!rack=r1', 'Db1 web10'],
    ['!web2,web*,!*.lab', 'web1 web10'],
    ['web1,!web1,web2,web1', 'web2'],
    ['all,!web*,!#ops', 'db02 straße Ωmega ΩΜΕΓΑΣ'],
    ['ALL', 'Db1 db02 straße web1 web1.lab web2 web10 Ωmega ΩΜΕΓΑΣ'],
    ['all,web1', 'Db1 db02 straße web1 web1.lab web2 web10 Ωmega ΩΜΕΓΑΣ'],
  ];
  for (const [text, hosts] of table) assert.equal(meaning(text), hosts, text);
});

test('the server is meant by its name only', () => {
  assert.equal(meaning('LAB'), '(server)');
  assert.equal(meaning('web1,Lab'), 'web1 (server)');
  assert.equal(meaning('web1,Lab,!lab'), 'web1');
  assert.equal(meaning('*', { hosts: ['lab1'] }), 'lab1');
  assert.deepEqual(meaning('la*'), { refused: 'matches-nothing', items: ['la*'] });
});

test('one unknown name refuses the whole, and all that are unknown are named', () => {
  assert.deepEqual(meaning('web1,nix,web[2-4],!typo'), {
    refused: 'unknown-host',
    names: ['nix', 'web3', 'web4', 'typo'],
  });
  assert.deepEqual(meaning('web1', { hosts: [] }), { refused: 'unknown-host', names: ['web1'] });
});

test('a person is no machine', () => {
  assert.deepEqual(meaning('web1,eve'), { refused: 'no-machine', names: ['eve'] });
  assert.deepEqual(meaning('all,!Eve'), { refused: 'no-machine', names: ['Eve'] });
});

test('what matches no machine is refused even where others match, and also what spares none', () => {
  assert.deepEqual(meaning('web*,rack=r9,x*,#talk'), { refused: 'matches-nothing', items: ['rack=r9', 'x*', '#talk'] });
  assert.deepEqual(meaning('all,!x*'), { refused: 'matches-nothing', items: ['x*'] });
  assert.deepEqual(meaning('all', { hosts: [] }), { refused: 'matches-nothing', items: ['all'] });
  assert.deepEqual(meaning('web1,#nobody'), { refused: 'unknown-group', names: ['#nobody'] });
  assert.deepEqual(meaning('Env=prod'), { refused: 'matches-nothing', items: ['Env=prod'] });
  assert.deepEqual(meaning('env=PROD'), { refused: 'matches-nothing', items: ['env=PROD'] });
});

test('nothing at all is never everything', () => {
  assert.deepEqual(meaning(''), { refused: 'no-targets' });
  assert.deepEqual(meaning(' , ,\n'), { refused: 'no-targets' });
  assert.deepEqual(meaning('!web1,!db*'), { refused: 'only-taken-away', items: ['!web1', '!db*'] });
  assert.deepEqual(meaning('web[1-2],!web*'), { refused: 'nothing-left' });
});

test('what cannot be read is refused with the item and why', () => {
  const table: [text: string, item: string, why: object][] = [
    ['web1,a;b', 'a;b', { refused: 'bad-character', codePoint: 0x3b }],
    ['-x', '-x', { refused: 'bad-start', codePoint: 0x2d }],
    ['!!web1', '!!web1', { refused: 'bad-character', codePoint: 0x21 }],
    ['all,! web1', '!', { refused: 'nothing-taken-away' }],
    ['#', '#', { refused: 'empty' }],
    ['#o*', '#o*', { refused: 'bad-character', codePoint: 0x2a }],
    ['web*/etc', 'web*/etc', { refused: 'bad-character', codePoint: 0x2f }],
    ['web1,=x', '=x', { refused: 'half-a-label' }],
    ['rack=', 'rack=', { refused: 'half-a-label' }],
    ['r*=1', 'r*=1', { refused: 'pattern-for-label' }],
    ['web[1-3, db', 'web[1-3, db', { refused: 'unclosed-bracket' }],
    ['all,!web[3-1]', '!web[3-1]', { refused: 'backwards', range: '3-1' }],
    ['a'.repeat(253) + '*', 'a'.repeat(253) + '*', { refused: 'too-long', codePoints: 254, maxCodePoints: 253 }],
    ['a'.repeat(254), 'a'.repeat(254), { refused: 'too-long', codePoints: 254, maxCodePoints: 253 }],
  ];
  for (const [text, item, why] of table) assert.deepEqual(meaning(text), { refused: 'bad-target', item, why }, text);
});

test('text, names and patterns are bounded, and a range is not written out to find that', () => {
  const length = MAX_TARGETS_LENGTH + 1;
  assert.deepEqual(meaning('a'.repeat(length)), {
    refused: 'targets-too-long',
    length,
    maxLength: MAX_TARGETS_LENGTH,
  });
  const names = { refused: 'too-many-targets', what: 'names', max: MAX_TARGET_NAMES };
  assert.deepEqual(meaning('db1,web[1-99999999]'), { ...names, item: 'web[1-99999999]' });
  assert.deepEqual(meaning(`w[1-${MAX_TARGET_NAMES}],db1`), { ...names, item: 'db1' });
  const patterns = { refused: 'too-many-targets', what: 'patterns', max: MAX_TARGET_PATTERNS };
  assert.deepEqual(meaning(`web[0-${MAX_TARGET_PATTERNS}]*`), {
    ...patterns,
    item: `web[0-${MAX_TARGET_PATTERNS}]*`,
  });
  assert.deepEqual(meaning(`${'!w* '.repeat(MAX_TARGET_PATTERNS)}#ops`), { ...patterns, item: '#ops' });
});

test('only one plain name is one name, whatever there is', () => {
  const isOneName = (text: string) => {
    const targets = parseTargets(text);
    return 'isOneName' in targets && targets.isOneName;
  };
  for (const text of ['web1', ' web1, ']) assert.equal(isOneName(text), true, text);
  for (const text of ['web[1]', 'web1*', 'web1,web1', 'web1,!web2', '#ops', 'a=b', 'all']) {
    assert.equal(isOneName(text), false, text);
  }
});

test('names that are written out reach no further, a pattern does, and all reaches every machine', () => {
  const reachOf = (text: string) => {
    const targets = parseTargets(text);
    return 'reach' in targets && targets.reach;
  };
  for (const text of ['web1', 'web1 web2', 'web1,!web*']) assert.equal(reachOf(text), 'names', text);
  for (const text of ['web[1]', 'web*', '#ops', 'a=b,web1', 'a=*', 'web1,*b', 'web*,!*1'])
    assert.equal(reachOf(text), 'pattern', text);
  for (const text of ['all', 'ALL,!web1', 'web1 all', '*', 'web1,**,!web2']) assert.equal(reachOf(text), 'all', text);
});

test('machines come in natural order, however they joined', () => {
  const sorted = ['a', 'a01', 'a1', 'a1b', 'a2', 'a02b1', 'a2b2', 'a10', 'a99999999999999999999', 'a.b', 'b'];
  assert.equal(meaning('all', { hosts: sorted.toReversed() }), sorted.join(' '));
  assert.equal(meaning('all', { hosts: sorted.toSorted() }), sorted.join(' '));
});

test('no text makes the parser throw, and what it accepts, it finds or refuses', (t) => {
  const random = new Random(seedOf(t));
  for (let round = 0; round < 20_000; round++) {
    const text = Array.from({ length: random.int(12) }, () =>
      random.pick(['web', '1', '2', '0', '[', ']', '-', ',', ' ', '!', '*', '?', '#ops', '=', 'é', '\u0301', '\ud800']),
    ).join('');
    const targets = parseTargets(text);
    if (!('refused' in targets)) resolveTargets(targets, aWorld(FARM));
  }
});

test('whether one machine is meant depends on nothing else that is there', () => {
  const host = { ...nameOf('web1'), labels: new Map([['env', 'prod']]) };
  const world = { group: (key: string) => (key === '#lab' ? { members: [host] } : undefined) };
  const isFor = (text: string) => {
    const targets = parseTargets(text);
    return 'refused' in targets ? assert.fail(text) : isMeant(targets, host, world);
  };
  const meant = ['web1', 'WEB1', 'web[1-3]', 'web*', 'env=prod', 'env=p*', '#lab', 'all', 'nobody,web1', 'all,!web2'];
  for (const text of meant) assert.ok(isFor(text), text);
  const others = [
    'web2',
    'db*',
    'env=dev',
    'rack=1',
    '#other',
    'all,!web1',
    'web1,!#lab',
    'web1,!env=prod',
    'web1,!all',
  ];
  for (const text of others) assert.ok(!isFor(text), text);
});
