// The server is restarted in good order, again and again, while everybody talks: clients of the library notice a pause.

import assert from 'node:assert/strict';
import { copyFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect, type Client } from '../../src/client/mod.ts';
import { verifyJournal } from '../../src/journal/verify.ts';
import { asOwner, newAccount } from '../kit/accounts.ts';
import { Caller } from '../kit/caller.ts';
import { aDirectory, newDirectory, removeDirectory } from '../kit/directory.ts';
import { Random, seedOf } from '../kit/random.ts';
import { at, LOOPBACKS, startServer, type TestServer } from '../kit/server.ts';

/** TEST_RESTARTS=20 for the long run. */
const RESTARTS = Number(process.env['TEST_RESTARTS'] ?? 5);
const SENDERS = 6;
const READERS = 4;
const UNDER_WAY = 4;

const hostOf = (n: number) => LOOPBACKS[n % 2] ?? '::1';

/** A client with an account of its own, which comes back by itself. */
async function member(name: string, server: TestServer, host: string): Promise<Client> {
  const credential = { token: await newAccount(name, server) };
  return await connect({ host: at(host, server.port), credential, reconnect: { firstDelayMs: 20, maxDelayMs: 100 } });
}

test('restarts under load lose nothing and double nothing, in one order for all', { timeout: 600_000 }, async (t) => {
  const random = new Random(seedOf(t));
  const directory = newDirectory();
  let server = await startServer({ directory });
  const { port } = server;
  const clients: Client[] = [];
  t.after(async () => {
    for (const client of clients) await client.close();
    await server[Symbol.asyncDispose]();
    await removeDirectory(directory);
  });
  const senders = await Promise.all(Array.from({ length: SENDERS }, (_, n) => member(`sender${n}`, server, hostOf(n))));
  const readers = await Promise.all(Array.from({ length: READERS }, (_, n) => member(`reader${n}`, server, hostOf(n))));
  clients.push(...senders, ...readers);

  const heard = readers.map(async (reader) => {
    const texts: string[] = [];
    for await (const { text } of reader.messages()) {
      if (text === 'the end') return texts;
      texts.push(text);
    }
    return texts;
  });

  const sent = new Map<number, string>();
  const state = { isOver: false };
  let due = Number.POSITIVE_INFINITY;
  let wake = () => {};
  const talk = async (sender: Client, name: string) => {
    for (let n = 0; !state.isOver; n++) {
      const text = `${name} ${n}`;
      const { id, repeat } = await sender.send('all', text);
      // A repeat is the answer to one whose first answer was lost with a connection.
      assert.ok(!sent.has(id), `message ${id} was acknowledged twice${repeat ? ', the second time as a repeat' : ''}`);
      sent.set(id, text);
      if (sent.size >= due) wake();
    }
  };
  const talking = senders.flatMap((sender, n) =>
    Array.from({ length: UNDER_WAY }, (_, thread) => talk(sender, `sender${n}.${thread}`)),
  );
  for (let round = 0; round < RESTARTS; round++) {
    const enough = Promise.withResolvers<void>();
    wake = enough.resolve;
    due = sent.size + 50 + random.int(300);
    await enough.promise;
    server.program.kill('SIGTERM');
    assert.equal(await server.program.ended, 0);
    server = await startServer({ directory, port });
  }
  state.isOver = true;
  await Promise.all(talking);
  const [last] = senders;
  await last?.send('all', 'the end');

  const wanted = [...sent].sort(([a], [b]) => a - b).map(([, text]) => text);
  for (const texts of await Promise.all(heard)) assert.deepEqual(texts, wanted);
  const past: string[] = [];
  const [reader] = readers;
  for await (const { text } of reader?.history({ with: 'all', limit: 1_000_000 }) ?? []) past.push(text);
  assert.deepEqual(past, [...wanted, 'the end']);
  t.diagnostic(`${RESTARTS} restarts, ${sent.size} messages`);
  assert.deepEqual(await verifyJournal(join(directory, 'journal.db')), []);
});

