// The journal, as the core asks for it: what happened, in order, for good. Nothing is acknowledged or told before it is
// there. Its order is the order of everybody; answers come in the order in which they were asked for.

import type { Cast } from './event.ts';
import type { Name, NameKey } from './name.ts';
import type {
  Chained,
  EntryNumber,
  FoundRuns,
  KeptOutput,
  OutputQuery,
  RunEntry,
  RunQuery,
  RunsPage,
  RunsQuery,
  StoredRun,
} from './run/record.ts';
import type { MemberKind, Role } from './session.ts';

/** Grows by one in the one order of the server; the first message is 1. */
export type MessageId = number;
/** An account's is positive. A guest's is negative, new at every login, and never used again, by no later server either. */
export type MemberId = number;

export interface NewMessage {
  readonly atMs: number;
  readonly from: MemberId;
  readonly fromName: Name;
  readonly cast: Cast;
  /** As it was addressed, in the spelling that is shown: `['all']`, `['bob', 'eve']`, `['#ops']`. */
  readonly to: readonly string[];
  readonly text: string;
  /** Who gets it. Empty for a broadcast: that is for everyone whose `since` comes before it. */
  readonly recipients: readonly MemberId[];
  /**
   * The same key of the same sender within a day is the same message: it is not stored again. `RESEND_KEEP_MS` later
   * the key is forgotten.
   */
  readonly resendKey?: string;
}

export const RESEND_KEEP_MS = 86_400_000;

/** `new`: durable now. `same`: was stored before under this id. `other`: its key stands for another message. */
export type Appended =
  | { readonly result: 'new'; readonly id: MessageId }
  | { readonly result: 'same'; readonly id: MessageId; readonly atMs: number }
  | { readonly result: 'other'; readonly id: MessageId }
  | { readonly result: 'failed'; readonly reason: string };

/** `undefined`: durable now. Otherwise why not, in words; nothing was changed. */
export type Recorded = { readonly failed: string } | undefined;

export interface StoredMessage {
  readonly id: MessageId;
  readonly atMs: number;
  readonly from: MemberId;
  readonly fromName: Name;
  readonly cast: Cast;
  readonly to: readonly string[];
  readonly text: string;
}

export interface FoundMessage extends StoredMessage {
  /** A part of the text around the words; what was found stands between U+0002 and U+0003. */
  readonly snippet: string;
}

/** Who reads, and from where on: messages up to `since` are from before their time. */
export interface Reader {
  readonly member: MemberId;
  readonly since: MessageId;
}

/** What a member was sent, without what it sent itself unless to itself; oldest first. */
export interface FeedQuery extends Reader {
  readonly after: MessageId;
  readonly upTo: MessageId;
  /** At most so many messages, and so many bytes of text beyond the first one. */
  readonly limit: number;
  readonly maxBytes: number;
  /** Whether `behind` is wanted: all messages of this feed after `after`, up to `upTo`. */
  readonly isCounting?: boolean;
}

export interface FeedPage {
  readonly messages: readonly StoredMessage[];
  /**
   * Everything up to here is in this page or was before it; `upTo` if nothing was left out. Before that it has a message
   * at least, and the rest comes with the next page: its bounds were reached, or the rest cannot be read yet.
   */
  readonly cursor: MessageId;
  /** Only where all of them can be read by now: it is exact or it is not there. */
  readonly behind?: number;
}

/** What a member sent or was sent. */
export interface HistoryQuery extends Reader {
  /** With this member: sent to it, or by it to the reader. `all`: the broadcasts. `#name`: to that group. */
  readonly with?: string;
  readonly after?: MessageId;
  readonly before?: MessageId;
  /** The newest so many, or after `after` the oldest so many; the page is oldest first either way. */
  readonly limit: number;
  readonly maxBytes: number;
}

export interface SearchQuery extends Reader {
  /** Every word, in any order; `back*` is any that begins so. Case and diacritics count for nothing. */
  readonly words: string;
  readonly before?: MessageId;
  readonly limit: number;
}

export interface Page<Message> {
  /** Oldest first. */
  readonly messages: readonly Message[];
  /** Whether there are more in the direction that was asked for; with `before`, there may be. */
  readonly isMore: boolean;
  /** Of a search that took long: what came before this message has not been looked at, and is asked for by it. */
  readonly before?: MessageId;
}

// ── who there is ──

