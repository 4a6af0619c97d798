// A browser of a test's own: Chromium without a window. A page in it finds the sources of this checkout under its own
// origin, with their types stripped; the server knows nothing of them.

import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { field, isRecord } from '../../src/protocol/native/rpc.ts';
import { DevTools, type Fields } from './devtools.ts';
import { newDirectory, removeDirectory } from './directory.ts';
import { ROOT } from './program.ts';

/** Milliseconds for it to write its last files; then it is ended. */
const CLOSE_GRACE_MS = 5_000;
/** It asks nobody for anything by itself. Root has no sandbox, and a container little shared memory. */
const OPTIONS = [
  '--headless=new',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
  '--remote-debugging-pipe',
  ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
];

export class Browser implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #gone: Promise<unknown>;
  readonly #devTools: DevTools;
  readonly #directory = newDirectory();

  /** Asks for `needs(t, ['chromium'])`. */
  constructor() {
    const options = [...OPTIONS, `--user-data-dir=${this.#directory}`];
    this.#child = spawn('chromium', options, { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
    this.#gone = once(this.#child, 'close');
    const [, , , commands, answers] = this.#child.stdio;
    assert.ok(commands instanceof Writable && answers instanceof Readable);
    this.#devTools = new DevTools(commands, answers);
  }

  /** A page at this address, in a tab of its own. */
  async open(url: string): Promise<Page> {
    const targetId = text(await this.#devTools.ask('Target.createTarget', { url: 'about:blank' }), 'targetId');
    const attached = await this.#devTools.ask('Target.attachToTarget', { targetId, flatten: true });
    const page = new Page(this.#devTools, text(attached, 'sessionId'));
    await page.open(url);
    return page;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), CLOSE_GRACE_MS);
    // It may have gone already, which is what is wanted.
    await this.#devTools.ask('Browser.close').catch(() => {});
    await this.#gone;
    clearTimeout(timer);
    await removeDirectory(this.#directory);
  }
}

export class Page {
  readonly #devTools: DevTools;
  readonly #sessionId: string;
  /** Of the sources, by their paths in this checkout. */
  readonly loaded: string[] = [];
  /** Why a WebSocket did not come about, as no page is told it. */
  readonly failures: string[] = [];

  constructor(devTools: DevTools, sessionId: string) {
    this.#devTools = devTools;
    this.#sessionId = sessionId;
  }

  async open(url: string): Promise<void> {
    const { promise: isLoaded, resolve } = Promise.withResolvers<void>();
    this.#devTools.listen(({ sessionId, method, params }) => {
      if (sessionId !== this.#sessionId) return;
      if (method === 'Fetch.requestPaused') void this.#serve(params);
      else if (method === 'Network.webSocketFrameError') this.failures.push(text(params, 'errorMessage'));
      else if (method === 'Page.loadEventFired') resolve();
    });
    await this.#ask('Network.enable');
    await this.#ask('Page.enable');
    await this.#ask('Fetch.enable', { patterns: [{ urlPattern: '*/src/*' }] });
    const { errorText } = await this.#ask('Page.navigate', { url });
    assert.equal(errorText, undefined);
    await isLoaded;
  }

  /** Runs a function in the page, which knows nothing of what is around it here; what it returns is JSON. */
  async run<Args extends readonly unknown[], Result>(
    work: (...args: Args) => Promise<Result>,
    ...args: Args
  ): Promise<Result> {
    const expression = `(${work.toString()})(...${JSON.stringify(args)})`;
    const answer = await this.#ask('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
    const { exceptionDetails, result } = answer;
    if (exceptionDetails !== undefined) throw new Error(`in the page: ${JSON.stringify(exceptionDetails)}`);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the function returned, over JSON
    return (isRecord(result) ? field(result, 'value') : undefined) as Result;
  }

  /** Answers in the place of the server. */
  async #serve({ requestId, request }: Fields): Promise<void> {
    const path = isRecord(request) ? new URL(text(request, 'url')).pathname : '';
    const source = await readFile(join(ROOT, path), 'utf8').catch(() => undefined);
    if (source === undefined) {
      await this.#ask('Fetch.fulfillRequest', { requestId, responseCode: 404 });
      return;
    }
    this.loaded.push(path);
    await this.#ask('Fetch.fulfillRequest', {
      requestId,
      responseCode: 200,
      responseHeaders: [{ name: 'Content-Type', value: 'text/javascript' }],
      body: Buffer.from(stripTypeScriptTypes(source)).toString('base64'),
    });
  }

  #ask(method: string, params: Fields = {}): Promise<Fields> {
    return this.#devTools.ask(method, params, this.#sessionId);
  }
}

function text(fields: Record<string, unknown>, name: string): string {
  const value = field(fields, name);
  assert.ok(typeof value === 'string', `${name} is ${JSON.stringify(value)}`);
  return value;
}