/** Together more than a socket and its kernel hold. */
const LETTERS = 600;
const LETTER = 'x'.repeat(20_000);

for (const host of LOOPBACKS) {
  test(`a stop counts nothing as delivered that was still waiting to be read: ${host}`, async () => {
    const directory = newDirectory();
    let server = await startServer({ directory });
    const { port } = server;
    const token = await newAccount('bob', server);
    const bob = await Caller.connect(host, port);
    bob.type(`login ${token}`);
    await bob.until(/^Format: .*\n\n/m);
    bob.socket.pause();
    const vamshi = await connect({ host: at(host, port), credential: { guest: 'Vamshi' } });
    await Promise.all(Array.from({ length: LETTERS }, (_, n) => vamshi.send('bob', `${n} ${LETTER}`)));
    server.program.kill('SIGTERM');
    assert.equal(await server.program.ended, 0);
    await vamshi.close();
    bob.socket.resume();
    const numbers = (text: string) => Array.from(text.matchAll(/ : (\d+) x+$/gm), ([, n]) => Number(n));
    const before = numbers(await bob.heard.rest());
    server = await startServer({ directory, port });
    await using again = await Caller.connect(host, port);
    again.type(`login ${token}`);
    const after = numbers(await again.until(new RegExp(`: ${LETTERS - 1} x+\\n`)));
    const told = new Set([...before, ...after]);
    assert.ok(before.length < LETTERS, 'all of them went out at once');
    assert.deepEqual(
      Array.from({ length: LETTERS }, (_, n) => n).filter((n) => !told.has(n)),
      [],
    );
    await server[Symbol.asyncDispose]();
    await removeDirectory(directory);
  });
}

for (const host of LOOPBACKS) {
  test(
    `a client that was further on than a server whose log is gone gets all that is said from then on: ${host}`,
    { timeout: 60_000 },
    async (t) => {
      const [directory, kept] = [aDirectory(t), aDirectory(t)];
      const journal = join(directory, 'journal.db');
      let server = await startServer({ directory });
      t.after(() => server[Symbol.asyncDispose]());
      const { port } = server;
      const reconnect = { firstDelayMs: 20, maxDelayMs: 100 };
      const credential = { token: await newAccount('bob', server) };
      server.program.kill('SIGTERM');
      assert.equal(await server.program.ended, 0);
      copyFileSync(journal, join(kept, 'journal.db'));
      server = await startServer({ directory, port });
      const target = { host: at(host, port), credential, reconnect };
      await using bob = await connect(target);
      const messages = bob.messages();
      const texts: string[] = [];
      const read = async () => texts.push((await messages.next()).value?.text ?? 'none');
      const say = async (...said: string[]) => {
        await using owner = await asOwner(server, host);
        for (const text of said) await owner.send('bob', text);
      };
      await say('lost 1', 'lost 2', 'lost 3');
      for (let count = 0; count < 3; count++) await read();
      const next = read();
      await bob.list();
      server.program.kill('SIGKILL');
      await server.program.ended;
      // As if the log alone had had them.
      for (const name of readdirSync(directory)) if (name.startsWith('journal.db')) rmSync(join(directory, name));
      copyFileSync(join(kept, 'journal.db'), journal);
      server = await startServer({ directory, port });
      const warning = await server.program.stderr.until(/messages may be missing.*\n/);
      assert.match(warning, /There is no \S*journal\.db-log-0: .* goes on as another one, with message 1: /);
      await say('new 1', 'new 2', 'new 3', 'new 4');
      await next;
      for (let count = 0; count < 3; count++) await read();
      assert.deepEqual(texts, ['lost 1', 'lost 2', 'lost 3', 'new 1', 'new 2', 'new 3', 'new 4']);
    },
  );
}
