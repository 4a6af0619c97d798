// A journal whose database takes nothing out of its log while it is held, as after a flood that it has not got through.

import { copyFileSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Worker } from 'node:worker_threads';
import { openSqliteJournal } from '../../src/journal/sqlite.ts';
import { aDirectory } from './directory.ts';

interface Holding {
  readonly path?: string;
  readonly isHeld?: boolean;
  readonly maxRecent?: number;
}

/** `isHeld`: from the start. */
export async function aHeldJournal(
  t: TestContext,
  { path = join(aDirectory(t), 'journal'), isHeld = false, maxRecent }: Holding = {},
) {
  const kept: (() => void)[] = [];
  const holdBack = (worker: Worker) => {
    const tell = worker.postMessage.bind(worker);
    t.mock.method(worker, 'postMessage', (message: object | string) => {
      if (isHeld && typeof message === 'object' && 'index' in message) kept.push(() => tell(message));
      else tell(message);
    });
  };
  process.on('worker', holdBack);
  const opened = await openSqliteJournal({ path, ...(maxRecent === undefined ? {} : { maxRecent }) });
  process.off('worker', holdBack);
  const hold = () => void (isHeld = true);
  const letGo = () => {
    isHeld = false;
    for (const tell of kept.splice(0)) tell();
  };
  t.after(() => {
    letGo();
    return opened.journal.close();
  });
  return { ...opened, path, hold, letGo };
}

/** What a server leaves whose machine is killed: it goes on with its own. */
export function copyAsKilled(path: string, to: string): void {
  for (const name of readdirSync(dirname(path))) {
    if (name.startsWith(basename(path)) && !name.endsWith('-shm')) {
      copyFileSync(join(dirname(path), name), to + name.slice(basename(path).length));
    }
  }
}
