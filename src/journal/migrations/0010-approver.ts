// Whoever approved a run finds it, by the name in the entry: until 0012, since a name may come to be another's.

export const APPROVER = `
ALTER TABLE record ADD COLUMN approver TEXT
  GENERATED ALWAYS AS (CASE WHEN json_valid(entry) THEN json_extract(entry, '$.approvedBy') END) VIRTUAL;
CREATE INDEX run_by_approver ON record (approver, run) WHERE approver IS NOT NULL;
`;
