// `partyline run`: a command on the server, with its input, its outputs and its status as they were.

import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { connectAsOwner, type NativeClient } from '../client/native.ts';
import {
  refusalOfLength,
  startRun,
  type OutputName,
  type RunEnd,
  type RunHandle,
  type RunWishes,
} from '../client/run.ts';
import { stateDirectory } from '../config/state.ts';
import { MAX_TIMEOUT_MS } from '../protocol/native/methods.ts';
import { Utf8Pieces, type Piece } from '../protocol/native/utf8.ts';
import { quote } from '../protocol/text.ts';

/** What a server calls it, in its directory. */
const TOKEN_FILE = 'owner.token';

export const HELP = `Run a command on a server: its input, its output and its status as they are there

Usage: partyline run [HOST] [OPTION...] -- COMMAND [ARG...]

HOST is [SCHEME://]HOST[:PORT], else PARTYLINE_HOST, else localhost. One argument after -- is a line for /bin/sh; several
are a program and its arguments, which no shell sees.

  --on TARGETS       where to run it; without it on the server itself
  --timeout SECONDS  end it after so long (status 124)
  --json             one JSON object a line instead of the bytes: host, stream and data (or dataBase64), at the end
                     host, result and status

The status is the command's own; 128+N if it died of signal N, 124 after the timeout, 126 or 127 if it could not be
started, 130 or 143 if it was interrupted here, 255 for everything that went wrong on the way to it.

The owner token is read from PARTYLINE_TOKEN_FILE, else from ${TOKEN_FILE} in PARTYLINE_DATA or the platform's
state directory. It proves who is there and is never sent.

Examples:
  partyline run -- 'uptime; df -h | head -3'
  partyline run localhost -- ls -l '/tmp/a file'
  partyline run ::1 --timeout 10 -- make test < input > output
  partyline run --json -- 'date -u' | jq -r .data
`;

/** Everything that went wrong here and not in the command, as ssh has it. */
const OWN_FAILURE = 255;
const INTERRUPTED = { SIGINT: 130, SIGTERM: 143 } as const;
type Interruption = keyof typeof INTERRUPTED;
/** Milliseconds for the server to say that an interrupted command has ended. */
const CANCEL_TIMEOUT_MS = 10_000;

interface Wishes extends RunWishes {
  readonly host: string;
  readonly isJson: boolean;
}

export async function run(args: string[]): Promise<number> {
  const wishes = readArguments(args);
  if (typeof wishes === 'string') return fail(`partyline run: ${wishes}`);
  const interruption = watchSignals();
  try {
    const client = await connectAsOwner(wishes.host, { tokenFile: tokenFile(), signal: interruption.signal });
    const outlet = new Outlet(wishes, 'refused' in client ? wishes.host : client.serverName);
    if ('refused' in client) return outlet.fail('lost', client.refused);
    return await runOn(client, wishes, { outlet, interruption });
  } catch (error) {
    if (interruption.name === undefined) throw error;
    return INTERRUPTED[interruption.name];
  } finally {
    interruption.stop();
  }
}

function tokenFile(): string {
  return process.env['PARTYLINE_TOKEN_FILE'] || join(stateDirectory(), TOKEN_FILE);
}

