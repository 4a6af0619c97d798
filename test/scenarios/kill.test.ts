// The server is killed in the middle of everything, again and again: what anybody sent is there, once, in one order for
// everybody, live and in the history. Half of them are programs with the library, which comes back by itself; the others
// have a line, some of them the real `nc`, and do by hand what the line protocol has for it: `send#KEY`, and ids.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import { connect, type Client } from '../../src/client/mod.ts';
import { verifyJournal } from '../../src/journal/verify.ts';
import { newAccounts } from '../kit/accounts.ts';
import { newDirectory, removeDirectory } from '../kit/directory.ts';
import { LineClient, type Carrier } from '../kit/line-client.ts';
import { needs } from '../kit/needs.ts';
import { Random, seedOf } from '../kit/random.ts';
import { at, LOOPBACKS, startServer, type TestServer } from '../kit/server.ts';

/** TEST_KILLS=50 for the long run. */
const KILLS = process.env['TEST_KILLS'];
/** What senders come by, and readers. */
const MEANS = ['library', 'nc', 'library', 'socket'] as const;
/** Messages of one sender that are under way at once. */
const WINDOW = 8;
/** Messages between two questions that a program asks about one before it reads on. */
const ASKS_EVERY = 16;
/** Readers that read their history at the end. */
const READ_AGAIN = 4;
const THE_END = 'the end';

interface Trial {
  readonly kills: number;
  /** Senders, and as many readers. */
  readonly people: number;
  /** Acknowledgements between a start and a kill. Few: it may come while the backlog is still being told. */
  readonly least: number;
  readonly most: number;
  /** At the end of each text. */
  readonly filler: string;
  /** The database cannot be written before each kill, until something was acknowledged that it does not have. */
  readonly isHeld: boolean;
}

const TRIAL: Trial = { kills: 4, people: 20, least: 1, most: 800, filler: '', isHeld: false };

interface End {
  readonly host: string;
  readonly port: number;
}

/** What there is to know while somebody sends. */
interface Watch {
  readonly isEnough: () => boolean;
  readonly onAck: (id: number) => void;
  /** A message could not be stored; throws where that cannot be. */
  readonly onRefused: (words: string) => void;
}

/** Who sends: what it was told is stored, under which id. */
interface Sender {
  readonly acknowledged: ReadonlyMap<number, string>;
}

class LibrarySender implements Sender {
  readonly acknowledged = new Map<number, string>();
  /** What was stored already when it was sent again: its acknowledgement was lost. */
  repeats = 0;
  readonly #client: Client;
  readonly #name: string;
  readonly #filler: string;
  #count = 0;

  constructor(client: Client, name: string, filler: string) {
    this.#client = client;
    this.#name = name;
    this.#filler = filler;
  }

  /** Until it is enough; each message is tried until it is acknowledged. */
  async talk({ isEnough, onAck, onRefused }: Watch): Promise<void> {
    const one = async () => {
      while (!isEnough()) {
        const text = `${this.#name} ${++this.#count}`;
        const { id, repeat } = await this.#send(text, onRefused);
        if (repeat) this.repeats += 1;
        keep(this.acknowledged, id, text);
        onAck(id);
      }
    };
    await Promise.all(Array.from({ length: WINDOW }, one));
  }

  async #send(text: string, onRefused: Watch['onRefused']): ReturnType<Client['send']> {
    try {
      return await this.#client.send('all', text + this.#filler);
    } catch (error) {
      onRefused(String(error));
      return this.#send(text, onRefused);
    }
  }
}

interface Line extends End {
  readonly carrier: Carrier;
}

class LineSender implements Sender {
  readonly acknowledged = new Map<number, string>();
  readonly #token: string;
  readonly #name: string;
  readonly #filler: string;
  #count = 0;
  /** Sent and not acknowledged yet, in order; the text is its own key. */
  #waiting: string[] = [];
  #settled = () => {};

  constructor(token: string, name: string, filler: string) {
    this.#token = token;
    this.#name = name;
    this.#filler = filler;
  }

