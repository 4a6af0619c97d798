// The library in a real browser, as it stands in src/: a page of the server talks with somebody at `nc`, and a page of
// anybody else is not let in.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { newAccounts } from '../kit/accounts.ts';
import { Browser, type Page } from '../kit/browser.ts';
import { Caller } from '../kit/caller.ts';
import { needs } from '../kit/needs.ts';
import { aDirectory } from '../kit/directory.ts';
import { someMachines } from '../kit/machines.ts';
import { writePolicy } from '../kit/policy.ts';
import { at, LOOPBACKS, startServer } from '../kit/server.ts';

const LIMIT = { timeout: 120_000 };
const LIBRARY = '/src/client/mod.ts';

/** One for all these tests: it takes a second to start, and each has a page of its own. */
const browser = { started: undefined as Browser | undefined };
after(() => browser.started?.[Symbol.asyncDispose]());

function pageAt(url: string): Promise<Page> {
  browser.started ??= new Browser();
  return browser.started.open(url);
}

interface Ends {
  readonly library: string;
  readonly host: string;
  readonly token: string;
}

/** Runs in the page. */
async function talk({ library, host, token }: Ends) {
  const { connect }: typeof import('../../src/client/mod.ts') = await import(library);
  const states: string[] = [];
  await using client = await connect({
    host,
    credential: { token },
    reconnect: { firstDelayMs: 20, maxDelayMs: 100 },
    onConnection: ({ state }) => states.push(state),
  });
  const messages = client.messages();
  const sent = await client.send('Janaki', 'is anybody there?');
  const heard: string[] = [];
  for await (const { from, text } of messages) {
    heard.push(`${from}: ${text}`);
    if (text === 'good bye') break;
    await client.send(from, `${text}, you say`);
  }
  const past: string[] = [];
  for await (const { from, text } of client.history({ with: 'Janaki' })) past.push(`${from}: ${text}`);
  return { identity: client.identity, sent: [...sent.to], heard, past, states };
}

/** Runs in the page. */
async function tryIt({ library, host, token }: Ends) {
  const { connect, UnreachableError }: typeof import('../../src/client/mod.ts') = await import(library);
  try {
    await using client = await connect({ host, credential: { token } });
    return `came in as ${client.identity?.name}`;
  } catch (error) {
    return error instanceof UnreachableError ? error.message : String(error);
  }
}

/** Runs in the page. */
async function runThings({ library, host, token }: Ends) {
  const { connect }: typeof import('../../src/client/mod.ts') = await import(library);
  await using client = await connect({ host, credential: { token } });
  const short = await client.run({ on: 'web1', command: 'cat; echo oh >&2; exit 3', stdin: 'hi' }).text();

  // More than two windows, there and back.
  const through = client.run({ on: 'web1', command: 'cat', stdin: true });
  const sent = new Uint8Array(2_500_000).map((_, index) => index % 251);
  const writing = (async () => {
    for (let from = 0; from < sent.length; from += 50_000)
      await through.stdin.write(sent.subarray(from, from + 50_000));
    through.stdin.end();
  })();
  let [received, areSame] = [0, true];
  for await (const bytes of through.stdout) {
    areSame &&= bytes.every((byte, index) => byte === (received + index) % 251);
    received += bytes.length;
  }
  await writing;

  const endless = client.run({ on: 'web1', command: 'yes' });
  await endless.stdout.next();
  const cancelled = await endless.cancel();
  const many: string[] = [];
  for await (const { host: name, status } of client.runMany({ on: 'web[1-2]', command: 'exit 4', batch: 1 })) {
    many.push(`${name} ${status}`);
  }
  const { record } = await client.detach({ on: 'web2', command: 'echo left' });
  let said = '';
  const watch = client.attach(record);
  for await (const piece of watch.output) {
    if (piece.stream === 'stdout') said += new TextDecoder().decode(piece.bytes);
  }
  return { short, received, areSame, cancelled: cancelled.result, many, said, watched: await watch.result };
}

