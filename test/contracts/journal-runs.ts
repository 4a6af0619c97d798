// What every journal promises about records of runs.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { Journal } from '../../src/core/journal.ts';
import {
  type Chained,
  NO_HASH,
  PLAIN,
  type RunEntry,
  type RunFinished,
  type RunStarted,
} from '../../src/core/run/record.ts';
import { aName, anAccount, BOB, EVE, type Holds, record } from './journal.ts';

const PAGE = { limit: 10, maxBytes: 1_000_000 };

function aStart(given: Partial<RunStarted> = {}): RunStarted {
  const command = { kind: 'argv', argv: ['printf', '%s', 'é \u0000 \ud800'] } as const;
  const by = { by: BOB, byName: aName('Bob').name, address: '::1' };
  return { type: 'started', run: 1, atMs: 1_000, ...by, host: 'Server', command, setting: PLAIN, ...given };
}

function aStream(text: string, tail = '') {
  const sha256 = createHash('sha256').update(text).digest('hex');
  return { bytes: text.length, sha256, head: Buffer.from(text), tail: Buffer.from(tail) };
}

function anEnd(given: Partial<RunFinished> = {}): RunFinished {
  const { head: _, tail: __, ...stdin } = aStream('in');
  const streams = { stdin, stdout: aStream('out', 'put'), stderr: aStream('') };
  const result = { result: 'signalled', status: 137, signal: 9 } as const;
  return { type: 'ended', run: 1, start: 1, atMs: 2_000, result, streams, ...given };
}

function chain(journal: Journal, entry: RunEntry): Promise<Chained> {
  return new Promise((resolve) => journal.chain(entry, resolve));
}

function hashIn(chained: Chained): string {
  return 'failed' in chained ? assert.fail(chained.failed) : chained.hash;
}

/** As docs/protocol/native.md has it, written down by hand. */
function chained(before: string, text: string): string {
  return createHash('sha256').update(Buffer.from(before, 'hex')).update(text).digest('hex');
}

