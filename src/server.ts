// The composition root: the only file that knows every room. It locks the data directory, builds the core and its
// doors, opens the listeners, and shuts all of it down again in order.

import { hostname } from 'node:os';
import { join } from 'node:path';
import { lockDirectory } from './config/lock.ts';
import { Accounts } from './core/accounts.ts';
import { ALL } from './core/chat/send.ts';
import type { Secrets } from './core/credentials.ts';
import { Guesses } from './core/guesses.ts';
import { Hosts } from './core/hosts.ts';
import { Hub } from './core/hub.ts';
import type { Everything, Journal } from './core/journal.ts';
import { isSameName, parseName } from './core/name.ts';
import type { LocalRunner } from './core/ports.ts';
import type { Rate } from './core/rate.ts';
import { Approvals } from './core/run/approvals.ts';
import type { RunPolicy } from './core/run/policy.ts';
import { Detachments, placesOfDetached } from './core/run/detachments.ts';
import { Records } from './core/run/records.ts';
import { DetachedRuns } from './detached/detached-runs.ts';
import type { Door } from './doors/door.ts';
import { EchoDoor } from './doors/echo/door.ts';
import { HttpDoor } from './doors/http/door.ts';
import { LineDoor } from './doors/line/door.ts';
import { NativeDoor } from './doors/native/door.ts';
import { announceApproval } from './doors/shared/words-approval.ts';
import { wordsForAccount, wordsForName } from './doors/shared/words.ts';
import { openSqliteJournal } from './journal/sqlite.ts';
import type { Log } from './log/log.ts';
import { Front, type Arrival, type Wanted } from './net/front.ts';
import type { TlsFiles } from './net/identity.ts';
import { bind, type Listen, type Listener } from './net/listen.ts';
import { ensureOwnerToken, type OwnerToken } from './net/owner.ts';
import { TlsServer } from './net/tls-server.ts';
import { openPolicy } from './policy.ts';
import { formatDate } from './protocol/line/reply.ts';
import { quote } from './protocol/text.ts';
import { createRunner } from './runner/runner.ts';
import type { User } from './runner/user.ts';
import { hashSecret, newCode, newDetachKey, newToken } from './secrets/code.ts';
import { newDigest, sha256 } from './secrets/digest.ts';
import { ScryptPasswords } from './secrets/password.ts';

export interface ServerOptions {
  readonly name: string;
  readonly owner: string;
  readonly listen: readonly Listen[];
  readonly directory: string;
  readonly isOpen: boolean;
  /** Bytes of each output that records keep. */
  readonly keptBytes?: number;
  /** Commands run as this user instead of as the server's. */
  readonly runAs?: User;
  /** The operator's own key and certificate, instead of those in the directory. */
  readonly tls?: TlsFiles;
  readonly log: Log;
  readonly now?: () => number;
}

export interface RunningServer {
  /** Stops accepting, tells everyone, flushes; whoever has not ended within 3 s is cut. */
  close(): Promise<void>;
  /** Takes up a new certificate, for new connections, and a new policy, for new commands. */
  reload(): void;
}

/** In the data directory. */
const JOURNAL = 'journal.db';
const DETACHED = 'detached';
const POLICY = 'policy.toml';
/** Lines of a sender from beyond loopback: a person pasting a page passes, a flood is read more slowly. */
const LINE_RATE: Rate = { perSecond: 50, burst: 500 };
/** After the greeting a silent connection is looked at for this long before it counts as a person's. */
const SILENCE_MS = 60_000;
/** All must be over 5 s after the signal. */
const CLOSE_GRACE_MS = 3_000;
/** How often it is written down how far everybody has read: after a crash at most so much is told again. And how often it is
 * looked whether a request for approval has waited too long, and what was refused and left out is to be told. */
const SAVE_MS = 1_000;

const SECRETS: Secrets = { newCode, newToken, hash: hashSecret };

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
    const opened = await openSqliteJournal({ path: join(directory, JOURNAL) });
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
    const listening = () => listeners.map(({ url }) => url);
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

interface Core {
  readonly hub: Hub;
  readonly accounts: Accounts;
  readonly approvals: Approvals;
  readonly journal: Journal;
  readonly journalId: string;
  readonly hosts: Hosts;
  readonly records: Records;
  readonly detachments: Detachments;
  /** Writes down how far everybody has read, and stops doing so. What detached runs said is waited for until the signal. */
  close(signal: AbortSignal): Promise<void>;
}

interface Opened {
  readonly journal: Journal;
  readonly everything: Everything;
  readonly runner: LocalRunner;
  readonly now: () => number;
}

