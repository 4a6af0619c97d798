// The DevTools protocol over the two pipes of `--remote-debugging-pipe`: JSON messages, each ended by a NUL.

import type { Readable, Writable } from 'node:stream';

/** A wait that takes longer has failed; a cold start on a loaded machine takes some seconds. */
const PATIENCE_MS = 30_000;

export type Fields = Record<string, unknown>;

/** What the browser says, of which it is asked here what is read. */
interface Told {
  readonly id?: number;
  readonly sessionId?: string;
  readonly method?: string;
  readonly params?: Fields;
  readonly result?: Fields;
  readonly error?: { readonly message: string };
}

export interface Happening {
  readonly sessionId: string | undefined;
  readonly method: string;
  readonly params: Fields;
}

export class DevTools {
  readonly #commands: Writable;
  readonly #waiting = new Map<number, (told: Told) => void>();
  readonly #listeners = new Set<(happening: Happening) => void>();
  #count = 0;
  #isOver = false;

  constructor(commands: Writable, answers: Readable) {
    this.#commands = commands;
    commands.on('error', () => {});
    let rest = '';
    answers.setEncoding('utf8').on('data', (chunk: string) => {
      const messages = (rest + chunk).split('\0');
      rest = messages.pop() ?? '';
      for (const message of messages) this.#hear(JSON.parse(message));
    });
    answers.on('close', () => {
      this.#isOver = true;
      for (const settle of this.#waiting.values()) settle({ error: { message: 'the browser has gone' } });
    });
  }

  /** Rejects if the browser refuses, goes, or takes too long. */
  async ask(method: string, params: Fields = {}, sessionId?: string): Promise<Fields> {
    if (this.#isOver) throw new Error(`${method}: the browser has gone`);
    const id = ++this.#count;
    const told = await new Promise<Told>((resolve) => {
      const late = () => resolve({ error: { message: 'waited in vain for an answer' } });
      const timer = setTimeout(late, PATIENCE_MS);
      this.#waiting.set(id, (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
      this.#commands.write(`${JSON.stringify({ id, method, params, ...(sessionId && { sessionId }) })}\0`);
    });
    this.#waiting.delete(id);
    if (told.error !== undefined) throw new Error(`${method}: ${told.error.message}`);
    return told.result ?? {};
  }

  /** Calls back with whatever happens, until the returned function is called. */
  listen(listener: (happening: Happening) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #hear({ id, sessionId, method, params = {}, ...answer }: Told): void {
    if (id !== undefined) this.#waiting.get(id)?.(answer);
    else if (method !== undefined) for (const listener of this.#listeners) listener({ sessionId, method, params });
  }
}
