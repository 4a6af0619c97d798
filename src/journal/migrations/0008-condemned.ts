// That a run is to end: its machine may be away, and the server may be another one when it is back.

export const CONDEMNED = `
ALTER TABLE unended ADD COLUMN is_condemned INTEGER NOT NULL DEFAULT 0 CHECK (is_condemned IN (0, 1));
`;
