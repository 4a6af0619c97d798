// What a joined machine said of itself when it was last here: it can be meant by its labels while it is away, too.

export const MACHINES = `
CREATE TABLE machine (
  account INTEGER PRIMARY KEY REFERENCES account (id),
  labels TEXT NOT NULL, -- a JSON object
  seen_at_ms INTEGER NOT NULL
) STRICT;
`;
