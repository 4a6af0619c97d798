// Telling others of a run, the same by every door: it is read from the records, by whoever may see it, and sent as an ordinary
// message.

import type { Receipt } from '../../core/event.ts';
import type { SendRefusal } from '../../core/refusal.ts';
import type { RunId } from '../../core/run/record.ts';
import { seenBy } from '../../core/run/starter.ts';
import type { Session } from '../../core/session.ts';
import type { House } from './house.ts';
import { groupAlike, MAX_SHARED_OUTPUTS, shareText, type Read } from './words-share.ts';
import { isAboutGroups } from './words.ts';

type SharingHouse = Pick<House, 'hub' | 'journal' | 'now'>;

export interface Sharing {
  readonly id: RunId;
  readonly to: 'all' | readonly string[];
  readonly key?: string;
}

/** In every case nothing was sent. */
export type ShareRefusal =
  /** Or somebody else's, which is the same. */
  | { readonly refused: 'unknown-record'; readonly id: RunId }
  | { readonly refused: 'unreadable'; readonly reason: string };

export async function share(
  { hub, journal, now }: SharingHouse,
  session: Session,
  { id, ...sending }: Sharing,
): Promise<Receipt | ShareRefusal | SendRefusal> {
  // What somebody approved is not theirs to tell.
  const { member } = seenBy(session, hub);
  let text: string | undefined;
  try {
    text = await textOf(journal, { id, member });
  } catch (error) {
    return { refused: 'unreadable', reason: error instanceof Error ? error.message : String(error) };
  }
  if (text === undefined) return { refused: 'unknown-record', id };
  const command = { type: 'send', ...sending, text: text.toWellFormed() } as const;
  return new Promise((resolve) => {
    hub.handle(session, command, {
      nowMs: now(),
      done: (answer) => {
        if (!('refused' in answer) && answer.type === 'receipt') return resolve(answer);
        if ('refused' in answer && !isAboutGroups(answer)) return resolve(answer);
        throw new Error('A message was answered as a change of groups');
      },
    });
  });
}

interface Seen {
  readonly id: RunId;
  readonly member: number | undefined;
}

async function textOf(journal: SharingHouse['journal'], seen: Seen): Promise<string | undefined> {
  const run = await journal.run(seen);
  if (run === undefined) return undefined;
  const alike = groupAlike(run.hosts);
  const read: Read[] = [];
  for (const { hosts, at, streams } of alike.slice(0, MAX_SHARED_OUTPUTS)) {
    const outputs: Read['outputs'][number][] = [];
    for (const { name, bytes, kept } of streams) {
      const found = await journal.output({ ...seen, at, stream: name });
      if (found !== undefined) outputs.push({ name, ...found, missing: bytes - kept });
    }
    read.push({ hosts, outputs });
  }
  const left = alike.slice(MAX_SHARED_OUTPUTS).flatMap(({ hosts }) => hosts);
  return shareText(run, read, left);
}
