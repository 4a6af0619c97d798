// What goes between the journal and its two workers, and into its log.

import type {
  Change,
  Everything,
  FeedPage,
  FeedQuery,
  FoundMessage,
  HistoryQuery,
  NewMessage,
  Page,
  Recorded,
  SearchQuery,
  StoredMessage,
} from '../core/journal.ts';
import type {
  Chained,
  KeptOutput,
  OutputQuery,
  RunEntry,
  RunQuery,
  RunsPage,
  RunsQuery,
  StoredRun,
} from '../core/run/record.ts';

export interface WorkerSettings {
  readonly role: 'writer' | 'reader';
  readonly path: string;
}

/** A message as the log has it, without its id: a flat list is half the work of an object. */
export type PackedMessage = readonly [
  atMs: number,
  from: number,
  fromName: string,
  cast: NewMessage['cast'],
  to: readonly string[],
  text: string,
  recipients: readonly number[],
  resend?: Resend,
];

/** SHA-256 of the addressing and the text, base64: under one key there is one message. */
export type Resend = readonly [key: string, digest: string];

/** Frames of a segment, all of them durable. */
export interface Range {
  readonly segment: number;
  readonly from: number;
  readonly to: number;
}

/** What is written in the order of asking: changes of who there is, and what records of runs gain. */
export type ToRecord = readonly Change[] | RunEntry;

/**
 * `index`: puts these messages into the database; none: tries again what failed. `isUrgent`: somebody waits for them.
 * `words`: all words into their index.
 */
export type ToWriter =
  | { readonly index: readonly Range[]; readonly isUrgent: boolean }
  | { readonly record: readonly ToRecord[] }
  | 'words'
  | 'close';

/** `ok` and `failing` say how the store is; `unchanged`, that there was nothing to write. */
export type Wrote = { readonly state: 'ok' | 'unchanged' } | { readonly state: 'failing'; readonly reason: string };

/** What a database says of itself at a start, beside `Everything`. */
export interface Found {
  /** Whose log it is. */
  readonly identity: string;
  /** The last id that anything but a message knows of. */
  readonly witnessed: number;
  /** Why it is to be made another journal. */
  readonly noted: string | undefined;
}

export type FromWriter =
  /** As the database has it: the log may hold more. */
  | ({ readonly opened: Everything } & Found)
  | { readonly cannotOpen: string }
  /** Everything up to here is in the database, and up to `durable` for good; `isDone`: all that was asked for. */
  | { readonly indexed: number; readonly durable: number; readonly isDone: boolean }
  | { readonly indexFailed: string }
  | { readonly recorded: readonly (Recorded | Chained)[]; readonly wrote: Wrote }
  | { readonly words: true };

export type Query =
  | { readonly type: 'feed'; readonly query: FeedQuery }
  | { readonly type: 'history'; readonly query: HistoryQuery }
  | { readonly type: 'search'; readonly query: SearchQuery }
  | { readonly type: 'runs'; readonly query: RunsQuery }
  | { readonly type: 'run'; readonly query: RunQuery }
  | { readonly type: 'output'; readonly query: OutputQuery };

export type ToReader = Query | 'close';

/** In the order of the queries. */
export type Result =
  | FeedPage
  | Page<StoredMessage>
  | Page<FoundMessage>
  | RunsPage
  | StoredRun
  | KeptOutput
  | undefined;
export type FromReader =
  | { readonly opened: true }
  | { readonly cannotOpen: string }
  | { readonly result: Result }
  | { readonly failed: string };
