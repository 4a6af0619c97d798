// Whose log it is: frames of another journal's log, left in the directory, are not taken for its own.

export const LOG = `
CREATE TABLE log (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  identity TEXT NOT NULL
) STRICT;
INSERT INTO log VALUES (1, lower(hex(randomblob(16))));
`;
