// Who has ended a run whose machine was away then: it is said in the record of its end, which another server may write.

export const ENDED_BY = `
ALTER TABLE unended ADD COLUMN condemned_by TEXT; -- NULL where an earlier version wrote it, too
`;
