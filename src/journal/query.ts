// The questions in SQL. Each walks an index in the order of the ids and stops where the page is full; where several
// indexes have a part, SQLite merges them as it goes (`MERGE (UNION)`), without sorting.

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
  group: `
    SELECT t.message AS id FROM talk t WHERE t.member = 0 AND t.peer = :peer AND t.message BETWEEN ${PART}
      AND (EXISTS (SELECT 1 FROM recipient r WHERE r.member = :me AND r.message = t.message)
        OR EXISTS (SELECT 1 FROM message m WHERE m.id = t.message AND m.sender = :me))`,
} as const;

export type With = keyof typeof HISTORY;
export const WITHS = ['any', 'all', 'peer', 'group'] as const satisfies readonly With[];

export function historyOf(which: With, order: 'ASC' | 'DESC'): string {
  return `${HISTORY[which]} ORDER BY 1 ${order}`;
}

/**
 * The marks are arguments: nobody can have put them into a text. Whether a hit may be seen is asked of three indexes, not of
 * the message: a word that only others say is walked past without reading what they say.
 */
export const SEARCH = `
  SELECT m.id, m.at_ms, m.sender, m.sender_name, m.sent_as, m.addressed, m.text,
      snippet(message_text, 0, :open, :shut, '…', 24) AS snippet
    FROM message_text CROSS JOIN message m ON m.id = message_text.rowid
    WHERE message_text MATCH :words AND message_text.rowid < :before
      AND (EXISTS (SELECT 1 FROM recipient r WHERE r.member = :me AND r.message = message_text.rowid)
        OR EXISTS (SELECT 1 FROM message s INDEXED BY message_by_sender
                     WHERE s.sender = :me AND s.sent_as <> 'broadcast' AND s.id = message_text.rowid)
        OR EXISTS (SELECT 1 FROM message b INDEXED BY broadcast
                     WHERE b.sent_as = 'broadcast' AND b.id = message_text.rowid AND b.id > :since))
    ORDER BY message_text.rowid DESC LIMIT :limit`;
