// `--out DIR`: a file for each machine and stream. What is there is looked at before anything starts; a file that an earlier
// run has left is emptied at the beginning, and nothing else is touched: no link is followed, and no pipe is waited for.

import {
  accessSync,
  closeSync,
  constants,
  createWriteStream,
  fstatSync,
  ftruncateSync,
  lstatSync,
  openSync,
} from 'node:fs';
import type { Stats, WriteStream } from 'node:fs';
import { join } from 'node:path';
import type { OutputName } from '../../client/run.ts';
import { codeOf, wordsFor } from '../../config/files.ts';
import { quote } from '../../protocol/text.ts';
import type { HostResult } from '../../protocol/summary.ts';
import type { Drop, View } from './view.ts';

const { O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_WRONLY, W_OK, X_OK } = constants;
/** Windows has neither of the two. */
const SAFELY = O_WRONLY | (O_NOFOLLOW ?? 0) | (O_NONBLOCK ?? 0);
const STREAMS: readonly OutputName[] = ['stdout', 'stderr'];

/** What is said otherwise than of a file of the user's own. */
const WHY: Readonly<Record<string, string>> = {
  ELOOP: 'it is a symbolic link',
  EISDIR: 'it is a directory',
  ENOENT: 'it is not there',
  ENXIO: 'it is no file',
};

/** Why what these machines say could not be written into that directory, which is there. */
export function faultOfFiles(directory: string, hosts: readonly string[]): string | undefined {
  const found = whyOf(() => accessSync(directory, W_OK | X_OK));
  if (found !== undefined) return `Cannot write into ${quote(directory)}: ${found}; nothing was started`;
  return firstFault(directory, hosts, { verb: 'write', attempt: look });
}

/**
 * The run begins: what an earlier one has left must not look like what this one says. Emptied, not removed: that may be done
 * to whatever may be written, and who may read it stays as it is. Looked at once more before, for somebody may have been
 * waited for meanwhile; why it could not be done.
 */
export function emptyFiles(directory: string, hosts: readonly string[]): string | undefined {
  return faultOfFiles(directory, hosts) ?? firstFault(directory, hosts, { verb: 'empty', attempt: empty });
}

interface Attempt {
  /** As it is called where it fails. */
  readonly verb: string;
  readonly attempt: (path: string) => void;
}

function firstFault(directory: string, hosts: readonly string[], { verb, attempt }: Attempt): string | undefined {
  for (const host of hosts) {
    for (const stream of STREAMS) {
      const path = pathOf(directory, host, stream);
      const why = whyOf(() => attempt(path));
      if (why !== undefined) return `Cannot ${verb} ${quote(path)}: ${why}; nothing was started`;
    }
  }
  return undefined;
}

/** `DIR/web1.stdout` and `DIR/web1.stderr`, in a directory that is there, byte for byte; none is made for what is empty. How it ended `ends` tells. */
export class FileView implements View {
  readonly #directory: string;
  /** Undefined: it could not be opened. */
  readonly #files = new Map<string, WriteStream | undefined>();
  readonly #drop: Drop;
  readonly #ends: View;
  #failure: string | undefined;

  constructor(directory: string, { drop, ends }: { readonly drop: Drop; readonly ends: View }) {
    this.#directory = directory;
    this.#drop = drop;
    this.#ends = ends;
  }

  get failure(): string | undefined {
    return this.#failure ?? this.#ends.failure;
  }

  get isBehind(): boolean {
    return this.#ends.isBehind;
  }

  hurry(): void {
    this.#ends.hurry();
  }

  output(host: string, { stream, bytes }: { stream: OutputName; bytes: Uint8Array }, done: () => void): void {
    const file = this.#file(host, stream);
    if (file === undefined) done();
    else file.write(bytes, () => done());
  }

  outputEnd(host: string, stream: OutputName): void {
    this.#files.get(pathOf(this.#directory, host, stream))?.end();
  }

  ended(host: string, result: HostResult, reason: string | undefined): void {
    this.#ends.ended(host, result, reason);
  }

  async close(): Promise<void> {
    const open = [...this.#files.values()].filter((file) => file !== undefined && !file.closed);
    await Promise.all(open.map((file) => new Promise<void>((resolve) => file?.once('close', resolve).end())));
    await this.#ends.close();
  }

  #file(host: string, stream: OutputName): WriteStream | undefined {
    const path = pathOf(this.#directory, host, stream);
    if (this.#files.has(path)) return this.#files.get(path);
    const onError = (error: unknown) => {
      this.#failure ??= `Cannot write ${path}: ${whyFailed(error)}`;
      this.#drop(stream, host);
    };
    let file: WriteStream | undefined;
    try {
      file = createWriteStream(path, { fd: open(path) }).on('error', onError);
    } catch (error) {
      onError(error);
    }
    this.#files.set(path, file);
    return file;
  }
}

/** A name has no slash and begins with no dot: the file is in the directory. */
function pathOf(directory: string, host: string, stream: OutputName): string {
  return join(directory, `${host}.${stream}`);
}

/** That a file could be written there, or made: opened is only what is a file, since to open is to do something to a device. */
function look(path: string): void {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return;
  if (!stats.isFile()) throw new NoFile(stats);
  closeSync(openSync(path, SAFELY));
}

function empty(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) closeSync(open(path));
}

/** Looked at once more: something else may be there by now. */
function open(path: string): number {
  const descriptor = openSync(path, SAFELY | O_CREAT, 0o666);
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) throw new NoFile(stats);
    ftruncateSync(descriptor);
    return descriptor;
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

class NoFile extends Error {
  constructor(stats: Stats) {
    super(`it is ${kindOf(stats)}`);
  }
}

function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return 'a directory';
  if (stats.isSymbolicLink()) return 'a symbolic link';
  if (stats.isFIFO()) return 'a named pipe';
  if (stats.isSocket()) return 'a socket';
  return 'a device';
}

function whyOf(attempt: () => unknown): string | undefined {
  try {
    attempt();
    return undefined;
  } catch (error) {
    return whyFailed(error);
  }
}

function whyFailed(error: unknown): string {
  return WHY[codeOf(error)] ?? wordsFor(error);
}
