// Records of runs: a chain of entries, what they keep of outputs, and which starts have no end yet.

export const RUNS = `
-- Numbers without gaps. What a row says is its entry; the other columns find it.
CREATE TABLE record (
  number INTEGER PRIMARY KEY CHECK (number > 0),
  hash BLOB NOT NULL CHECK (length(hash) = 32), -- of the hash before it and the entry
  run INTEGER NOT NULL CHECK (run > 0),
  member INTEGER, -- who started the run, in its first entry only
  entry TEXT NOT NULL -- JSON, as it was hashed
) STRICT;
CREATE INDEX record_by_run ON record (run);
CREATE UNIQUE INDEX run_first ON record (run) WHERE member IS NOT NULL;
CREATE INDEX run_by_member ON record (member, run) WHERE member IS NOT NULL;

CREATE TABLE unended (
  record INTEGER PRIMARY KEY REFERENCES record (number)
) STRICT;

CREATE TABLE kept (
  record INTEGER NOT NULL REFERENCES record (number),
  stream TEXT NOT NULL CHECK (stream IN ('stdout', 'stderr')),
  head BLOB NOT NULL,
  tail BLOB NOT NULL,
  PRIMARY KEY (record, stream)
) STRICT;
`;
