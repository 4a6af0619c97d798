// The core of a server: everyone there is, what is on record, what runs on, and the order in which things happen.

import { join } from 'node:path';
import { Accounts } from '../core/accounts.ts';
import type { Secrets } from '../core/credentials.ts';
import { Hosts } from '../core/hosts.ts';
import { Hub } from '../core/hub.ts';
import type { Everything, Journal } from '../core/journal.ts';
import type { LocalRunner } from '../core/ports.ts';
import { Approvals } from '../core/run/approvals.ts';
import { Detachments, placesOfDetached } from '../core/run/detachments.ts';
import { Records } from '../core/run/records.ts';
import { DetachedRuns } from '../detached/detached-runs.ts';
import { recordUnapproved } from '../doors/shared/asking.ts';
import { announceApproval } from '../doors/shared/words-approval.ts';
import { wordsForAccount } from '../doors/shared/words.ts';
import { quote } from '../protocol/text.ts';
import { hashSecret, newCode, newDetachKey, newToken } from '../secrets/code.ts';
import { newDigest, sha256 } from '../secrets/digest.ts';
import type { ServerOptions } from './options.ts';

/** In the data directory. */
const DETACHED = 'detached';
/** How often it is written down how far everybody has read: after a crash at most so much is told again. And how often it is
 * looked whether it is time to write down which machines are here, whether a request for approval has waited too long, and
 * what was refused and left out is to be told. */
const SAVE_MS = 1_000;

const SECRETS: Secrets = { newCode, newToken, hash: hashSecret };

export interface Core {
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
export async function openCore(options: ServerOptions, { journal, everything, runner, now }: Opened): Promise<Core> {
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
      log.tell({ event: type, text, name });
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
      onUnwritten: (reason) => log.warn('end of a command not recorded yet', { reason }),
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
  detachments = new Detachments(
    { journal, records, newKey: newDetachKey, ...placesOfDetached(places) },
    everything.runs,
  );
  const approvals = new Approvals({
    hash: sha256,
    now,
    clock: () => performance.now(),
    start: everything.start,
    onEvent: (event) => {
      log.tell(announceApproval(event));
      recordUnapproved(event, records);
    },
  });
  const timer = setInterval(() => {
    hub.hearing.save();
    hosts.save(performance.now());
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

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    return signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
