import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HostResult } from '../../../protocol/summary.ts';
import { answerOf, type Answer } from './answer.ts';

const FAMILY = { addresses: ['192.0.2.1'], connectMs: 1.5, rtt: { count: 10, lost: 1, p50: 0.5 } };
const PROBE = { host: 'hub', ipv4: FAMILY, ipv6: null, winner: 'ipv4', verdict: 'hub works over IPv4 only' };

interface Given {
  readonly result?: HostResult;
  readonly stdout?: string | object;
  readonly stderr?: string;
  readonly reason?: string;
  readonly isTooLong?: boolean;
}

function answer({ result = { result: 'exited', status: 1 }, stdout = PROBE, stderr = '', ...rest }: Given): Answer {
  const text = typeof stdout === 'string' ? stdout : `${JSON.stringify(stdout)}\n`;
  const bytes = { stdout: Buffer.from(text), stderr: Buffer.from(stderr) };
  return answerOf({ result, reason: undefined, isTooLong: false, ...rest, ...bytes }, [4, 6]);
}

function words(given: Given): [string, string | undefined] {
  const one = answer(given);
  assert.equal(one.kind, 'unanswered');
  return one.kind === 'unanswered' ? [one.word, one.why] : ['', undefined];
}

test('of a probe each family has its median and its loss, or why it does not work', () => {
  const findings = [
    { code: 'works', families: ['ipv4'], says: 'hub works over IPv4 only' },
    { code: 'black-hole', family: 'ipv6', says: 'IPv6 is a black hole' },
    { code: 'faster', family: 'ipv4', says: 'IPv4 is 3.0 ms faster' },
    { code: 'nat', family: 'ipv4', says: 'a NAT \u001b[2J is on the way' },
    { code: 'of-later', says: 'something new' },
    'nonsense',
  ];
  const one = answer({ stdout: { ...PROBE, findings } });
  assert.ok(one.kind === 'answered');
  assert.deepEqual(one.cells.get(4), { works: true, ms: 0.5, lost: 1, count: 10 });
  assert.deepEqual(one.cells.get(6), { works: false, why: 'black hole' });
  assert.deepEqual(one.notes, [
    { key: 'black-hole ipv6', says: 'IPv6 is a black hole' },
    { key: 'nat ipv4', says: 'a NAT \\x1b[2J is on the way' },
    { key: 'of-later ', says: 'something new' },
  ]);
  const bare = answer({ stdout: { ...PROBE, ipv4: { addresses: [], connectMs: 2, rtt: null } } });
  assert.ok(bare.kind === 'answered');
  assert.deepEqual(bare.cells.get(4), { works: true, ms: 2, lost: 0, count: 0 });
  assert.deepEqual(bare.cells.get(6), { works: false, why: 'does not work' });
});

test('what is no probe is none, however near it comes, and is shown escaped and cut', () => {
  for (const stdout of [
    '',
    'Welcome to web1!\n' + JSON.stringify(PROBE),
    JSON.stringify(PROBE) + JSON.stringify(PROBE),
    [PROBE],
    'null',
    { ...PROBE, host: 1 },
    { ...PROBE, verdict: undefined },
    { ...PROBE, winner: 'ipv5' },
    { ...PROBE, winner: undefined },
    { ...PROBE, ipv4: undefined },
    { ...PROBE, ipv4: 'fine' },
    { ...PROBE, ipv4: { ...FAMILY, addresses: 'none' } },
    { ...PROBE, ipv4: { ...FAMILY, rtt: [] } },
    { ...PROBE, ipv4: { ...FAMILY, rtt: { ...FAMILY.rtt, p50: -1 } } },
    { ...PROBE, ipv4: { ...FAMILY, rtt: { ...FAMILY.rtt, lost: '1' } } },
    `{"host":"h","verdict":"v","winner":null,"ipv6":null,"ipv4":{"addresses":[],"connectMs":1e999}}`,
    { toString: 'x', __proto__: PROBE },
  ]) {
    assert.equal(words({ stdout })[0], 'no probe', JSON.stringify(stdout));
  }
  const [, why = ''] = words({ stdout: `\u001b]0;owned\u0007${'x'.repeat(10_000)}` });
  assert.match(why, /^what it says is no probe: "\\x1b\]0;owned\\x07x+…"$/);
  assert.ok(why.length < 120);
  assert.deepEqual(words({ isTooLong: true }), ['no probe', 'it says more than a probe does']);
});

test('why there is none is said in a word or two, and in a sentence', () => {
  const exited = (status: number, stderr = ''): Given => ({ result: { result: 'exited', status }, stderr });
  assert.deepEqual(words(exited(127, 'sh: partyline: not found\nmore')), ['no partyline', 'sh: partyline: not found']);
  assert.deepEqual(words(exited(127)), ['no partyline', 'no partyline is found there']);
  assert.deepEqual(words(exited(126)), ['no partyline', 'the partyline there cannot be executed']);
  assert.deepEqual(words(exited(64, 'unknown option --measure\u009b')), [
    'another version',
    'the partyline there does not know this question: unknown option --measure\\x9b',
  ]);
  assert.deepEqual(words(exited(9)), ['failed', 'it ended with 9']);
  assert.deepEqual(words({ result: { result: 'timeout', status: 124 } })[0], 'too slow');
  assert.deepEqual(words({ result: { result: 'signalled', status: 137, signal: 9 } })[0], 'killed');
  assert.deepEqual(words({ result: { result: 'offline' }, reason: 'web1 is offline' }), ['offline', undefined]);
  assert.deepEqual(words({ result: { result: 'denied' }, reason: 'it may not' }), ['denied', 'it may not']);
  assert.deepEqual(words({ result: { result: 'not-started' } }), ['not measured', undefined]);
});
