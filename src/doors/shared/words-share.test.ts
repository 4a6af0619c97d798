import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { MAX_TEXT_BYTES } from '../../core/chat/send.ts';
import { parseName } from '../../core/name.ts';
import type { RunOnHost, StoredRun } from '../../core/run/record.ts';
import { groupAlike, MAX_SHARED_BYTES, MAX_SHARED_OUTPUTS, shareText, type Read } from './words-share.ts';

const NONE = new Uint8Array(0);
const utf8 = (text: string) => new TextEncoder().encode(text);
const facts = (text: string) => ({
  bytes: utf8(text).length,
  sha256: createHash('sha256').update(text).digest('hex'),
  head: utf8(text).length,
  tail: 0,
});

function ended(host: string, { out = '', err = '', status = 0 }): RunOnHost {
  const streams = { stdin: facts(''), stdout: facts(out), stderr: facts(err) };
  return { host, startedMs: 0, end: { atMs: 1, result: { result: 'exited', status }, streams } };
}

function aRun(hosts: readonly RunOnHost[], line = 'uptime'): StoredRun {
  const byName = parseName('janaki');
  if ('refused' in byName) assert.fail();
  return { id: 17, by: 1, byName: byName.name, address: '::1', command: { kind: 'shell', line }, hosts };
}

function read(hosts: string[], out: string, { err = '', missing = 0, tail = '' } = {}): Read {
  const outputs = [
    { name: 'stdout' as const, head: utf8(out), tail: utf8(tail), missing },
    { name: 'stderr' as const, head: utf8(err), tail: NONE, missing: 0 },
  ];
  return { hosts, outputs: outputs.filter(({ head }) => head.length > 0) };
}

test('machines that said the same to the byte are one, and one of them is read', () => {
  const hosts = [
    ended('web1', { out: 'a\n' }),
    ended('web2', { out: 'b\n', status: 3 }),
    ended('web3', { out: 'a\n', status: 1 }),
    ended('db', {}),
    { host: 'old', startedMs: 0, end: { atMs: 1, result: { result: 'offline', status: null }, streams: undefined } },
    { host: 'slow', startedMs: 0, end: undefined },
  ] satisfies RunOnHost[];
  assert.deepEqual(
    groupAlike(hosts).map(({ hosts: names, at, streams }) => [names, at, streams.length]),
    [
      [['web1', 'web3'], 0, 1],
      [['web2'], 1, 1],
      [['db'], 3, 0],
    ],
  );
  const text = shareText(
    aRun(hosts),
    [read(['web1', 'web3'], 'a\n'), read(['web2'], 'b\n', { err: 'x' }), read(['db'], '')],
    [],
  );
  assert.deepEqual(text.split('\n'), [
    'run 17 on db,old,slow,web[1-3] by janaki at 1970-01-01 00:00:00 UTC: uptime',
    '2 ok: db,web1',
    '1 exit 1: web3',
    '1 exit 3: web2',
    '1 offline: old',
    '1 running: slow',
    'web[1,3]| a',
    'web2| b',
    'web2! x',
    'db no output',
  ]);
});

test('of what is too long the beginning and the end are told, and how much is missing', () => {
  const lines = Array.from({ length: 10_000 }, (_, at) => `line ${at}\n`).join('');
  const text = shareText(aRun([ended('web1', { out: lines })]), [read(['web1'], lines)], []);
  assert.match(text, /^web1\| line 0$/m);
  assert.match(text, /^web1\| line 9999$/m);
  const [, leftOut = ''] = /^web1 truncated: (\d+) lines$/m.exec(text) ?? assert.fail(text.slice(0, 300));
  const shown = text.match(/^web1\| line \d+$/gm)?.length ?? 0;
  assert.equal(shown + Number(leftOut), 10_000);
  assert.ok(text.length > MAX_SHARED_BYTES * 0.9 && text.length <= MAX_SHARED_BYTES + 1_000, `${text.length}`);
  const kept = shareText(
    aRun([ended('web1', { out: 'x' })]),
    [read(['web1'], 'a\n', { missing: 12, tail: 'z\n' })],
    [],
  );
  assert.match(kept, /\nweb1\| a\nweb1 truncated: 0 lines, and 12 bytes that are not kept\nweb1\| z$/);
});

test('whatever a run was, it is a message', () => {
  const name = (at: number) => `${'ﷺ'.repeat(30)}${'abcdefghij'[at % 10]}${at}`;
  const hosts = Array.from({ length: 1_000 }, (_, at) => ended(name(at), { out: `${at}`, status: at % 256 }));
  const run = aRun(hosts, 'ﷺ'.repeat(60_000));
  const alike = groupAlike(hosts);
  assert.equal(alike.length, 1_000);
  const long = `${'ﷺ'.repeat(20_000)}\n`.repeat(3);
  const some = alike
    .slice(0, MAX_SHARED_OUTPUTS)
    .map(({ hosts: names }) => read([...names], long, { err: long, missing: 1e12, tail: long }));
  const text = shareText(
    run,
    some,
    hosts.slice(MAX_SHARED_OUTPUTS).map(({ host }) => host),
  );
  assert.match(text, /\nand 246 other ways to end\n/);
  assert.match(text, /\ntruncated: what 968 other machines said is left out$/);
  const bytes = utf8(text).length;
  assert.ok(bytes <= MAX_TEXT_BYTES, `${bytes} bytes`);
});
