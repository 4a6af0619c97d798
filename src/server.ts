// The composition root: with server/ the only place that knows every room. It locks the data directory, builds the core and
// its doors, opens the listeners, and shuts all of it down again in order.

import { join } from 'node:path';
import { lockDirectory } from './config/lock.ts';
import type { Journal } from './core/journal.ts';
import type { LocalRunner } from './core/ports.ts';
import type { Door } from './doors/door.ts';
import { openSqliteJournal } from './journal/sqlite.ts';
import type { Front } from './net/front.ts';
import { bind, type Listener } from './net/listen.ts';
import { ensureOwnerToken } from './net/owner.ts';
import { TlsServer } from './net/tls-server.ts';
import { openPolicy } from './policy.ts';
import { formatDate } from './protocol/date.ts';
import { createRunner } from './runner/runner.ts';
import { openCore, type Core } from './server/core.ts';
import { furnish } from './server/furnish.ts';
import { namesOf } from './server/names.ts';
import type { ServerOptions } from './server/options.ts';

export interface RunningServer {
  /** Stops accepting, tells everyone, flushes; whoever has not ended within 3 s is cut. */
  close(): Promise<void>;
  /** Takes up a new certificate, for new connections, and a new policy, for new commands. */
  reload(): void;
}

/** In the data directory. */
const JOURNAL = 'journal.db';
const POLICY = 'policy.toml';
/** All must be over 5 s after the signal. */
const CLOSE_GRACE_MS = 3_000;

/** Throws an Error whose message says what was attempted and what is true now; a directory that it made is gone then. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { log, directory, now = Date.now } = options;
  log.tell(starting(now()));
  const lock = lockDirectory(directory);
  const listeners: Listener[] = [];
  let journal: Journal | undefined;
  let runner: LocalRunner | undefined;
  let core: Core | undefined;
  try {
    const opened = await openSqliteJournal({
      path: join(directory, JOURNAL),
      onDoubt: (reason) => log.warn('messages may be missing', { reason }),
      now,
    });
    journal = opened.journal;
    const policy = openPolicy({ path: join(directory, POLICY), isServerOpen: options.runAs !== undefined, log });
    runner = createRunner({
      directory: join(directory, 'pipes'),
      user: options.runAs,
      log,
    });
    core = await openCore(options, { ...opened, runner, now });
    const token = await ensureOwnerToken(directory);
    const tls = new TlsServer({ directory, files: options.tls, names: namesOf(options.listen), now, log });
    const listening = () => ({
      urls: listeners.map(({ url }) => url),
      // One for each name: it has an address or more in each family.
      names: [...new Set(listeners.flatMap(({ named = [] }) => named))],
    });
    const { doors, front } = furnish(options, { token, tls, runner, policy, now, core, listening });
    for (const listen of options.listen) {
      const bound = await bind(listen, (socket) => front.receive(socket, listen.scheme), {
        onAcceptError: ({ message }) => log.warn('connection lost', { reason: message }),
      });
      listeners.push(...bound.listeners);
      for (const warning of bound.warnings) log.warn(warning);
    }
    for (const { url } of listeners) log.tell({ event: 'listening', text: `listening on ${url}`, url });
    log.tell({ event: 'ready', text: 'ready' });
    const whole = { listeners, front, doors, runner, core, lock };
    return {
      close: () => closeAll(whole),
      reload() {
        tls.reload();
        policy.reload();
      },
    };
  } catch (error) {
    for (const listener of listeners) listener.close();
    await runner?.close();
    if (core === undefined) await journal?.close();
    else await core.close(AbortSignal.timeout(CLOSE_GRACE_MS));
    // By a listener that was bound in time somebody may have come in, and what was said then is kept.
    if (core === undefined || core.hub.head === 0) lock.discard();
    else lock.release();
    throw error;
  }
}

function starting(atMs: number) {
  return {
    event: 'starting',
    text: `server starting at date_time = ${formatDate(atMs)}`,
    at: new Date(atMs).toISOString(),
  };
}

interface Whole {
  readonly listeners: readonly Listener[];
  readonly front: Front;
  readonly doors: readonly Door[];
  readonly runner: LocalRunner;
  readonly core: Core;
  readonly lock: { release(): void };
}

async function closeAll({ listeners, front, doors, runner, core, lock }: Whole): Promise<void> {
  for (const listener of listeners) listener.close();
  front.close();
  const signal = AbortSignal.timeout(CLOSE_GRACE_MS);
  // Whatever of it fails, nothing is left open: the next server has the directory from then on.
  try {
    await Promise.all([...doors.map((door) => door.close(signal)), runner.close()]);
  } finally {
    await core.close(signal).finally(() => lock.release());
  }
}