  /** Sends again what was not acknowledged, and then one for each that is, until it is enough. */
  come(line: Line, { isEnough, onAck, onRefused }: Watch): LineClient {
    const client = new LineClient({
      ...line,
      onLine: (answer) => {
        if (answer.startsWith('error: ')) {
          onRefused(answer);
          const text = this.#waiting.shift() ?? 'nothing';
          this.#waiting.push(text);
          return send(text);
        }
        const id = /^(\d+) all=(?:stored|delivered)$/.exec(answer)?.[1];
        if (id === undefined) return;
        // Answers come in the order of the questions.
        keep(this.acknowledged, Number(id), this.#waiting.shift() ?? 'nothing');
        onAck(Number(id));
        if (!isEnough()) next();
        else if (this.#waiting.length === 0) this.#settled();
      },
    });
    const send = (text: string) => client.type(`send#${text.replace(' ', '-')} all ${text}${this.#filler}`);
    const next = () => {
      const text = `${this.#name} ${++this.#count}`;
      this.#waiting.push(text);
      send(text);
    };
    client.type(`login ${this.#token}\nreceipts on`);
    for (const text of this.#waiting) send(text);
    while (!isEnough() && this.#waiting.length < WINDOW) next();
    return client;
  }

  /** When everything is acknowledged, after it was enough. */
  settled(): Promise<void> {
    return new Promise((resolve) => {
      this.#settled = resolve;
      if (this.#waiting.length === 0) resolve();
    });
  }
}

function keep(acknowledged: Map<number, string>, id: number, text: string): void {
  assert.ok(!acknowledged.has(id), `${text} was acknowledged as ${id}, and so was ${acknowledged.get(id)}`);
  acknowledged.set(id, text);
}

function without(filler: string, text: string): string {
  if (text === THE_END) return text;
  assert.ok(text.endsWith(filler), `a text of ${text.length} was changed`);
  return text.slice(0, text.length - filler.length);
}

/** Who reads: what it was told, by id, in the order in which it came first. */
interface Reader {
  readonly name: string;
  readonly heard: ReadonlyMap<number, string>;
  /** When it has heard the end. */
  readonly over: Promise<void>;
}

class LibraryReader implements Reader {
  readonly name: string;
  readonly heard = new Map<number, string>();
  readonly over: Promise<void>;

  constructor(client: Client, name: string, filler: string) {
    this.name = name;
    this.over = this.#read(client, filler);
  }

  async #read(client: Client, filler: string): Promise<void> {
    for await (const message of client.messages()) {
      const { id } = message;
      const text = without(filler, message.text);
      assert.ok(!this.heard.has(id), `${this.name} was given message ${id} twice`);
      this.heard.set(id, text);
      if (text === THE_END) return;
      // What it has in hand when the server is killed is not read yet, and still not to be given again.
      if (this.heard.size % ASKS_EVERY === 0) await client.groups();
    }
  }
}

class LineReader implements Reader {
  readonly name: string;
  readonly heard = new Map<number, string>();
  readonly over: Promise<void>;
  /** What came again after a kill, for a line acknowledges nothing. */
  repeats = 0;
  readonly #token: string;
  readonly #filler: string;
  #end = () => {};

  constructor(token: string, name: string, filler: string) {
    this.#token = token;
    this.name = name;
    this.#filler = filler;
    this.over = new Promise((resolve) => (this.#end = resolve));
  }

  come(line: Line): LineClient {
    let id: number | undefined;
    const client = new LineClient({
      ...line,
      onLine: (words) => {
        assert.doesNotMatch(words, /^error: /);
        const text = /^\S+ \(broadcasted\) : (.*)$/.exec(words)?.[1];
        if (id !== undefined && text !== undefined) this.#hear(id, without(this.#filler, text));
        const date = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d #(\d+)$/.exec(words)?.[1];
        id = date === undefined ? undefined : Number(date);
      },
    });
    client.type(`login ${this.#token}\nreceipts on`);
    return client;
  }

  #hear(id: number, text: string): void {
    const known = this.heard.get(id);
    assert.ok(known === undefined || known === text, `${this.name}: message ${id} was ${known}, and is ${text}`);
    if (known !== undefined) this.repeats += 1;
    this.heard.set(id, text);
    if (text === THE_END) this.#end();
  }
}

/** `assert.deepEqual` would write a book about two lists of a hundred thousand. */
function assertSame(
  log: Iterable<readonly [number, string]>,
  wanted: readonly (readonly [number, string])[],
  who: string,
) {
  let at = 0;
  for (const [id, text] of log) {
    assert.deepEqual([id, text], wanted[at], `${who}, message ${at} of ${wanted.length}`);
    at += 1;
  }
  assert.equal(at, wanted.length, `${who} has fewer`);
}

/** Another program has the database for itself. Returns the last message in it, and how to let go. */
function holdDatabase(path: string): { readonly stored: number; readonly letGo: () => void } {
  const database = new DatabaseSync(path, { timeout: 10_000 });
  database.exec('BEGIN IMMEDIATE');
  const stored = Number(database.prepare('SELECT max(id) AS id FROM message').get()?.['id'] ?? 0);
  return { stored, letGo: () => database.close() };
}

const hostOf = (n: number) => LOOPBACKS[Math.floor(n / 4) % 2] ?? '::1';

/** Afterwards nothing is lost or doubled that anybody sent, and all have seen one order. Returns the server's directory. */
async function survive(t: TestContext, { people, least, most, filler, isHeld, ...trial }: Trial): Promise<string> {
  const kills = Number(KILLS ?? trial.kills);
  const startedAt = performance.now();
  const random = new Random(seedOf(t));
  const directory = newDirectory();
  let server: TestServer = await startServer({ directory });
  const { port } = server;
  const clients: Client[] = [];
  let lines: LineClient[] = [];
  const journal = join(directory, 'journal.db');
  let holder: ReturnType<typeof holdDatabase> | undefined;
  t.after(async () => {
    holder?.letGo();
    for (const line of lines) line.destroy();
    await Promise.all(clients.map((client) => client.close()));
    await server[Symbol.asyncDispose]();
    await removeDirectory(directory);
  });
  const restart = async () => {
    server = await startServer({ directory, port });
  };
  const programOf = async (token: string, n: number): Promise<Client> => {
    const reconnect = { firstDelayMs: 20, maxDelayMs: 100 };
    const client = await connect({ host: at(hostOf(n), port), credential: { token }, reconnect });
    clients.push(client);
    return client;
  };

  const everyone = [...Array(people).keys()];
  const senderTokens = await newAccounts(
    everyone.map((n) => `sender${n}`),
    server,
  );
  const readerTokens = await newAccounts(
    everyone.map((n) => `reader${n}`),
    server,
  );
  const clientSenders: LibrarySender[] = [];
  const clientReaders: LibraryReader[] = [];
  const lineSenders: { sender: LineSender; line: Line }[] = [];
  const lineReaders: { reader: LineReader; line: Line }[] = [];
  for (const n of everyone) {
    const carrier = MEANS[n % MEANS.length] ?? 'library';
    const [senderToken = '', readerToken = ''] = [senderTokens[n], readerTokens[n]];
    if (carrier === 'library') {
      clientSenders.push(new LibrarySender(await programOf(senderToken, n), `sender${n}`, filler));
      clientReaders.push(new LibraryReader(await programOf(readerToken, n), `reader${n}`, filler));
    } else {
      const line = { carrier, host: hostOf(n), port };
      lineSenders.push({ sender: new LineSender(senderToken, `sender${n}`, filler), line });
      lineReaders.push({ reader: new LineReader(readerToken, `reader${n}`, filler), line });
    }
  }
  const senders: Sender[] = [...clientSenders, ...lineSenders.map(({ sender }) => sender)];
  const readers: Reader[] = [...clientReaders, ...lineReaders.map(({ reader }) => reader)];

  let isOver = false;
  let left = 0;
  let enough = () => {};
  const watch: Watch = {
    isEnough: () => isOver,
    onAck: (id) => {
      left -= 1;
      if (left > 0 || isOver) return;
      if (isHeld) holder ??= holdDatabase(journal);
      if (holder === undefined || id > holder.stored) enough();
    },
    // The server waits a second for the database: on a machine that is so slow it is held anew.
    onRefused: (words) => {
      assert.ok(isHeld && /another process holds it/.test(words), words);
      holder?.letGo();
      holder = undefined;
    },
  };
  const comeByLine = () => [
    ...lineReaders.map(({ reader, line }) => reader.come(line)),
    ...lineSenders.map(({ sender, line }) => sender.come(line, watch)),
  ];
  const talking = Promise.all(clientSenders.map((sender) => sender.talk(watch)));
  for (let round = 0; round < kills; round++) {
    if (round > 0) await restart();
    const reached = new Promise<void>((resolve) => (enough = resolve));
    left = least + random.int(most - least);
    lines = comeByLine();
    await Promise.race([reached, talking]);
    server.program.kill('SIGKILL');
    await server.program.ended;
    const acknowledged = senders.flatMap((sender) => [...sender.acknowledged.keys()]);
    assert.ok(holder === undefined || holder.stored < Math.max(...acknowledged), 'nothing is in the log alone');
    holder?.letGo();
    holder = undefined;
    await Promise.all(lines.map((line) => line.leave()));
  }

  // Once more, in peace: everybody hears what is missing, and what was under way is sent again.
  await restart();
  isOver = true;
  lines = comeByLine();
  await talking;
  for (const { sender } of lineSenders) await sender.settled();
  await using last = await programOf(senderTokens[0] ?? '', 0);
  const end = await last.send('all', THE_END);
  await Promise.all(readers.map(({ over }) => over));
  await Promise.all(lines.map((line) => line.leave()));

  const acknowledged = senders.flatMap(({ acknowledged }) => Array.from(acknowledged));
  // Everything that was sent has been acknowledged by now, so these are all that there may be.
  const wanted = [...acknowledged, [end.id, THE_END] as const].sort(([a], [b]) => a - b);
  assert.equal(new Set(wanted.map(([id]) => id)).size, wanted.length, 'two messages have one id');
  assert.equal(new Set(wanted.map(([, text]) => text)).size, wanted.length, 'a message has two ids');
  for (const { heard, name } of readers) assertSame(heard, wanted, name);
  const stored = new Set<number>();
  for (const n of everyone.slice(0, READ_AGAIN)) {
    await using client = await programOf(readerTokens[n] ?? '', n);
    const past: [number, string][] = [];
    for await (const { id, text } of client.history({ with: 'all' })) past.push([id, without(filler, text)]);
    assertSame(past, wanted, `the history of reader${n}`);
    for (const [id] of past) stored.add(id);
  }
  assert.deepEqual(await verifyJournal(journal), []);
  const seconds = Math.round((performance.now() - startedAt) / 1_000);
  const repeats = lineReaders.reduce((sum, { reader }) => sum + reader.repeats, 0);
  const again = clientSenders.reduce((sum, sender) => sum + sender.repeats, 0);
  t.diagnostic(`${kills} kills in ${seconds} s: ${acknowledged.length} acknowledged, ${stored.size - 1} stored`);
  t.diagnostic(`the library sent ${again} again that were stored; ${repeats} were told again by line, and dropped`);
  return directory;
}

const limitOf = (trial: Trial) => ({ timeout: 120_000 + Number(KILLS ?? trial.kills) * 10_000 });

test('under kill -9 nothing is lost or doubled that anybody sent, and all see one order', limitOf(TRIAL), async (t) => {
  if (needs(t, ['nc'])) await survive(t, TRIAL);
});

/** So long that a segment of the log is full before each kill. */
const LONG: Trial = { ...TRIAL, kills: 2, people: 4, least: 300, most: 340, filler: ` ${'x'.repeat(60_000)}` };

test('the same where each life of the server fills more than a segment of its log', limitOf(LONG), async (t) => {
  if (!needs(t, ['nc'])) return;
  const directory = await survive(t, LONG);
  const used = readdirSync(directory).filter((name) => {
    return name.includes('-log-') && readFileSync(join(directory, name)).toString('latin1', 0, 4) === 'PLf2';
  });
  assert.ok(used.length > 1, 'the log was never full');
});

const HELD: Trial = { ...TRIAL, people: 4, least: 50, most: 300, isHeld: true };

test('the same where the database does not have everything when the server is killed', limitOf(HELD), async (t) => {
  if (needs(t, ['nc'])) await survive(t, HELD);
});
