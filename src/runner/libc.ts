// Starting a process without copying the one that starts it. `spawn` in Node is fork(2), and copies page tables: 0.6 ms here.
// By the C library's posix_spawn(3) the two have their memory in common until the child executes its program: 0.2 ms, and the
// child is 0.3 ms quicker. Only what Node would do in the same way is done so; where anything is in its way, undefined is
// the answer, and Node's own way is taken, which also says best what was wrong.

import type { DynamicLibraryResult } from 'node:ffi';
import type { Ending } from '../core/run/result.ts';
import type { Three } from './pipes.ts';

export interface QuickStart {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string | undefined;
  /** Standard input, output, error. */
  readonly ends: Three<number>;
}

/** A process that was started, in whatever way. */
export interface Born {
  readonly pid: number;
  /** Told once, in a later turn of the event loop. */
  onExit(tell: (ending: Ending) => void): void;
}

export interface QuickStarts {
  /** In a session of its own, with no signal blocked or ignored; undefined: start it otherwise. */
  start(start: QuickStart): Born | undefined;
}

/** Bytes of what the C library keeps there, with room: 336 of attributes, 80 of actions in glibc and in musl. */
const ATTRIBUTES_BYTES = 512;
const ACTIONS_BYTES = 256;
/** As `sigset_t`. */
const SIGNALS_BYTES = 128;
const POINTER_BYTES = 8;
const INT_BYTES = 4;
/** <spawn.h> and <sys/wait.h> of Linux. */
const POSIX_SPAWN_SETSIGDEF = 0x04;
const POSIX_SPAWN_SETSIGMASK = 0x08;
const POSIX_SPAWN_SETSID = 0x80;
const WNOHANG = 1;
const SIGNAL_BITS = 0x7f;
const CODE_BITS = 0xff;
const CODE_AT = 8;
/** ENOENT, EACCES, ENOTDIR: what execvp(3) passes over in one directory, and goes on with the next. */
const PASSED_OVER = new Set([2, 13, 20]);

const INT = 'int32';
const POINTER = 'buffer';
const FUNCTIONS = {
  getpid: { arguments: [], return: INT },
  waitpid: { arguments: [INT, POINTER, INT], return: INT },
  posix_spawn: { arguments: [POINTER, POINTER, POINTER, POINTER, POINTER, POINTER], return: INT },
  posix_spawnattr_init: { arguments: [POINTER], return: INT },
  posix_spawnattr_setflags: { arguments: [POINTER, 'int16'], return: INT },
  posix_spawnattr_setsigdefault: { arguments: [POINTER, POINTER], return: INT },
  posix_spawn_file_actions_init: { arguments: [POINTER], return: INT },
  posix_spawn_file_actions_adddup2: { arguments: [POINTER, INT, INT], return: INT },
  posix_spawn_file_actions_addchdir_np: { arguments: [POINTER, POINTER], return: INT },
  posix_spawn_file_actions_destroy: { arguments: [POINTER], return: INT },
} as const;

/** Undefined where it is not known to work: another system, another processor, a Node or a C library that has it not. */
export async function findQuickStarts(): Promise<QuickStarts | undefined> {
  // Both write the least byte first.
  const isKnown = process.platform === 'linux' && (process.arch === 'x64' || process.arch === 'arm64');
  if (!isKnown) return undefined;
  try {
    const ffi = await import('node:ffi');
    const { functions } = ffi.dlopen(null, FUNCTIONS);
    if (functions.getpid() !== process.pid) return undefined;
    return quickStarts(functions, ffi.getRawPointer);
  } catch {
    return undefined;
  }
}

type Functions = DynamicLibraryResult<typeof FUNCTIONS>['functions'];
/** A buffer lies outside of the heap: it stays where it is, and so does its address. */
type AddressOf = (bytes: Buffer) => bigint;

function quickStarts(libc: Functions, addressOf: AddressOf): QuickStarts {
  const running = new Map<number, (ending: Ending) => void>();
  // The two as well that glibc keeps for itself, which sigfillset(3) leaves out: it would have them ignored.
  const signals = Buffer.alloc(SIGNALS_BYTES, 0xff);
  const attributes = Buffer.alloc(ATTRIBUTES_BYTES);
  const actions = Buffer.alloc(ACTIONS_BYTES);
  const number = Buffer.alloc(INT_BYTES);
  const status = Buffer.alloc(INT_BYTES);
  libc.posix_spawnattr_init(attributes);
  // Nothing is blocked; the mask is empty from the beginning.
  libc.posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  libc.posix_spawnattr_setsigdefault(attributes, signals);

  // One signal may tell of several, and of children that are Node's.
  process.on('SIGCHLD', () => {
    for (const [pid, tell] of running) {
      if (libc.waitpid(pid, status, WNOHANG) !== pid) continue;
      running.delete(pid);
      tell(endingOf(status.readInt32LE()));
    }
  });

  /** The error's number, or 0. */
  const spawn = (path: string, { ends, cwd }: QuickStart, [args, env]: readonly [Buffer, Buffer]): number => {
    libc.posix_spawn_file_actions_init(actions);
    try {
      for (const [as, end] of ends.entries()) libc.posix_spawn_file_actions_adddup2(actions, end, as);
      if (cwd !== undefined) libc.posix_spawn_file_actions_addchdir_np(actions, Buffer.from(`${cwd}\0`));
      return libc.posix_spawn(number, Buffer.from(`${path}\0`), actions, attributes, args, env);
    } finally {
      libc.posix_spawn_file_actions_destroy(actions);
    }
  };

  return {
    start(start) {
      const { file, args, env, cwd = '' } = start;
      const all = [file, ...args];
      const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
      if ([...all, ...variables, cwd].some((text) => text.includes('\0'))) return undefined;
      const given = [listOf(all, addressOf), listOf(variables, addressOf)] as const;
      for (const path of pathsFor(file, env['PATH'])) {
        const error = spawn(path, start, given);
        if (error !== 0 && PASSED_OVER.has(error)) continue;
        if (error !== 0) break;
        const pid = number.readInt32LE();
        return { pid, onExit: (tell) => running.set(pid, tell) };
      }
      return undefined;
    },
  };
}

/** What waitpid(2) says of a process that is gone. */
function endingOf(said: number): Ending {
  const signal = said & SIGNAL_BITS;
  return signal === 0 ? { kind: 'code', code: (said >> CODE_AT) & CODE_BITS } : { kind: 'signal', signal };
}

/** Where a program may be, as execvp(3) looks for it, in directories that mean the same wherever one is. */
function pathsFor(file: string, path = ''): readonly string[] {
  if (file.includes('/')) return [file];
  const directories = file === '' ? [] : path.split(':');
  return directories.every((directory) => directory.startsWith('/'))
    ? directories.map((directory) => `${directory}/${file}`)
    : [];
}

/** A list of texts as C has it: addresses, a last one that is none, and behind them what they lead to. */
function listOf(texts: readonly string[], addressOf: AddressOf): Buffer {
  const first = (texts.length + 1) * POINTER_BYTES;
  const length = texts.reduce((sum, text) => sum + Buffer.byteLength(text) + 1, first);
  const list = Buffer.alloc(length);
  const base = addressOf(list);
  let at = first;
  for (const [index, text] of texts.entries()) {
    list.writeBigUInt64LE(base + BigInt(at), index * POINTER_BYTES);
    at += list.write(text, at) + 1;
  }
  return list;
}
