// Whoever approved a run finds it by the number of the account. A name may have come to be another's, for whom that run is
// not: the owner's is free again once the owner is called otherwise. What has only the name is shown to no approver.

export const APPROVER_NUMBER = `
DROP INDEX run_by_approver;
ALTER TABLE record DROP COLUMN approver;
ALTER TABLE record ADD COLUMN approver ANY
  GENERATED ALWAYS AS (CASE WHEN json_valid(entry) THEN json_extract(entry, '$.approver') END) VIRTUAL;
CREATE INDEX run_by_approver ON record (approver, run) WHERE approver IS NOT NULL;
`;
