// Looking back takes no longer where much was said that one may not see: the words of what was said to all and of what was
// said to some are indexed apart, in slices of so many messages, and who heard what of a group is kept in stretches.
// Nothing is moved here, or a start would wait for minutes: `src/journal/renewal.ts` does it while the server runs.

export const PAST = `
ALTER TABLE meta ADD COLUMN slice INTEGER NOT NULL DEFAULT 500000; -- messages in a slice of the index of words
ALTER TABLE meta ADD COLUMN old_words_up_to INTEGER NOT NULL DEFAULT 0; -- words up to here are in message_text still
ALTER TABLE meta ADD COLUMN heard_above INTEGER NOT NULL DEFAULT 0; -- heard has all of the accounts above this one
ALTER TABLE meta ADD COLUMN heard_from INTEGER NOT NULL DEFAULT 0; -- and of the others only what came after this message
UPDATE meta SET old_words_up_to = words_up_to, heard_from = ifnull((SELECT max(id) FROM message), 0);
UPDATE meta SET heard_above = ifnull((SELECT max(id) FROM account), 0) WHERE heard_from > 0;

-- Of what was said to the group, a member sent or got everything from first to last, and nothing just outside.
-- It goes on while last is the largest of all integers that JavaScript counts by.
CREATE TABLE heard (
  member INTEGER NOT NULL,
  peer TEXT NOT NULL,
  first INTEGER NOT NULL,
  last INTEGER NOT NULL,
  PRIMARY KEY (member, peer, first)
) STRICT, WITHOUT ROWID;
CREATE INDEX heard_now ON heard (peer) WHERE last = 9007199254740991;
`;
