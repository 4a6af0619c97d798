// Opening a pseudo terminal, which Node cannot: the one native module of this program, loaded by the process of a terminal
// alone. docs/decisions/0023-terminals.md says why it is used in this way and in no other.

import { createRequire } from 'node:module';
import { arch, platform } from 'node:process';
import type { TerminalSize } from '../core/ports.ts';
import type { Identity } from './control.ts';

/** What of @lydell/node-pty 1.1.0's binary is used. */
interface Native {
  /** forkpty(3), then execvp(3); `done` is told once how it ended. */
  fork(
    file: string,
    args: readonly string[],
    env: readonly string[],
    cwd: string,
    columns: number,
    rows: number,
    uid: number,
    gid: number,
    isUtf8: boolean,
    helper: string,
    done: (code: number, signal: number) => void,
  ): { readonly fd: number; readonly pid: number; readonly pty: string };
  resize(fd: number, columns: number, rows: number): void;
}

export interface Pty {
  /** The side of whoever looks at the terminal; does not block. */
  readonly fd: number;
  readonly pid: number;
  /** As the command knows it: /dev/pts/7. */
  readonly path: string;
}

export interface Forked {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly identity: Identity | undefined;
  readonly size: TerminalSize;
  readonly onExit: (code: number, signal: number) => void;
}

const HERE = `${platform}-${arch}`;
let loaded: Native | undefined;

/** Throws an Error with the reason where there is none for this machine. */
function native(): Native {
  try {
    // A module that is there on some machines only, and no ES module.
    const found: Native = createRequire(import.meta.url)(`@lydell/node-pty-${HERE}/pty.node`);
    return (loaded ??= found);
  } catch (error) {
    const why = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    throw new Error(`what opens terminals cannot be used on ${HERE}: ${why}`, { cause: error });
  }
}

/** Starts a command in a terminal of its own, in the directory of this process. */
export function forkPty({ file, args, env, identity, size, onExit }: Forked): Pty {
  const { uid, gid } = identity ?? { uid: -1, gid: -1 };
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const { columns, rows } = size;
  const { fd, pid, pty } = native().fork(file, args, variables, '', columns, rows, uid, gid, true, '', onExit);
  return { fd, pid, path: pty };
}

export function resizePty({ fd }: Pty, { columns, rows }: TerminalSize): void {
  native().resize(fd, columns, rows);
}
