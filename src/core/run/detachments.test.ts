// What becomes of detached runs whose machine is away, whose server has ended, and whose account is no more.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryJournal } from '../../journal/memory.ts';
import { newDigest } from '../../secrets/digest.ts';
import { parseName } from '../name.ts';
import type {
  DetachedEnd,
  DetachedRequest,
  DetachedRunner,
  DetachKey,
  DetachRefusal,
  StartFailed,
} from './detached.ts';
import { Detachments } from './detachments.ts';
import { Records } from './records.ts';

const COMMAND = { kind: 'shell', line: 'make' } as const;
const FACTS = { bytes: 3, sha256: 'a'.repeat(64) };
const OUTPUT = { ...FACTS, head: Buffer.from('abcdef'), tail: Buffer.from('uvwxyz') };
const ENDED: DetachedEnd = {
  result: { result: 'exited', status: 3 },
  streams: { stdin: FACTS, stdout: OUTPUT, stderr: OUTPUT },
};
const CANCELLED = { result: 'cancelled', status: 143 } as const;
const AWAY: DetachRefusal = { refused: 'away', reason: 'gone' };

/** A machine that does what the test says. */
class Machine implements DetachedRunner {
  readonly started: DetachedRequest[] = [];
  readonly cancelled: DetachKey[] = [];
  readonly awaited = new Map<DetachKey, (end: DetachedEnd | 'unknown' | 'away') => void>();
  refusal: DetachRefusal | undefined;
  start(request: DetachedRequest): Promise<DetachRefusal | StartFailed | undefined> {
    this.started.push(request);
    return Promise.resolve(this.refusal);
  }
  attach(): never {
    return assert.fail('nobody attaches here');
  }
  ended(key: DetachKey): Promise<DetachedEnd | 'unknown' | 'away'> {
    return new Promise((resolve) => this.awaited.set(key, resolve));
  }
  cancel(key: DetachKey): void {
    this.cancelled.push(key);
  }
  /** Says how it ended, or what else. */
  tell(key: DetachKey, end: DetachedEnd | 'unknown' | 'away'): void {
    (this.awaited.get(key) ?? assert.fail('nobody waits for it'))(end);
  }
}

function aName(text: string) {
  const parsed = parseName(text);
  return 'refused' in parsed ? assert.fail(text) : parsed.name;
}

const BOB = { by: 1, byName: aName('bob'), address: '::1' };

/** What the next server would find. */
const foundIn = (journal: MemoryJournal) => new MemoryJournal({ after: journal }).everything.runs;

async function endingOf(detachments: Detachments, run: number) {
  const ending = await detachments.end(run, aName('owner'));
  return 'refused' in ending ? ending : [...ending.values()];
}

function aServer(journal = new MemoryJournal(), machines = new Map<string, Machine | 'away'>()) {
  const { runs: found } = journal.everything;
  const world = { journal, newDigest, now: () => 5, keptBytes: 8, onUnwritten: assert.fail };
  const records = new Records(world, found);
  records.lose(found);
  const revoked = new Set<number>();
  let keys = found.last;
  const detachments = new Detachments(
    {
      journal,
      records,
      newKey: () => String(++keys).padStart(32, '0'),
      runnerAt: (host) => machines.get(host) ?? 'nowhere',
      isRevoked: (id) => revoked.has(id),
      isOwn: (host) => host === 'Server',
    },
    found,
  );
  const start = (host = 'web1', starter = BOB) =>
    detachments.start({
      run: records.newRun(),
      starter,
      host,
      command: COMMAND,
      wishes: { env: {}, takesInput: false },
      onRecorded: () => {},
    });
  /** `HOST RESULT` of a run, once everything that was to happen has. */
  const resultOf = async (id: number): Promise<string> => {
    await new Promise<void>((resolve) => setImmediate(resolve));
    const run = await journal.run({ id, member: undefined });
    const [on] = run?.hosts ?? [];
    return on?.end === undefined
      ? 'open'
      : `${on.end.result.result} ${'reason' in on.end.result ? on.end.result.reason : ''}`.trim();
  };
  return { journal, detachments, machines, revoked, start, resultOf };
}

