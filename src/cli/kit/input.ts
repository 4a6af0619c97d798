// What commands read of standard input: a text, or a line at a time; and what is typed on a terminal without being shown.

const TOO_LONG = undefined;
/** Characters of a line that is asked for: a password, or a code. */
const MAX_LINE_LENGTH = 4_096;

/** All of standard input less one line end; undefined: it is longer, or not UTF-8. */
export async function readInput(maxBytes: number): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of process.stdin) {
    const bytes: Uint8Array = chunk;
    chunks.push(bytes);
    length += bytes.length;
    // A line end more than what may be sent.
    if (length > maxBytes + 2) return TOO_LONG;
  }
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(chunks));
    const trimmed = text.replace(/\r?\n$/, '');
    return Buffer.byteLength(trimmed) > maxBytes ? TOO_LONG : trimmed;
  } catch {
    return TOO_LONG;
  }
}

/** What is used of standard input; a test brings its own. */
export interface Keyboard {
  readonly isTTY?: boolean;
  setRawMode?(mode: boolean): unknown;
  on(event: 'data', listener: (chunk: Buffer) => void): this;
  on(event: 'end', listener: () => void): this;
  off(event: 'data', listener: (chunk: Buffer) => void): this;
  off(event: 'end', listener: () => void): this;
  pause(): this;
  resume(): this;
}

export interface Asking {
  readonly input: Keyboard;
  readonly output: { write(text: string): unknown };
}

/** `interrupted`: somebody pressed Ctrl-C. */
export type Typed = { readonly line: string } | 'end' | 'interrupted';

const THIS_TERMINAL: Asking = { input: process.stdin, output: process.stderr };

/** Lines of standard input one after another, and answers typed on a terminal, of which nothing is shown. */
export class Questions {
  readonly #asking: Asking;
  #rest = '';
  #hasEnded = false;

  constructor(asking: Asking = THIS_TERMINAL) {
    this.#asking = asking;
    // It may end between two questions, and says so once.
    asking.input.on('end', () => (this.#hasEnded = true));
  }

  get isTerminal(): boolean {
    return this.#asking.input.isTTY === true;
  }

  /** A line to whoever types. */
  say(text: string): void {
    this.#asking.output.write(`${text}\n`);
  }

  /** On a terminal it is asked for; elsewhere it is the next line. */
  async ask(prompt: string): Promise<Typed> {
    const { input, output } = this.#asking;
    if (!this.isTerminal) return this.#line(readLine);
    // First: whoever types as soon as they are asked is not shown either.
    input.setRawMode?.(true);
    output.write(prompt);
    try {
      return await this.#line(readKeys);
    } finally {
      input.setRawMode?.(false);
      output.write('\n');
    }
  }

  /** The next line, shown as it is typed. */
  async askShown(prompt: string): Promise<Typed> {
    this.#asking.output.write(prompt);
    const typed = await this.#line(readLine);
    if (!this.isTerminal) this.#asking.output.write('\n');
    return typed;
  }

  #line(read: (text: string) => Read): Promise<Typed> {
    const { input } = this.#asking;
    return new Promise((resolve) => {
      const utf8 = new TextDecoder();
      const look = (): boolean => {
        const found = read(this.#rest);
        if (found !== undefined) this.#rest = found.rest;
        if (found !== undefined) return finish(found.typed);
        if (this.#rest.length > MAX_LINE_LENGTH) return finish('end');
        if (!this.#hasEnded) return false;
        const last = this.#rest;
        this.#rest = '';
        return finish(last === '' ? 'end' : { line: last.replace(/\r$/, '') });
      };
      const onData = (chunk: Buffer) => {
        this.#rest += utf8.decode(chunk, { stream: true });
        look();
      };
      const onEnd = () => {
        this.#hasEnded = true;
        look();
      };
      const finish = (typed: Typed): true => {
        input.off('data', onData).off('end', onEnd).pause();
        resolve(typed);
        return true;
      };
      if (look()) return;
      input.on('data', onData).on('end', onEnd).resume();
    });
  }
}

type Read = { readonly typed: Typed; readonly rest: string } | undefined;

function readLine(text: string): Read {
  const end = text.indexOf('\n');
  return end === -1 ? undefined : { typed: { line: text.slice(0, end).replace(/\r$/, '') }, rest: text.slice(end + 1) };
}

/** A terminal that shows nothing hands over keys: Enter ends, Backspace takes back, Ctrl-U takes all back. */
function readKeys(text: string): Read {
  let line: string[] = [];
  const keys = Array.from(text);
  for (const [at, key] of keys.entries()) {
    const rest = () => keys.slice(at + 1).join('');
    if (key === '\r' || key === '\n') return { typed: { line: line.join('') }, rest: rest() };
    if (key === '\u0003') return { typed: 'interrupted', rest: rest() };
    if (key === '\u0004' && line.length === 0) return { typed: 'end', rest: rest() };
    if (key === '\u007f' || key === '\b') line.pop();
    else if (key === '\u0015') line = [];
    else line.push(key);
  }
  return undefined;
}
