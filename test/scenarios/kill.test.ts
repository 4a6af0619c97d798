// The server is killed in the middle of everything, again and again: what it acknowledged is there, once, in one order
// for everybody, and who was away is told.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { NameKey, Name } from '../../src/core/name.ts';
import { openSqliteJournal } from '../../src/journal/sqlite.ts';
import { verifyJournal } from '../../src/journal/verify.ts';
import { hashSecret, newToken } from '../../src/secrets/code.ts';
import { Caller } from '../kit/caller.ts';
import { aDirectory } from '../kit/directory.ts';
import { Random, seedOf } from '../kit/random.ts';
import { LOOPBACKS, startServer, type TestServer } from '../kit/server.ts';

/** TEST_KILLS=50 for the long run. */
const KILLS = Number(process.env['TEST_KILLS'] ?? 4);
const SENDERS = 20;
const READERS = 20;
const WINDOW = 8;

/** Accounts that are there before the first start, and the token of each. */
async function withAccounts(directory: string, count: number): Promise<string[]> {
  const { journal } = await openSqliteJournal({ path: join(directory, 'journal.db') });
  const tokens = Array.from({ length: count }, () => newToken());
  const changes = tokens.flatMap((token, at) => {
    const id = at + 2;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- plain ASCII, in small letters
    const [name, key] = [`reader${at}` as Name, `reader${at}` as NameKey];
    const nothing = { invitedBy: undefined, password: undefined, revokedAtMs: undefined };
    const times = { createdAtMs: 1, since: 0, delivered: 0 };
    const account = { id, name, key, role: 'member', kind: 'person', ...times, ...nothing } as const;
    const kept = { id: at + 1, account: id, label: 'test', hash: hashSecret(token), createdAtMs: 1 };
    return [{ type: 'account-added', account } as const, { type: 'token-added', token: kept } as const];
  });
  const failed = await new Promise((resolve) => journal.record(changes, resolve));
  assert.equal(failed, undefined);
  await journal.close();
  return tokens;
}

/** Sends one text after the other, some at a time, and keeps what was acknowledged under which id. */
class Sender {
  readonly acknowledged = new Map<number, string>();
  readonly #name: string;
  #count = 0;

  constructor(name: string) {
    this.#name = name;
  }

  /** Until the connection breaks. `onAck` is called for each message that is acknowledged. */
  async talk(host: string, port: number, onAck: () => void): Promise<void> {
    const caller = await Caller.connect(host, port);
    const waiting: string[] = [];
    let rest = '';
    const send = () => {
      const text = `${this.#name} ${++this.#count}`;
      waiting.push(text);
      caller.type(`send all ${text}`);
    };
    const read = (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const id = /^(\d+) all=(?:stored|delivered)$/.exec(line)?.[1];
        if (id === undefined) continue;
        this.acknowledged.set(Number(id), waiting.shift() ?? '');
        onAck();
        send();
      }
    };
    caller.type(this.#name);
    caller.type('receipts on');
    await caller.until(/^Receipts are on\n/m).catch(() => {});
    caller.socket.on('data', read);
    for (let n = 0; n < WINDOW; n++) send();
    await caller.heard.rest().catch(() => {});
    caller.socket.destroy();
  }
}

/** Reads whatever comes, with ids, over as many connections as it takes. */
class Reader {
  /** Ids in the order in which they came first. */
  readonly order: number[] = [];
  readonly texts = new Map<number, string>();
  readonly #login: string;

  constructor(login: string) {
    this.#login = login;
  }

  async come(host: string, port: number): Promise<Caller> {
    const caller = await Caller.connect(host, port);
    caller.type(`${this.#login}\nreceipts on`);
    let text = '';
    caller.socket.on('data', (chunk: string) => {
      text += chunk;
      const pattern = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d #(\d+)\n\S+ \(broadcasted\) : (.*)\n/gm;
      let end = 0;
      for (const found of text.matchAll(pattern)) {
        this.#hear(Number(found[1]), found[2] ?? '');
        end = found.index + found[0].length;
      }
      text = text.slice(end);
    });
    return caller;
  }

  #hear(id: number, text: string): void {
    const known = this.texts.get(id);
    assert.ok(known === undefined || known === text, `message ${id} was ${known}, and is ${text}`);
    if (known === undefined) this.order.push(id);
    this.texts.set(id, text);
  }
}

test(
  'of what was acknowledged nothing is lost or doubled by kill -9, and all see one order',
  { timeout: 600_000 },
  async (t) => {
    const random = new Random(seedOf(t));
    const directory = aDirectory(t);
    const tokens = await withAccounts(directory, READERS);
    const readers = tokens.map((token) => new Reader(`login ${token}`));
    const senders = Array.from({ length: SENDERS }, (_, n) => new Sender(`sender${n}`));
    const hostOf = (n: number) => LOOPBACKS[n % 2] ?? '::1';
    for (let round = 0; round < KILLS; round++) {
      const server: TestServer = await startServer({ directory });
      const here = await Promise.all(readers.map((reader, n) => reader.come(hostOf(n), server.port)));
      const enough = Promise.withResolvers<void>();
      let left = 200 + random.int(1_500);
      const talking = senders.map((sender, n) =>
        sender.talk(hostOf(n), server.port, () => {
          if (--left === 0) enough.resolve();
        }),
      );
      await enough.promise;
      server.program.kill('SIGKILL');
      await server.program.ended;
      await Promise.all(talking);
      for (const caller of here) await caller[Symbol.asyncDispose]();
    }

    // Once more, in peace: everybody gets what is missing.
    await using server = await startServer({ directory });
    const acknowledged = new Map(senders.flatMap((sender) => [...sender.acknowledged]));
    const total = senders.reduce((sum, sender) => sum + sender.acknowledged.size, 0);
    assert.equal(acknowledged.size, total, 'two messages have one id');
    for (const [n, reader] of readers.entries()) {
      await using caller = await reader.come(hostOf(n), server.port);
      await caller.until(/^Receipts are on\n/m);
      // To oneself: it comes after all that waited.
      caller.type(`send reader${n} : the end`);
      await caller.until(/ : the end\n/);
      assert.deepEqual(
        reader.order,
        reader.order.toSorted((a, b) => a - b),
        `reader${n} saw another order`,
      );
      assert.deepEqual(
        reader.texts.size,
        new Set(reader.texts.values()).size,
        `reader${n} saw a message under two ids`,
      );
      for (const [id, text] of acknowledged) assert.equal(reader.texts.get(id), text, `reader${n}, message ${id}`);
    }
    const [first, ...others] = readers.map(({ order }) => order);
    for (const order of others) assert.deepEqual(order, first);
    t.diagnostic(`${KILLS} kills, ${acknowledged.size} acknowledged, ${first?.length} stored`);
    assert.deepEqual(await verifyJournal(join(directory, 'journal.db')), []);
  },
);
