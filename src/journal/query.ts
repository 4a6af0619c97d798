// The questions in SQL. Each walks an index in the order of the ids and stops where the page is full; where several
// indexes have a part, SQLite merges them as it goes (`MERGE (UNION)`), without sorting.

import { tableOf } from './slices.ts';

/** Ids of a feed in (`after`, `upTo`]; what a member sent to everyone is not for itself. */
export const FEED = `
  SELECT message AS id FROM recipient WHERE member = :me AND message > :after AND message <= :upTo
  UNION ALL
  SELECT id FROM message INDEXED BY broadcast
    WHERE sent_as = 'broadcast' AND id > max(:after, :since) AND id <= :upTo AND sender <> :me
  ORDER BY 1`;

export const BEHIND = `
  SELECT (SELECT count(*) FROM recipient WHERE member = :me AND message > :after AND message <= :upTo)
    + (SELECT count(*) FROM message INDEXED BY broadcast
         WHERE sent_as = 'broadcast' AND id > max(:after, :since) AND id <= :upTo AND sender <> :me) AS behind`;

const PART = ':after AND :before';

const BROADCASTS = `
    SELECT id FROM message INDEXED BY broadcast WHERE sent_as = 'broadcast' AND id BETWEEN ${PART} AND id > :since`;

/** Ids from `after` to `before`, both included. */
const HISTORY = {
  any: `
    SELECT message AS id FROM recipient WHERE member = :me AND message BETWEEN ${PART}
    UNION ${BROADCASTS}
    UNION SELECT id FROM message INDEXED BY message_by_sender
      WHERE sender = :me AND sent_as <> 'broadcast' AND id BETWEEN ${PART}`,
  all: BROADCASTS,
  peer: `SELECT message AS id FROM talk WHERE member = :me AND peer = :peer AND message BETWEEN ${PART}`,
  // Of accounts whose stretches are not known yet (src/journal/renewal.ts).
  oldGroup: `
    SELECT t.message AS id FROM talk t WHERE t.member = 0 AND t.peer = :peer AND t.message BETWEEN ${PART}
      AND (EXISTS (SELECT 1 FROM recipient r WHERE r.member = :me AND r.message = t.message)
        OR EXISTS (SELECT 1 FROM message m WHERE m.id = t.message AND m.sender = :me))`,
} as const;

/** Stretch by stretch of what was said to the group, from the last one that may hold `after` on. */
const GROUP = `
  SELECT t.message AS id FROM heard h
    CROSS JOIN talk t ON t.member = 0 AND t.peer = h.peer AND t.message BETWEEN max(h.first, :after) AND min(h.last, :before)
    WHERE h.member = :me AND h.peer = :peer AND h.first <= :before
      AND h.first >= ifnull((SELECT max(first) FROM heard WHERE member = :me AND peer = :peer AND first <= :after), 0)`;

export const WITHS = ['any', 'all', 'peer', 'group', 'oldGroup'] as const;
export type With = (typeof WITHS)[number];

export function historyOf(which: With, order: 'ASC' | 'DESC'): string {
  if (which === 'group') return `${GROUP} ORDER BY h.first ${order}, t.message ${order}`;
  return `${HISTORY[which]} ORDER BY 1 ${order}`;
}

const FOUND = 'm.at_ms, m.sender, m.sender_name, m.sent_as, m.addressed, m.text';

/** The marks are arguments: nobody can have put them into a text. */
function foundIn(table: string): string {
  return `
  SELECT ${table}.rowid AS id, ${FOUND}, snippet(${table}, 0, :open, :shut, '…', 24) AS snippet
    FROM ${table} CROSS JOIN message m ON m.id = ${table}.rowid
    WHERE ${table} MATCH :words AND ${table}.rowid < :before`;
}

/** Asked of two indexes, not of the message: what only others say is not read. */
function isPrivatelySeen(id: string): string {
  return `(EXISTS (SELECT 1 FROM recipient r WHERE r.member = :me AND r.message = ${id})
        OR EXISTS (SELECT 1 FROM message s INDEXED BY message_by_sender
                     WHERE s.sender = :me AND s.sent_as <> 'broadcast' AND s.id = ${id}))`;
}

/** What was told the one who asks in a slice, as JSON lists of ids. */
export const OWN = `
  SELECT (SELECT json_group_array(message) FROM recipient WHERE member = :me AND message BETWEEN ${PART}) AS got,
    (SELECT json_group_array(id) FROM message INDEXED BY message_by_sender
       WHERE sender = :me AND sent_as <> 'broadcast' AND id BETWEEN ${PART}) AS sent`;

/**
 * Newest first. `mask`: what may be seen of what was told is looked up in `:mask`, a byte for each message of the slice that
 * begins at `:from`; `rows`: it is looked up in the tables, which is for those who may see much.
 */
export function searchIn(slice: number, own: 'mask' | 'rows'): string {
  const [said, told] = [tableOf('said', slice), tableOf('told', slice)];
  const isSeen =
    own === 'mask' ? `substr(:mask, ${told}.rowid - :from + 1, 1) = x'01'` : isPrivatelySeen(`${told}.rowid`);
  return `${foundIn(said)} AND ${said}.rowid > :since
  UNION ALL ${foundIn(told)} AND ${isSeen}
  ORDER BY 1 DESC LIMIT :limit`;
}

/** In what has no slices yet. */
export const OLD_SEARCH = `${foundIn('message_text')} AND message_text.rowid <= :upTo
      AND (${isPrivatelySeen('message_text.rowid')}
        OR EXISTS (SELECT 1 FROM message b INDEXED BY broadcast
                     WHERE b.sent_as = 'broadcast' AND b.id = message_text.rowid AND b.id > :since))
    ORDER BY message_text.rowid DESC LIMIT :limit`;