function readArguments(args: string[]): Wishes | string {
  const dashes = args.indexOf('--');
  if (dashes < 0) return 'a -- is missing before the command; see partyline run --help';
  const words = args.slice(dashes + 1);
  const [only] = words;
  if (only === undefined) return 'a command is missing after --; see partyline run --help';
  let parsed;
  try {
    parsed = parseArgs({
      args: args.slice(0, dashes),
      allowPositionals: true,
      options: { on: { type: 'string' }, timeout: { type: 'string' }, json: { type: 'boolean', default: false } },
    });
  } catch (error) {
    return error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
  }
  const { values, positionals } = parsed;
  if (positionals.length > 1) return `one HOST before --, not ${positionals.length}`;
  const timeoutMs = values.timeout === undefined ? undefined : parseSeconds(values.timeout);
  if (timeoutMs === null)
    return `--timeout takes seconds, up to ${MAX_TIMEOUT_MS / 1_000}, not ${quote(values.timeout ?? '')}`;
  const command = words.length === 1 ? { shell: only } : { argv: words };
  const tooLong = refusalOfLength(command);
  if (tooLong !== undefined) return tooLong;
  return {
    host: positionals[0] ?? (process.env['PARTYLINE_HOST'] || 'localhost'),
    isJson: values.json,
    command,
    ...(values.on === undefined ? {} : { on: values.on }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  };
}

function parseSeconds(text: string): number | null {
  const milliseconds = /^(?:\d+\.?\d*|\.\d+)$/.test(text) ? Math.ceil(Number(text) * 1_000) : 0;
  return milliseconds >= 1 && milliseconds <= MAX_TIMEOUT_MS ? milliseconds : null;
}

/** SIGINT and SIGTERM: the first ends the command, the second ends us. */
interface InterruptionWatch {
  readonly name: Interruption | undefined;
  readonly signal: AbortSignal;
  stop(): void;
}

function watchSignals(): InterruptionWatch {
  const abort = new AbortController();
  let first: Interruption | undefined;
  const onSignal = (name: NodeJS.Signals) => {
    if (name !== 'SIGINT' && name !== 'SIGTERM') return;
    if (first !== undefined) process.exit(INTERRUPTED[name]);
    first = name;
    abort.abort();
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  return {
    get name() {
      return first;
    },
    signal: abort.signal,
    stop: () => process.off('SIGINT', onSignal).off('SIGTERM', onSignal),
  };
}

interface Around {
  readonly outlet: Outlet;
  readonly interruption: InterruptionWatch;
}

async function runOn(client: NativeClient, wishes: Wishes, { outlet, interruption }: Around): Promise<number> {
  const input = process.stdin;
  const { command, on, timeoutMs } = wishes;
  const request = { command, ...(on === undefined ? {} : { on }), ...(timeoutMs === undefined ? {} : { timeoutMs }) };
  const handle = startRun(client, request, {
    onOutput: (name, bytes, done) => outlet.write(name, bytes, done),
    onOutputEnd: (name) => outlet.end(name),
    onInputRoom: () => input.resume(),
    onInputClosed: () => input.destroy(),
  });
  outlet.onBroken((name) => handle.dropOutput(name));
  passOn(input, handle);
  const ended = await unlessInterrupted(handle, { outlet, interruption });
  input.destroy();
  client.close();
  const status = outlet.conclude(ended);
  await outlet.flushed(interruption);
  return interruption.name === undefined ? (outlet.failure() ?? status) : INTERRUPTED[interruption.name];
}

function passOn(input: typeof process.stdin, handle: RunHandle): void {
  input.on('data', (chunk: Uint8Array) => {
    if (!handle.write(chunk)) input.pause();
  });
  input.on('end', () => handle.endInput());
  // A directory, or a terminal that went away: as good as an end.
  input.on('error', () => handle.endInput());
}

async function unlessInterrupted(handle: RunHandle, { outlet, interruption }: Around): Promise<RunEnd> {
  let timer: NodeJS.Timeout | undefined;
  const gaveUp = new Promise<RunEnd>((resolve) => {
    const cancel = () => {
      outlet.hurry();
      handle.cancel();
      const reason = `the server did not confirm within ${CANCEL_TIMEOUT_MS / 1_000} s that the command has ended`;
      timer = setTimeout(() => resolve({ end: 'lost', reason }), CANCEL_TIMEOUT_MS);
    };
    if (interruption.signal.aborted) cancel();
    else interruption.signal.addEventListener('abort', cancel, { once: true });
  });
  const ended = await Promise.race([handle.ended, gaveUp]);
  clearTimeout(timer);
  return ended;
}

type Done = () => void;

/** Our own two outputs. A reader that is gone ends the command's output, not us. */
class Outlet {
  readonly #host: string;
  readonly #isJson: boolean;
  readonly #pieces = { stdout: new Utf8Pieces(), stderr: new Utf8Pieces() };
  readonly #streams = { stdout: process.stdout, stderr: process.stderr };
  #waitingBytes = 0;
  readonly #waiting = new Set<Done>();
  #isHurried = false;
  #failure: string | undefined;

  constructor({ isJson }: Wishes, host: string) {
    this.#isJson = isJson;
    this.#host = host;
  }

  onBroken(drop: (name: OutputName) => void): void {
    const names: OutputName[] = ['stdout', 'stderr'];
    for (const name of names) {
      // Whoever listened before knew nothing of a command that has to be told.
      this.#streams[name].removeAllListeners('error').on('error', (error: NodeJS.ErrnoException) => {
        if (error.code !== 'EPIPE') this.#failure ??= `Cannot write ${name}: ${error.code ?? error.message}`;
        drop(name);
        if (this.#isJson && name === 'stdout') drop('stderr');
      });
    }
  }

  write(name: OutputName, bytes: Uint8Array, done: Done): void {
    // Whoever interrupted us no longer reads: what it does not take now, it does not get.
    if (this.#isHurried && this.#waitingBytes > 0) return done();
    if (this.#isJson) this.#tellPiece(name, this.#pieces[name].push(bytes), done);
    else this.#put(name, bytes, done);
  }

  end(name: OutputName): void {
    if (this.#isJson) this.#tellPiece(name, this.#pieces[name].end(), () => {});
  }

  /** From now on nothing waits for a reader that has stopped, so that the end of the command can come through. */
  hurry(): void {
    this.#isHurried = true;
    for (const done of this.#waiting) done();
    this.#waiting.clear();
  }

  /** Says what is to be said of how it ended, and gives the status for it. */
  conclude(ended: RunEnd): number {
    switch (ended.end) {
      case 'refused':
        return this.fail('denied', ended.message);
      case 'lost':
        return this.fail('lost', `Cannot tell how the command ended: ${ended.reason}`);
      case 'ended':
    }
    const { result, status, reason } = ended;
    this.#tell({ result, status });
    if (result === 'cancelled' && reason !== undefined) say(`The command was ended: ${reason}`);
    return status;
  }

  fail(result: 'denied' | 'lost', why: string): number {
    this.#tell({ result, status: null, reason: why });
    return fail(why);
  }

  /** Why our own output could not be written, said on stderr; a reader that has seen enough is no failure. */
  failure(): number | undefined {
    return this.#failure === undefined ? undefined : fail(this.#failure);
  }

  async flushed(interruption: InterruptionWatch): Promise<void> {
    if (interruption.name !== undefined && this.#waitingBytes > 0) process.exit(INTERRUPTED[interruption.name]);
    const left = Object.values(this.#streams).map(
      (stream) =>
        new Promise<void>((resolve) => {
          if (stream.writableLength === 0 || stream.destroyed) resolve();
          else stream.write('', () => resolve());
        }),
    );
    const interrupted = new Promise<void>((resolve) => {
      interruption.signal.addEventListener('abort', () => resolve(), { once: true });
    });
    await Promise.race([Promise.all(left), interrupted]);
  }

  #tellPiece(name: OutputName, piece: Piece | undefined, done: Done): void {
    if (piece === undefined) return done();
    if ('text' in piece) this.#tell({ stream: name, data: piece.text }, done);
    else this.#tell({ stream: name, dataBase64: Buffer.from(piece.bytes).toString('base64') }, done);
  }

  #tell(fields: object, done: Done = () => {}): void {
    if (!this.#isJson) return done();
    this.#put('stdout', `${JSON.stringify({ host: this.#host, ...fields })}\n`, done);
  }

  #put(name: OutputName, bytes: Uint8Array | string, done: Done): void {
    this.#waitingBytes += bytes.length;
    const once = () => done();
    this.#waiting.add(once);
    this.#streams[name].write(bytes, () => {
      this.#waitingBytes -= bytes.length;
      if (this.#waiting.delete(once)) once();
    });
  }
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

function fail(why: string): number {
  say(why);
  return OWN_FAILURE;
}