for (const host of LOOPBACKS) {
  test(`a page of the server talks with the library, over a kill too: ${host}`, LIMIT, async (t) => {
    if (!needs(t, ['chromium'])) return;
    const directory = aDirectory(t);
    await using first = await startServer({ directory });
    const { port } = first;
    const [pageToken = '', callerToken = ''] = await newAccounts(['Vamshi', 'Janaki'], first);
    const page = await pageAt(`http://${at(host, port)}/healthz`);
    await using janaki = await Caller.connect(host, port);
    janaki.type(`login ${callerToken}`);
    await janaki.until(/^Format: .*\n\n/m);
    const talking = page.run(talk, { library: LIBRARY, host: `ws://${at(host, port)}`, token: pageToken });
    // What goes wrong in the page is the better message.
    const hear = (caller: Caller, words: string) => Promise.race([caller.until(words), talking.then(() => '')]);
    await hear(janaki, 'Vamshi (singlecasted) : is anybody there?\n');
    janaki.type('send Vamshi : I am');
    await hear(janaki, 'Vamshi (singlecasted) : I am, you say\n');
    first.program.kill('SIGKILL');
    await first.program.ended;

    await using _second = await startServer({ directory, port });
    await using again = await Caller.connect(host, port);
    again.type(`login ${callerToken}`);
    again.type('send Vamshi : good bye');
    const { states, ...rest } = await talking;
    assert.deepEqual(rest, {
      identity: { name: 'Vamshi', role: 'member' },
      sent: [['Janaki', 'delivered']],
      heard: ['Janaki: I am', 'Janaki: good bye'],
      past: ['Vamshi: is anybody there?', 'Janaki: I am', 'Vamshi: I am, you say', 'Janaki: good bye'],
    });
    assert.deepEqual(states, ['connected', 'lost', 'connected']);
    assert.ok(page.loaded.includes(LIBRARY));
    assert.deepEqual(
      page.loaded.filter((path) => !/^\/src\/(?:client|protocol)\//.test(path)),
      [],
    );
  });

  test(`a page of the server runs commands with the library: ${host}`, LIMIT, async (t) => {
    if (!needs(t, ['chromium'])) return;
    const directory = aDirectory(t);
    writePolicy(directory, '[[allow]]\nwho = ["Vamshi"]\non = "all"\nshell = true\n');
    await using server = await startServer({ directory });
    await using _machines = await someMachines(['web1', 'web2'], server, host);
    const [token = ''] = await newAccounts(['Vamshi'], server);
    const page = await pageAt(`http://${at(host, server.port)}/healthz`);
    assert.deepEqual(await page.run(runThings, { library: LIBRARY, host: `ws://${at(host, server.port)}`, token }), {
      short: { result: 'exited', status: 3, stdout: 'hi', stderr: 'oh\n', isCut: false },
      received: 2_500_000,
      areSame: true,
      cancelled: 'cancelled',
      many: ['web1 4', 'web2 4'],
      said: 'left\n',
      watched: { result: 'exited', status: 0 },
    });
    assert.deepEqual(
      page.loaded.filter((path) => !/^\/src\/(?:client|protocol)\//.test(path)),
      [],
    );
  });

  test(`a page of anybody else is not let in: ${host}`, LIMIT, async (t) => {
    if (!needs(t, ['chromium'])) return;
    await using server = await startServer();
    await using another = await startServer();
    const [token = ''] = await newAccounts(['Vamshi'], server);
    const target = `ws://${at(host, server.port)}`;
    const asked = { library: LIBRARY, host: target, token };
    const page = await pageAt(`http://${at(host, server.port)}/healthz`);
    assert.equal(await page.run(tryIt, asked), 'came in as Vamshi');
    const stranger = await pageAt(`http://${at(host, another.port)}/healthz`);
    assert.equal(await stranger.run(tryIt, asked), `Cannot connect to ${target}/native: the connection failed`);
    assert.deepEqual(stranger.failures, ['Error during WebSocket handshake: Unexpected response code: 403']);
  });
}
