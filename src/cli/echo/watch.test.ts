import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { aDirectory } from '../../../test/kit/directory.ts';
import type { FamilyFacts, ProbeFacts } from '../../client/probe/facts.ts';
import { ProbeHistory } from '../../config/probe-history.ts';
import { Teller } from './tell.ts';
import { watchProbe } from './watch.ts';

const four = (...addresses: string[]): FamilyFacts => ({
  name: { tookMs: 1, addresses },
  addresses: addresses.map((address) => ({ address, connectMs: 1 })),
  isHere: true,
  link: {
    address: addresses[0] ?? '',
    local: { address: '192.0.2.9', port: 1 },
    server: { kind: 'plain' },
    rounds: { count: 2, sizeBytes: 64, times: [1, 3], changed: 0 },
  },
});
const refused: FamilyFacts = {
  ...four('192.0.2.1'),
  addresses: [{ address: '192.0.2.1', failed: { at: 'connect', kind: 'refused', why: 'connection refused' } }],
  link: undefined,
};
const facts = (one: FamilyFacts): ProbeFacts => ({
  host: 'hub.example',
  port: 7270,
  wants: 'echo',
  isTls: false,
  race: [],
  winner: 4,
  nat64: [],
  families: new Map([[4, one]]),
});

interface Watched {
  json?: boolean;
  directory?: string;
  teller?: Teller;
}

/** A watch that measures these one after the other, and is interrupted while it measures once more. */
async function watched(
  t: TestContext,
  measures: FamilyFacts[],
  { json = false, directory = aDirectory(t), teller }: Watched = {},
) {
  const stop = new AbortController();
  let written = '';
  const complaints: string[] = [];
  const last = await watchProbe({
    everyMs: 1,
    measure: async () => {
      const next = measures.shift();
      if (next !== undefined) return facts(next);
      stop.abort();
      return new Promise(() => {});
    },
    history: new ProbeHistory(directory, 'hub.example:7270'),
    teller,
    json,
    write: async (text) => void (written += text),
    complain: (line) => void complaints.push(line),
    signal: stop.signal,
  });
  const lines = written
    .replaceAll(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}/gm, '')
    .trimEnd()
    .split('\n');
  return { lines, last, complaints, directory };
}

test('each probe is a line, and what is new is one of its own', async (t) => {
  const { lines, last } = await watched(t, [
    four('192.0.2.1'),
    four('192.0.2.1'),
    four('192.0.2.2', '192.0.2.1'),
    four('192.0.2.1'),
    refused,
  ]);
  const down =
    'IPv4 resolves and the host answers, but nothing listens on port 7270 there (192.0.2.1: connection refused)';
  assert.deepEqual(lines, [
    'hub.example works over IPv4',
    'IPv4 1.000 ms',
    'IPv4 1.000 ms',
    '[NEW ADDRESS] hub.example is now 192.0.2.2 as well',
    'IPv4 1.000 ms',
    'IPv4 1.000 ms',
    `[CHANGED] hub.example takes no connections on port 7270; ${down}`,
    'IPv4 does not work',
  ]);
  assert.equal(last?.families.get(4)?.link, undefined, 'the last one decides');
});

test('a change while nobody watched is one for the next watch', async (t) => {
  const { directory } = await watched(t, [four('192.0.2.1')]);
  const { lines } = await watched(t, [refused], { directory });
  assert.match(lines[0] ?? '', /^hub\.example takes no connections on port 7270; /);
  assert.match(lines[1] ?? '', /^\[CHANGED\] hub\.example takes no connections on port 7270; /);
});

test('a server that is told and does not answer holds up no probe, and the next watch has the news again', async (t) => {
  const { directory } = await watched(t, [four('192.0.2.1')]);
  const connect = () => new Promise<never>(() => {});
  const teller = new Teller({ names: ['bob'], connect, complain: assert.fail });
  const { lines, last } = await watched(t, [refused, refused], { directory, teller });
  assert.equal(last?.families.get(4)?.link, undefined);
  assert.match(lines[1] ?? '', /^\[CHANGED\] /);
  assert.deepEqual(lines.slice(2), ['IPv4 does not work', 'IPv4 does not work']);
  const { lines: again } = await watched(t, [refused], { directory });
  assert.deepEqual(again, lines.slice(0, -1));
});

test('for a program each probe is an object, with its news', async (t) => {
  const { lines } = await watched(t, [four('192.0.2.1'), four('192.0.2.2')], { json: true });
  const news = lines.map((line) => JSON.parse(line).news);
  assert.deepEqual(news, [[], [{ news: 'new-address', family: 'ipv4', address: '192.0.2.2' }]]);
  assert.equal(JSON.parse(lines[1] ?? '').host, 'hub.example');
});

test('interrupted before the first probe has come to its end there is none', async (t) => {
  const { last, lines } = await watched(t, []);
  assert.deepEqual([last, lines], [undefined, ['']]);
});