test('a start is on record with its key before the machine is asked, and its end when the machine has told it', async () => {
  const web1 = new Machine();
  const { journal, start, resultOf } = aServer(undefined, new Map([['web1', web1]]));
  assert.equal(await start(), undefined);
  const [{ key, recordsHead, keptBytes } = assert.fail()] = web1.started;
  assert.equal(keptBytes, 8);
  const { unended, head } = foundIn(journal);
  assert.equal(recordsHead, head);
  assert.deepEqual(unended, [{ run: 1, start: 1, detached: { key, host: 'web1', by: 1 } }]);
  assert.equal(await resultOf(1), 'open');
  web1.tell(key, ENDED);
  assert.equal(await resultOf(1), 'exited');
  // No more than was asked for, whatever a machine says.
  const kept = await journal.output({ id: 1, member: undefined, at: 0, stream: 'stdout' });
  assert.deepEqual([kept?.head.toString(), kept?.tail.toString()], ['abcd', 'uvwx']);
});

test('a run stays open while its machine is away, over a restart of the server too, until the machine says', async () => {
  const web1 = new Machine();
  const { journal, machines, detachments, start, resultOf } = aServer(undefined, new Map([['web1', web1]]));
  await start();
  await start();
  await start();
  const keys = web1.started.map(({ key }) => key);
  machines.set('web1', 'away');
  for (const key of keys) web1.tell(key, 'away');
  assert.deepEqual([await resultOf(1), await resultOf(2), await resultOf(3)], ['open', 'open', 'open']);
  assert.deepEqual(await endingOf(detachments, 3), ['away']);
  const later = aServer(new MemoryJournal({ after: journal }), new Map<string, Machine | 'away'>([['web1', 'away']]));
  assert.equal(await later.resultOf(1), 'open');
  const again = new Machine();
  later.machines.set('web1', again);
  later.detachments.came('web1');
  assert.deepEqual(again.cancelled, [keys[2]]);
  const [first = '', second = '', third = ''] = keys;
  again.tell(first, ENDED);
  again.tell(second, 'unknown');
  again.tell(third, ENDED);
  assert.equal(await later.resultOf(1), 'exited');
  assert.equal(await later.resultOf(2), 'lost the program that ran it has ended since, and nobody saw how');
  assert.equal(await later.resultOf(3), 'exited');
  // Told twice, on record once.
  later.detachments.came('web1');
  assert.deepEqual(await endingOf(later.detachments, 1), []);
  assert.deepEqual(foundIn(later.journal).unended, []);
});

test('that a run is to end is refused where its machine is away and it cannot be kept', async () => {
  const [web1, web2] = [new Machine(), new Machine()];
  const machines = new Map<string, Machine | 'away'>([
    ['web1', web1],
    ['web2', web2],
  ]);
  const { journal, detachments, start } = aServer(undefined, machines);
  await start('web1');
  await start('web2');
  const [{ key } = assert.fail()] = web1.started;
  machines.set('web1', 'away');
  web1.tell(key, 'away');
  journal.failWith('the disk is full');
  assert.deepEqual(await endingOf(detachments, 1), { refused: 'not-stored', reason: 'the disk is full' });
  // One that is here is told: nothing has to be kept for that.
  assert.deepEqual(await endingOf(detachments, 2), ['ending']);
  assert.deepEqual(web2.cancelled, [web2.started[0]?.key]);
  const again = new Machine();
  machines.set('web1', again);
  detachments.came('web1');
  assert.deepEqual(again.cancelled, [], 'nothing has changed');
  machines.set('web1', 'away');
  journal.recover();
  assert.deepEqual(await endingOf(detachments, 1), ['away']);
  journal.failWith('the disk is full');
  assert.deepEqual(await endingOf(detachments, 1), ['away'], 'it is kept already');
  machines.set('web1', again);
  detachments.came('web1');
  assert.deepEqual(again.cancelled, [key]);
});

