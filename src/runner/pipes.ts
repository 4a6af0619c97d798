// The three pipes of a run. They are FIFOs, because what Node calls a pipe is a pair of sockets, and a command that
// opens /dev/stdout or /dev/stderr (`tee /dev/stderr`) then fails with ENXIO. A set is used once: a command that
// outlived its run can never meet the bytes of another.

import { closeSync, constants, fchownSync, openSync, unlinkSync } from 'node:fs';
import type { Identity } from './control.ts';

const { O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY } = constants;

/** Standard input, output, error, in the order of their numbers. */
export type Three<Item> = readonly [Item, Item, Item];

export function pathsOf(directory: string, id: number): Three<string> {
  return [`${directory}/${id}-in`, `${directory}/${id}-out`, `${directory}/${id}-err`];
}

export interface ServerEnds {
  /** Keeps the reader of standard input from meeting an end before there is a writer. */
  readonly hold: number;
  readonly paths: Three<string>;
  readonly stdin: number;
  readonly stdout: number;
  readonly stderr: number;
}

/** The server's side comes first. None of these opens waits for the other side. */
export function openServerEnds(paths: Three<string>): ServerEnds {
  const [stdin, stdout, stderr] = paths;
  return allOrNone((open) => ({
    paths,
    hold: open(stdin, O_RDWR | O_NONBLOCK),
    stdin: open(stdin, O_WRONLY | O_NONBLOCK),
    stdout: open(stdout, O_RDONLY | O_NONBLOCK),
    stderr: open(stderr, O_RDONLY | O_NONBLOCK),
  }));
}

/**
 * The command's side, in blocking mode, as commands expect. Each pipe is opened for both directions first: opening one
 * direction of a FIFO waits for the other, and the server may have died a moment ago.
 */
export function openCommandEnds(paths: Three<string>, owner: Identity | undefined): Three<number> {
  return allOrNone((open) => {
    const openEnd = (path: string, direction: number): number => {
      const both = openSync(path, O_RDWR | O_NONBLOCK);
      try {
        // /proc/self/fd/1 is opened anew by `tee /dev/stdout`, with the rights of whom the command runs as.
        if (owner !== undefined) fchownSync(both, owner.uid, owner.gid);
        return open(path, direction);
      } finally {
        closeSync(both);
      }
    };
    return [openEnd(paths[0], O_RDONLY), openEnd(paths[1], O_WRONLY), openEnd(paths[2], O_WRONLY)];
  });
}

/** Whoever holds them keeps them; nobody finds them any more. */
export function unlinkPipes(paths: Three<string>): void {
  for (const path of paths) {
    try {
      unlinkSync(path);
    } catch {
      // Gone with the directory, after the runner process died.
    }
  }
}

/** Soon for a command that opens /dev/stdin at once, and rarely for one that runs for days. */
const FIRST_ROUSE_MS = 5;
const MAX_ROUSE_MS = 200;

/**
 * For an end that the server has closed while the command may still open the other one anew (`cat /dev/stdin`): with
 * a FIFO that waits until somebody opens the closed end, where with a nameless pipe it would not wait. So somebody
 * does, for a moment, now and then; what is read or written meanwhile is not changed by it. Returns how to stop.
 */
export function keepRousing(path: string): () => void {
  let timer: NodeJS.Timeout | undefined;
  const rouse = (nextMs: number): void => {
    try {
      closeSync(openSync(path, O_RDWR | O_NONBLOCK));
    } catch {
      return;
    }
    timer = setTimeout(() => rouse(Math.min(nextMs * 2, MAX_ROUSE_MS)), nextMs);
  };
  rouse(FIRST_ROUSE_MS);
  return () => clearTimeout(timer);
}

function allOrNone<Ends>(openAll: (open: (path: string, flags: number) => number) => Ends): Ends {
  const opened: number[] = [];
  try {
    return openAll((path, flags) => {
      const descriptor = openSync(path, flags);
      opened.push(descriptor);
      return descriptor;
    });
  } catch (error) {
    for (const descriptor of opened) closeSync(descriptor);
    throw error;
  }
}
