// Whoever approved a run finds it: the name is in the entry, and an account's name is never another's. Entries of before count too.

export const APPROVER = `
ALTER TABLE record ADD COLUMN approver TEXT
  GENERATED ALWAYS AS (CASE WHEN json_valid(entry) THEN json_extract(entry, '$.approvedBy') END) VIRTUAL;
CREATE INDEX run_by_approver ON record (approver, run) WHERE approver IS NOT NULL;
`;
