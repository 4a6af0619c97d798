// What goes between the journal and its two workers. A batch is one message each way, and its entries are flat lists:
// cloning an object for each message would keep the main thread busier than all the rest.

import type {
  Appended,
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

export interface WorkerSettings {
  readonly role: 'writer' | 'reader';
  readonly path: string;
}

/** A list of changes, or a message as `packMessage` makes it. */
export type Entry = PackedMessage | { readonly changes: readonly Change[] };

export type PackedMessage = readonly [
  atMs: number,
  from: number,
  fromName: string,
  cast: NewMessage['cast'],
  /** JSON: as it is stored. */
  to: string,
  text: string,
  recipients: readonly number[],
  resendKey: string | undefined,
];

export function packMessage(message: NewMessage): PackedMessage {
  const { atMs, from, fromName, cast, to, text, recipients, resendKey } = message;
  return [atMs, from, fromName, cast, JSON.stringify(to), text, recipients, resendKey];
}

/** `index`: all words that are not in their index yet; answered with `indexed`. */
export type ToWriter = { readonly entries: readonly Entry[] } | 'index' | 'close';

/** A number: new, under this id. null: recorded. Else as it is told. */
export type Answer = number | null | Exclude<Appended, { result: 'new' }> | NonNullable<Recorded>;

/** Of what a batch says about the store: `unchanged` if it had nothing to write. */
export type Wrote = { readonly state: 'ok' | 'unchanged' } | { readonly state: 'failing'; readonly reason: string };

export type FromWriter =
  | { readonly opened: Everything }
  | { readonly cannotOpen: string }
  | { readonly indexed: true }
  /** Of one commit: the answers of each of its batches. */
  | { readonly answers: readonly (readonly Answer[])[]; readonly wrote: Wrote };

export type Query =
  | { readonly type: 'feed'; readonly query: FeedQuery }
  | { readonly type: 'history'; readonly query: HistoryQuery }
  | { readonly type: 'search'; readonly query: SearchQuery };

export type ToReader = Query | 'close';

/** In the order of the queries. */
export type Result = FeedPage | Page<StoredMessage> | Page<FoundMessage>;
export type FromReader =
  | { readonly opened: true }
  | { readonly cannotOpen: string }
  | { readonly result: Result }
  | { readonly failed: string };