export function holdsRuns(holds: Holds): void {
  holds('each entry is chained to the one before it, as the specification has it', async ({ journal, reopen }) => {
    const first = await chain(journal, aStart());
    const text =
      '{"number":1,"type":"started","run":1,"at":"1970-01-01T00:00:01.000Z","by":"Bob","member":1,"from":"::1",' +
      '"host":"Server","command":{"argv":["printf","%s","é \\u0000 \\ud800"]},"cwd":null,"env":[],"terminal":false}';
    assert.deepEqual(first, { number: 1, hash: chained(NO_HASH, text) });
    const end = anEnd();
    const second = await chain(journal, end);
    const digestOf = (bytes: string) => createHash('sha256').update(bytes).digest('hex');
    const [input, output, nothing] = [digestOf('in'), digestOf('out'), digestOf('')];
    const endText =
      '{"number":2,"type":"ended","run":1,"start":1,"at":"1970-01-01T00:00:02.000Z","result":"signalled","status":137,' +
      `"signal":9,"streams":{"stdin":{"bytes":2,"sha256":"${input}"},` +
      `"stdout":{"bytes":3,"sha256":"${output}","head":3,"tail":3,"kept":"${digestOf('output')}"},` +
      `"stderr":{"bytes":0,"sha256":"${nothing}","head":0,"tail":0,"kept":"${nothing}"}}}`;
    assert.deepEqual(second, { number: 2, hash: chained(hashIn(first), endText) });
    const again = await reopen();
    assert.deepEqual(again.everything.runs, { last: 1, head: hashIn(second), unended: [] });
    const third = await chain(again.journal, aStart({ run: 2, command: { kind: 'shell', line: 'ls' } }));
    assert.equal('number' in third ? third.number : 0, 3);
    const next = await again.journal.run({ id: 2, member: undefined });
    assert.deepEqual(next?.command, { kind: 'shell', line: 'ls' });
  });

  holds('a run is read as it was recorded, on each of its hosts, with what is kept', async ({ journal }) => {
    await chain(journal, aStart());
    await chain(journal, aStart({ host: 'web1', atMs: 1_001 }));
    void chain(journal, anEnd({ start: 2, streams: undefined, result: { result: 'lost', status: null, reason: 'r' } }));
    void chain(journal, anEnd());
    const run = await journal.run({ id: 1, member: undefined });
    const { streams, ...end } = anEnd();
    assert.ok(streams !== undefined);
    const { head: _, tail: __, ...facts } = streams.stdout;
    const stderr = { ...streams.stderr, head: 0, tail: 0 };
    const counted = { stdin: streams.stdin, stdout: { ...facts, head: 3, tail: 3 }, stderr };
    const { run: id, type: ___, host, atMs, ...start } = aStart();
    assert.deepEqual(run, {
      id,
      ...start,
      hosts: [
        { host, startedMs: atMs, end: { atMs: end.atMs, result: end.result, streams: counted } },
        {
          host: 'web1',
          startedMs: 1_001,
          end: { atMs: 2_000, result: { result: 'lost', status: null, reason: 'r' }, streams: undefined },
        },
      ],
    });
    const output = async (at: number, stream: 'stdout' | 'stderr', member?: number) => {
      const kept = await journal.output({ id: 1, at, stream, member });
      return kept && [Buffer.from(kept.head).toString(), Buffer.from(kept.tail).toString()];
    };
    assert.deepEqual(await output(0, 'stdout'), ['out', 'put']);
    assert.deepEqual(await output(0, 'stderr', BOB), ['', '']);
    assert.deepEqual(await output(1, 'stdout'), ['', '']);
    assert.equal(await output(2, 'stdout'), undefined);
    assert.equal(await output(0, 'stdout', EVE), undefined);
  });

  holds('runs are paged from the newest, and nobody sees those of others', async ({ journal }) => {
    for (let run = 1; run <= 6; run++) await chain(journal, aStart({ run, by: run % 2 === 0 ? EVE : BOB }));
    const page = async (query: { member?: number; before?: number; limit?: number; maxBytes?: number }) => {
      const { runs, isMore } = await journal.runs({ member: undefined, ...PAGE, ...query });
      return `${runs.map(({ id }) => id).join(' ')}${isMore ? ' …' : ''}`;
    };
    assert.equal(await page({}), '1 2 3 4 5 6');
    assert.equal(await page({ limit: 2 }), '5 6 …');
    assert.equal(await page({ limit: 2, before: 5 }), '3 4 …');
    assert.equal(await page({ limit: 6, before: 3 }), '1 2');
    assert.equal(await page({ maxBytes: 0 }), '6 …');
    assert.equal(await page({ member: EVE }), '2 4 6');
    assert.equal(await page({ member: BOB, limit: 2, before: 5 }), '1 3');
    assert.equal(await page({ member: -9 }), '');
    assert.equal((await journal.run({ id: 1, member: BOB }))?.id, 1);
    assert.equal(await journal.run({ id: 1, member: EVE }), undefined);
    assert.equal(await journal.run({ id: 7, member: undefined }), undefined);
  });

  holds(
    'what was not started is an entry of its own, with its command as it was asked for',
    async ({ journal, reopen }) => {
      const { type: _, host: __, command: ___, ...asked } = aStart({ by: EVE, asName: aName('Eve').name });
      const denied = { result: 'denied', status: null, reason: 'no rule' } as const;
      const verb = { kind: 'verb', verb: 'restart', args: ['nginx'] } as const;
      const setting = { cwd: '/srv', env: ['LANG', 'TZ'], hasTerminal: true };
      const refused = {
        ...asked,
        type: 'refused',
        hosts: ['web1', 'web2'],
        command: verb,
        setting,
        result: denied,
        leftOut: 7,
      } as const;
      const text =
        '{"number":1,"type":"refused","run":1,"at":"1970-01-01T00:00:01.000Z","by":"Bob","as":"Eve","member":2,"from":"::1",' +
        '"hosts":["web1","web2"],"command":{"verb":"restart","args":["nginx"]},"cwd":"/srv","env":["LANG","TZ"],"terminal":true,' +
        '"result":"denied","reason":"no rule","leftOut":7}';
      assert.deepEqual(await chain(journal, refused), { number: 1, hash: chained(NO_HASH, text) });
      const offline = { result: 'offline', status: null } as const;
      await chain(journal, { ...refused, run: 2, hosts: ['web1'], result: offline });
      await chain(journal, aStart({ run: 2, by: EVE, host: 'web2' }));
      await chain(journal, anEnd({ run: 2, start: 3 }));
      const first = await journal.run({ id: 1, member: EVE });
      const end = { atMs: 1_000, result: denied, streams: undefined };
      assert.deepEqual(first, {
        id: 1,
        by: EVE,
        byName: 'Bob',
        asName: 'Eve',
        address: '::1',
        command: verb,
        setting,
        leftOut: 7,
        hosts: ['web1', 'web2'].map((host) => ({ host, startedMs: 1_000, end })),
      });
      assert.equal(await journal.run({ id: 1, member: BOB }), undefined);
      const second = await journal.run({ id: 2, member: undefined });
      assert.deepEqual(
        second?.hosts.map((host) => [host.host, host.end?.result.result]),
        [
          ['web1', 'offline'],
          ['web2', 'signalled'],
        ],
      );
      assert.equal(await journal.output({ id: 2, member: undefined, at: 0, stream: 'stdout' }), undefined);
      const kept = await journal.output({ id: 2, member: undefined, at: 1, stream: 'stdout' });
      assert.equal(Buffer.from(kept?.head ?? []).toString(), 'out');
      const { everything } = await reopen();
      assert.deepEqual([everything.runs.last, everything.runs.unended], [2, []]);
    },
  );

  holds('what has no end is found again, and an end counts once', async ({ journal, reopen }) => {
    for (const run of [1, 2, 3]) await chain(journal, aStart({ run }));
    await chain(journal, anEnd({ run: 2, start: 2 }));
    for (const start of [2, 99]) assert.ok('failed' in (await chain(journal, anEnd({ run: 2, start }))));
    assert.deepEqual(journal.health, { state: 'ok' });
    const { everything } = await reopen();
    assert.deepEqual(everything.runs.unended, [
      { run: 1, start: 1 },
      { run: 3, start: 3 },
    ]);
    assert.equal(everything.runs.last, 3);
  });

  holds('whoever approved a run on one of its machines finds it, beside their own', async ({ journal, reopen }) => {
    const approved = { by: aName('Eve').name, member: EVE, hash: 'a'.repeat(64) };
    await chain(journal, aStart({ run: 1, by: EVE }));
    await chain(journal, aStart({ run: 2 }));
    await chain(journal, aStart({ run: 3 }));
    for (let host = 0; host < 2; host++) await chain(journal, aStart({ run: 3, approved }));
    await chain(journal, aStart({ run: 4, by: EVE, approved: { ...approved, by: aName('Bob').name, member: BOB } }));
    // Somebody else was called so then.
    await chain(journal, aStart({ run: 5, approved: { ...approved, member: BOB } }));
    const seeing = { member: EVE, approver: EVE };
    for (const open of [() => journal, async () => (await reopen()).journal]) {
      const one = await open();
      const idsOf = async (part: object) => {
        const { runs, isMore } = await one.runs({ ...seeing, limit: 9, maxBytes: 99_999, ...part });
        return [...runs.map(({ id }) => id), isMore];
      };
      assert.deepEqual(await idsOf({}), [1, 3, 4, false]);
      assert.deepEqual(await idsOf({ limit: 2 }), [3, 4, true]);
      assert.deepEqual(await idsOf({ before: 3 }), [1, false]);
      assert.deepEqual(await idsOf({ approver: undefined }), [1, 4, false]);
      assert.equal((await one.run({ id: 3, ...seeing }))?.id, 3);
      assert.ok((await one.output({ id: 3, ...seeing, at: 1, stream: 'stdout' })) === undefined, 'it has no end yet');
      for (const id of [2, 5]) assert.equal(await one.run({ id, ...seeing }), undefined);
      assert.equal(await one.run({ id: 3, member: EVE }), undefined);
    }
  });

  holds('that a run is to end is found again, until it has ended', async ({ journal, reopen }) => {
    for (const run of [1, 2, 3]) await chain(journal, aStart({ run }));
    const condemn = (...starts: number[]) =>
      record(journal, ...starts.map((start) => ({ type: 'run-condemned', start, by: aName('bob').name }) as const));
    assert.equal(await condemn(2, 3), undefined);
    await chain(journal, anEnd({ run: 3, start: 3 }));
    assert.equal(await condemn(3, 99), undefined, 'one that has ended is no mistake');
    const { everything } = await reopen();
    assert.deepEqual(everything.runs.unended, [
      { run: 1, start: 1 },
      { run: 2, start: 2, isCondemned: true, condemnedBy: 'bob' },
    ]);
  });

  holds(
    'a request that nobody approved has waited since it was asked, and says how that ended',
    async ({ journal }) => {
      const { host, type: _, ...asked } = aStart();
      const result = { result: 'denied', status: null, reason: 'request 3 has expired' } as const;
      const request = { askedMs: 400, how: 'expired' } as const;
      const text =
        '{"number":1,"type":"refused","run":1,"at":"1970-01-01T00:00:01.000Z","by":"Bob","member":1,"from":"::1","hosts":["Server"],' +
        '"command":{"argv":["printf","%s","é \\u0000 \\ud800"]},"cwd":null,"env":[],"terminal":false,' +
        '"result":"denied","reason":"request 3 has expired","asked":"1970-01-01T00:00:00.400Z","how":"expired"}';
      const entry = await chain(journal, { ...asked, type: 'refused', hosts: [host], result, request });
      assert.deepEqual(entry, { number: 1, hash: chained(NO_HASH, text) });
      const run = await journal.run({ id: 1, member: BOB });
      assert.deepEqual(run?.request, request);
      assert.deepEqual(run?.hosts, [{ host, startedMs: 400, end: { atMs: 1_000, result, streams: undefined } }]);
    },
  );

  holds('changes and entries are answered in the order of their calls', async ({ journal }) => {
    const answered: string[] = [];
    for (let at = 0; at < 20; at++) {
      if (at % 2 === 0) journal.chain(aStart({ run: at + 1 }), () => answered.push(`${at}`));
      else journal.record([], () => answered.push(`${at}`));
    }
    assert.equal(await record(journal, { type: 'account-added', account: anAccount(BOB, 'Bob') }), undefined);
    assert.deepEqual(answered, [...Array(20).keys()].map(String));
    const { runs } = await journal.runs({ member: undefined, limit: 100, maxBytes: 1_000_000 });
    assert.equal(runs.length, 10);
  });
}