/** Everyone there is, and the order in which things happen. */
async function openCore(options: ServerOptions, { journal, everything, runner, now }: Opened): Promise<Core> {
  const { directory, log } = options;
  const hub = new Hub({
    serverName: options.name,
    ownerName: options.owner,
    journal,
    everything,
    clock: () => performance.now(),
    isOpen: options.isOpen,
    onPresence: ({ type, name }) => {
      const text = type === 'arrived' ? `Name of client: ${name}` : `${name} connection closed`;
      options.log.tell({ event: type, text, name });
    },
  });
  let detachments: Detachments | undefined;
  const accounts = new Accounts({ journal, hub, secrets: SECRETS, onRevoked: (one) => detachments?.revoked(one) });
  await new Promise<void>((resolve, reject) => {
    accounts.ensureOwner(options.owner, {
      nowMs: now(),
      done: (answer) => {
        if (!('refused' in answer)) return resolve();
        return reject(new Error(wordsForAccount(answer, `Cannot call the owner ${quote(options.owner)}`)));
      },
    });
  });
  const records = new Records(
    {
      journal,
      newDigest,
      now,
      ...(options.keptBytes === undefined ? {} : { keptBytes: options.keptBytes }),
      onUnwritten: (reason) => options.log.warn('end of a command not recorded yet', { reason }),
    },
    everything.runs,
  );
  records.lose(everything.runs);
  const detached = new DetachedRuns({
    runner,
    directory: join(directory, DETACHED),
    onTrouble: (reason) => log.warn('output of a detached command is missing or left', { reason }),
  });
  const hosts = new Hosts({ directory: hub.directory, journal });
  const places = { serverName: options.name, own: detached, hosts, directory: hub.directory };
  detachments = new Detachments({ records, newKey: newDetachKey, ...placesOfDetached(places) }, everything.runs);
  const approvals = new Approvals({
    hash: sha256,
    now,
    clock: () => performance.now(),
    onEvent: (event) => options.log.tell(announceApproval(event)),
  });
  const timer = setInterval(() => {
    hub.hearing.save();
    approvals.expire();
    records.writeLeftOut();
  }, SAVE_MS).unref();
  const close = async (signal: AbortSignal) => {
    clearInterval(timer);
    hub.hearing.save();
    await Promise.race([detached.close(), aborted(signal)]);
    records.writeLeftOut({ isLast: true });
    records.writeUnwritten();
    await journal.close();
  };
  const { journalId } = everything;
  return { hub, accounts, approvals, journal, journalId, hosts, records, detachments, close };
}

function starting(atMs: number) {
  return {
    event: 'starting',
    text: `server starting at date_time = ${formatDate(atMs)}`,
    at: new Date(atMs).toISOString(),
  };
}

/** What a certificate is for: every name that is listened on, and those that lead here from this machine. */
function namesOf(listen: readonly Listen[]): string[] {
  return ['localhost', '127.0.0.1', '::1', hostname(), ...listen.map(({ host }) => host)];
}

interface Furniture {
  readonly token: OwnerToken;
  readonly tls: TlsServer;
  readonly runner: LocalRunner;
  readonly policy: RunPolicy;
  readonly now: () => number;
  readonly core: Core;
  readonly listening: () => readonly string[];
}

/** Builds the core and its doors, and the front that shows connections to them. */
function furnish(
  options: ServerOptions,
  { token, tls, runner, policy, now, core, listening }: Furniture,
): { doors: Door[]; front: Front } {
  const { name: serverName, log } = options;
  const clock = () => performance.now();
  const startedMs = clock();
  const { hub, accounts, approvals, journal, journalId, hosts, records, detachments } = core;
  const passwords = new ScryptPasswords();
  const guesses = new Guesses();
  const line = new LineDoor({
    hub,
    accounts,
    hosts,
    journal,
    records,
    passwords,
    guesses,
    owner: token,
    runner,
    policy,
    approvals,
    log,
    now,
    clock,
    rate: LINE_RATE,
  });
  const native = new NativeDoor({
    hub,
    accounts,
    hosts,
    journal,
    journalId,
    records,
    detachments,
    passwords,
    guesses,
    token,
    fingerprint: () => tls.fingerprint,
    runner,
    policy,
    approvals,
    log,
    listening,
    now,
    clock,
    rate: LINE_RATE,
  });
  const http = new HttpDoor({
    serverName,
    health: () => {
      const { health } = journal;
      const uptimeSeconds = Math.floor((clock() - startedMs) / 1000);
      const isWell = health.state === 'ok';
      const status = isWell ? 'ok' : 'failing';
      return {
        isWell,
        facts: { status, name: serverName, uptimeSeconds, ...(isWell ? {} : { journal: health.reason }) },
      };
    },
    hostNames: options.listen.map(({ host }) => host),
    onUpgrade: (upgrade) => void native.upgrade(upgrade),
  });
  const echo = new EchoDoor({ mode: 'named', serverName, log });
  const plainEcho = new EchoDoor({ mode: 'plain', serverName, log });
  const accept = (wanted: Wanted, { socket, peer, first }: Arrival): void => {
    switch (wanted) {
      case 'line':
        return line.accept(socket, peer, first);
      case 'native':
        return native.accept(socket, peer, first);
      case 'http':
        return http.accept(socket, peer, first);
      case 'echo':
        return echo.accept(socket, peer, first);
      case 'plain-echo':
        return plainEcho.accept(socket, peer, first);
    }
  };
  const front = new Front({ accept, greet: (socket) => line.greet(socket), tls, log, clock, silenceMs: SILENCE_MS });
  return { doors: [line, native, http, echo, plainEcho], front };
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
  try {
    await Promise.all([...doors.map((door) => door.close(signal)), runner.close()]);
    await core.close(signal);
  } finally {
    lock.release();
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    return signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** Why a server cannot have these names, in words for the operator who gave them. */
export function namesAreUsable(name: string, owner: string): string | undefined {
  for (const given of [name, owner]) {
    const parsed = parseName(given);
    if ('refused' in parsed) return `Cannot use ${quote(given)} as a name: ${wordsForName(parsed)}`;
    if (isSameName(given, ALL)) return `Cannot use ${quote(given)} as a name: it means everyone`;
  }
  return isSameName(name, owner)
    ? `Cannot call both server and owner ${quote(name)}: a name belongs to one`
    : undefined;
}