export interface Account {
  readonly id: MemberId;
  readonly name: Name;
  readonly key: NameKey;
  readonly role: Exclude<Role, 'guest'>;
  readonly kind: MemberKind;
  readonly createdAtMs: number;
  /** Broadcasts up to here are from before its time. */
  readonly since: MessageId;
  /** An account keeps its number: its name may become another's, as the owner's does with `serve --owner`. */
  readonly invitedBy: MemberId | undefined;
  /** As `Passwords` made it; an account may have none. */
  readonly password: string | undefined;
  /** Everything up to here counts as delivered. */
  readonly delivered: MessageId;
  /** It cannot come in any more, and its name stays taken; a machine's until one is invited under it once more. */
  readonly revokedAtMs: number | undefined;
}

export interface Token {
  readonly id: number;
  readonly account: MemberId;
  /** What it is for, in its maker's words. */
  readonly label: string;
  /** SHA-256, base64url. */
  readonly hash: string;
  readonly createdAtMs: number;
}

export interface Invite {
  /** SHA-256 of the code, base64url. */
  readonly hash: string;
  readonly name: Name;
  readonly key: NameKey;
  readonly role: Exclude<Role, 'guest' | 'owner'>;
  readonly kind: MemberKind;
  readonly by: MemberId;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
}

export interface Group {
  /** With its `#`, in its first spelling. */
  readonly name: string;
  readonly key: string;
  /** Accounts only: a guest's membership ends with it. */
  readonly members: readonly MemberId[];
}

/** What a joined machine said of itself when it was last here, for an account that has ever been. */
export interface Seen {
  readonly account: MemberId;
  readonly labels: ReadonlyMap<string, string>;
  readonly atMs: number;
}

/** One change of who there is. A whole list of them happens or none. */
export type Change =
  | { readonly type: 'account-added'; readonly account: Account }
  /** The account as it is from now on. */
  | { readonly type: 'account-changed'; readonly account: Account }
  | { readonly type: 'delivered'; readonly account: MemberId; readonly upTo: MessageId }
  | { readonly type: 'token-added'; readonly token: Token }
  | { readonly type: 'token-removed'; readonly id: number }
  | { readonly type: 'invite-added'; readonly invite: Invite }
  | { readonly type: 'invite-removed'; readonly hash: string }
  | {
      readonly type: 'group-joined';
      readonly group: { readonly name: string; readonly key: string };
      readonly account: MemberId;
    }
  | { readonly type: 'group-left'; readonly group: { readonly key: string }; readonly account: MemberId }
  /** In the place of what was known before. */
  | { readonly type: 'machine-seen'; readonly seen: Seen }
  /** Nothing where it has ended by now. */
  | { readonly type: 'run-condemned'; readonly start: EntryNumber; readonly by: Name };

/** What a server finds at its start. */
export interface Everything {
  /** How often a server has started on this journal, this time included. */
  readonly start: number;
  /** Whose ids these are: a copy that takes a journal's place gives some of them again, and is another one. */
  readonly journalId: string;
  /** The last message; 0 if there is none. */
  readonly head: MessageId;
  readonly accounts: readonly Account[];
  readonly tokens: readonly Token[];
  readonly invites: readonly Invite[];
  readonly groups: readonly Group[];
  readonly runs: FoundRuns;
  readonly machines: readonly Seen[];
}

/** `failing`: what was last to be written could not be; reading goes on, and the next write tries again. */
export type JournalHealth = { readonly state: 'ok' } | { readonly state: 'failing'; readonly reason: string };

/**
 * `append` and `settle` answer in the order of their calls, and so do `record` and `chain` among their own; neither waits
 * for the other. Nothing is answered before the call returns, and all that became durable together in one turn.
 */
export interface Journal {
  readonly health: JournalHealth;
  append(message: NewMessage, done: (appended: Appended) => void): void;
  record(changes: readonly Change[], done: (recorded: Recorded) => void): void;
  /**
   * What a run's record gains: it becomes the next entry of the chain. A start is durable when it is answered; an end is
   * safe from the server's own end then, and from a power cut with the next start, or soon.
   */
  chain(entry: RunEntry, done: (chained: Chained) => void): void;
  /** Writes nothing: answers when every message before it has been answered. */
  settle(done: () => void): void;
  /** Rejects, with an Error in words, only where the store fails. */
  feed(query: FeedQuery): Promise<FeedPage>;
  history(query: HistoryQuery): Promise<Page<StoredMessage>>;
  search(query: SearchQuery): Promise<Page<FoundMessage>>;
  /** Of all entries that were asked for before. */
  runs(query: RunsQuery): Promise<RunsPage>;
  /** Undefined: there is none that may be seen. */
  run(query: RunQuery): Promise<StoredRun | undefined>;
  output(query: OutputQuery): Promise<KeptOutput | undefined>;
  /** Everything before it is answered first. */
  close(): Promise<void>;
}