test('who ended a run whose machine was away is on record at its end, though another server writes that', async () => {
  const web1 = new Machine();
  const { journal, machines, detachments, start } = aServer(
    undefined,
    new Map<string, Machine | 'away'>([['web1', web1]]),
  );
  await start();
  machines.set('web1', 'away');
  assert.deepEqual(await endingOf(detachments, 1), ['away']);
  const again = new Machine();
  const later = aServer(new MemoryJournal({ after: journal }), new Map([['web1', again]]));
  again.tell(web1.started[0]?.key ?? '', { ...ENDED, result: CANCELLED });
  assert.equal(await later.resultOf(1), 'cancelled ended by owner');
});

test('a run that ends by itself was ended by nobody, and one that ends with the server by that', async () => {
  const [own, web1] = [new Machine(), new Machine()];
  const places = new Map([
    ['Server', own],
    ['web1', web1],
  ]);
  const { detachments, start, resultOf } = aServer(undefined, places);
  await start('web1');
  await start('Server');
  await endingOf(detachments, 1);
  web1.tell(web1.started[0]?.key ?? '', ENDED);
  own.tell(own.started[0]?.key ?? '', { ...ENDED, result: CANCELLED });
  assert.deepEqual([await resultOf(1), await resultOf(2)], ['exited', 'cancelled the server closed']);
});

test('whether a start reached a machine that went away is asked when it is back', async () => {
  const web1 = new Machine();
  const { machines, detachments, start, resultOf } = aServer(undefined, new Map([['web1', web1]]));
  web1.refusal = AWAY;
  assert.deepEqual(await start(), AWAY);
  assert.equal(web1.awaited.size, 1);
  web1.tell(web1.started[0]?.key ?? '', 'away');
  assert.equal(await resultOf(1), 'open');
  const again = new Machine();
  machines.set('web1', again);
  detachments.came('web1');
  again.tell(web1.started[0]?.key ?? '', ENDED);
  assert.equal(await resultOf(1), 'exited');
});

test('what the machine refuses has an end at once', async () => {
  const web1 = new Machine();
  const { start, resultOf } = aServer(undefined, new Map([['web1', web1]]));
  web1.refusal = { refused: 'not-allowed', reason: 'its policy' };
  await start();
  assert.equal(await resultOf(1), 'denied its policy');
  web1.refusal = { refused: 'too-many-runs', reason: '128' };
  await start();
  assert.equal(await resultOf(2), 'denied 128');
});

test('a revoked account’s runs end, at once or when the machine is back; a revoked machine’s are lost', async () => {
  const [web1, web2] = [new Machine(), new Machine()];
  const { journal, machines, detachments, revoked, start, resultOf } = aServer(
    undefined,
    new Map<string, Machine | 'away'>([
      ['web1', web1],
      ['web2', web2],
    ]),
  );
  await start('web1');
  await start('web2');
  await start('web1', { ...BOB, by: 2 });
  machines.set('web2', 'away');
  revoked.add(1);
  detachments.revoked({ id: 1, name: 'bob' });
  assert.deepEqual(web1.cancelled, [web1.started[0]?.key]);
  machines.set('web2', web2);
  detachments.came('web2');
  assert.deepEqual(web2.cancelled, [web2.started[0]?.key]);
  // A server that was started since knows it by the account alone.
  const again = new Machine();
  const later = aServer(new MemoryJournal({ after: journal }), new Map<string, Machine | 'away'>([['web2', 'away']]));
  later.revoked.add(1);
  later.machines.set('web2', again);
  later.detachments.came('web2');
  assert.deepEqual(again.cancelled, [web2.started[0]?.key]);
  detachments.revoked({ id: 9, name: 'web1' });
  assert.equal(await resultOf(1), 'lost the machine was revoked, and nobody saw how');
  assert.equal(await resultOf(3), 'lost the machine was revoked, and nobody saw how');
  assert.equal(await resultOf(2), 'open');
});

