// Messages that were accepted and are gone, after a log was damaged: their ids are not given again.

export const LOST = `
CREATE TABLE lost (
  first INTEGER PRIMARY KEY CHECK (first > 0),
  last INTEGER NOT NULL CHECK (last >= first),
  at_ms INTEGER NOT NULL -- when the rest was saved
) STRICT;
`;
