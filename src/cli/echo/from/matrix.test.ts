import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Look } from '../look.ts';
import type { Answer, Cell } from './answer.ts';
import { matrixLines, type Matrix } from './matrix.ts';
import { overallStatus } from './sums.ts';

const PLAIN: Look = { isLive: false, columns: undefined, hasColor: false, isUtf8: true };

const ok = (ms: number, lost = 0): Cell => ({ works: true, ms, lost, count: 10 });
const bad = (why: string): Cell => ({ works: false, why });
const both = (ipv4: Cell, ipv6: Cell, ...notes: [string, string][]): Answer => ({
  kind: 'answered',
  cells: new Map([
    [4, ipv4],
    [6, ipv6],
  ]),
  notes: notes.map(([key, says]) => ({ key, says })),
  object: {},
});
const no = (word: string, why?: string): Answer => ({ kind: 'unanswered', word, why });

function matrix(answers: Readonly<Record<string, Answer | undefined>>): Matrix {
  const machines = Object.keys(answers);
  const known = Object.entries(answers).flatMap(([name, answer]) =>
    answer === undefined ? [] : ([[name, answer]] as const),
  );
  return { host: 'hub', port: 7270, families: [4, 6], wants: 'echo', machines, answers: new Map(known) };
}

test('a row is a machine with its times, a line below it what is wrong there', () => {
  const given = matrix({
    web1: both(ok(0.5), ok(0.7)),
    web2: both(ok(0.6, 2), bad('black hole'), ['black-hole ipv6', 'IPv6 is a black hole']),
    db: no('offline'),
  });
  assert.deepEqual(matrixLines(given, PLAIN), [
    'Probing hub port 7270 from 3 machines',
    'From  IPv4 p50                IPv6 p50',
    'web1  0.500 ms                0.700 ms',
    'web2  0.600 ms, 2 of 10 lost  black hole',
    'db    offline',
    'Verdict  hub works over IPv4 from both that measured, over IPv6 not from web2',
    '         web2: IPv6 is a black hole',
  ]);
  assert.equal(overallStatus(given), 255, 'what db sees nobody knows');
});

test('many that say the same are one row, and the one that is far off is named', () => {
  const many = Array.from({ length: 9 }, (_, at) => [`web${at + 1}`, both(ok(1 + at / 10), ok(2, at % 2))] as const);
  const nat = (seen: string): [string, string] => ['nat ipv4', `seen as ${seen}`];
  const given = matrix({
    ...Object.fromEntries(many.filter(([, { kind }]) => kind === 'answered')),
    far: both(ok(40), ok(2), nat('192.0.2.1')),
    near: both(ok(1), ok(2), nat('192.0.2.2')),
    off1: no('denied', 'it may not'),
    off2: no('denied', 'it may not'),
  });
  assert.deepEqual(matrixLines(given, PLAIN), [
    'Probing hub port 7270 from 13 machines',
    'From                     IPv4 p50                       IPv6 p50',
    'far,near,web[1,3,5,7,9]  1.000–40.000 ms, slowest far  2.000–2.000 ms',
    'web[2,4,6,8]             1.100–1.700 ms                2.000–2.000 ms, up to 1 of 10 lost',
    'off[1-2]                 denied',
    'Verdict  hub works over IPv4 and IPv6 from all 11 that measured',
    '         far: seen as 192.0.2.1; the like: near',
    '         off[1-2]: it may not',
  ]);
  const ascii = matrixLines(given, { ...PLAIN, isUtf8: false });
  assert.match(ascii[2] ?? '', /1\.000-40\.000 ms/);
});

test('while some have not answered they wait in a row of their own, and nothing is concluded', () => {
  const given = matrix({ web1: both(ok(0.5), ok(0.7)), web2: undefined, web3: undefined });
  assert.deepEqual(matrixLines(given, PLAIN).slice(2), ['web1      0.500 ms  0.700 ms', 'web[2-3]  …']);
});

test('on a narrow terminal each cell has a line, none is longer than it is wide, and what is bold can be plain', () => {
  const given = matrix({
    web1: both(ok(0.5, 3), bad('no address of its own'), ['x', 'long '.repeat(30)]),
    web2: no('offline'),
  });
  const lines = matrixLines(given, { ...PLAIN, columns: 30 });
  for (const line of lines) assert.ok(line.length < 30, line);
  assert.deepEqual(lines.slice(2, 7), [
    'web1',
    '  IPv4 0.500 ms, 3 of 10 lost',
    '  IPv6 no address of its own',
    'web2',
    '  offline',
  ]);
  const wide = matrixLines(given, { ...PLAIN, columns: 100, hasColor: true });
  assert.ok(wide[1]?.startsWith('\u001b[1mFrom'));
  assert.ok(!lines.join('').includes('\u001b'));
});

test('nobody’s name or word drives the terminal', () => {
  const given = { ...matrix({ 'web\u001b[2J': no('offline') }), host: 'hub\u009b' };
  // oxlint-disable-next-line no-control-regex -- these are what must not be there
  assert.ok(!/[\u0000-\u001f\u007f-\u009f]/.test(matrixLines(given, PLAIN).join('')));
});

test('the status is that of one probe if what works from everywhere is meant, and 255 if somebody has not measured', () => {
  const [all, four, six, none] = [
    both(ok(1), ok(1)),
    both(ok(1), bad('x')),
    both(bad('x'), ok(1)),
    both(bad('x'), bad('x')),
  ];
  const status = (...answers: Answer[]): number =>
    overallStatus(matrix(Object.fromEntries(answers.map((answer, at) => [`web${at}`, answer]))));
  assert.deepEqual(
    [all, four, six, none].map((one) => status(one, one)),
    [0, 1, 2, 3],
  );
  assert.deepEqual([status(all, four), status(all, six), status(four, six), status(all, none)], [1, 2, 3, 3]);
  assert.equal(status(all, no('offline')), 255);
});