test('a run whose machine is revoked while it is asked to start is lost', async () => {
  const web1 = new Machine();
  const { detachments, machines, start, resultOf } = aServer(undefined, new Map([['web1', web1]]));
  const answered = Promise.withResolvers<undefined>();
  const asked = Promise.withResolvers<void>();
  web1.start = () => {
    asked.resolve();
    return answered.promise;
  };
  const starting = start();
  await asked.promise;
  machines.delete('web1');
  detachments.revoked({ id: 7, name: 'web1' });
  // Nobody knows yet whether it has been started.
  assert.equal(await resultOf(1), 'open');
  answered.resolve(undefined);
  assert.equal(await starting, undefined);
  assert.equal(await resultOf(1), 'lost the machine was revoked, and nobody saw how');
});

test('a start that has failed at once has its end as any', async () => {
  const web1 = new Machine();
  const { start, resultOf } = aServer(undefined, new Map([['web1', web1]]));
  const failed = { result: 'exited', status: 127, reason: 'nosuch: not found' } as const;
  web1.start = (request) => {
    web1.started.push(request);
    return Promise.resolve({ failed });
  };
  assert.deepEqual(await start(), { failed });
  web1.tell(web1.started[0]?.key ?? '', { ...ENDED, result: { result: 'exited', status: 127 } });
  assert.equal(await resultOf(1), 'exited');
});

test('a run that is ended, or whose account is revoked, while its start is put on record never begins', async () => {
  const web1 = new Machine();
  const { detachments, revoked, start, resultOf } = aServer(undefined, new Map([['web1', web1]]));
  const refusal = { refused: 'not-kept', reason: 'it was ended before it had begun; nothing was started' };
  const ended = start();
  const ending = endingOf(detachments, 1);
  assert.deepEqual(await ended, refusal);
  assert.deepEqual(await ending, ['ending']);
  const ofRevoked = start();
  revoked.add(1);
  detachments.revoked({ id: 1, name: 'bob' });
  assert.deepEqual(await ofRevoked, refusal);
  assert.deepEqual(web1.started, []);
  assert.deepEqual(
    [await resultOf(1), await resultOf(2)],
    ['cancelled ended by owner', 'cancelled whoever ran it was revoked'],
  );
  assert.deepEqual(await endingOf(detachments, 1), []);
});

test('a run that is ended while its machine is being asked to start it is ended when that has answered', async () => {
  const web1 = new Machine();
  const { detachments, start, resultOf } = aServer(undefined, new Map([['web1', web1]]));
  const { promise: answered, resolve: answer } = Promise.withResolvers<undefined>();
  const { promise: asked, resolve: ask } = Promise.withResolvers<string>();
  web1.start = (request) => {
    ask(request.key);
    return answered;
  };
  const starting = start();
  const key = await asked;
  assert.deepEqual(await endingOf(detachments, 1), ['ending']);
  answer(undefined);
  assert.equal(await starting, undefined);
  assert.equal(web1.cancelled.at(-1), key);
  assert.equal(web1.cancelled.length, 2);
  web1.tell(key, { ...ENDED, result: CANCELLED });
  assert.equal(await resultOf(1), 'cancelled ended by owner');
});

test('an account has so many open at once, and no more', async () => {
  const web1 = new Machine();
  const { start } = aServer(undefined, new Map([['web1', web1]]));
  for (let count = 0; count < 1_000; count++) assert.equal(await start(), undefined);
  const refused = await start();
  assert.ok(refused !== undefined && 'refused' in refused);
  assert.equal(refused.refused, 'too-many-runs');
  assert.equal(await start('web1', { ...BOB, by: 2 }), undefined);
  assert.equal(web1.started.length, 1_001);
});
