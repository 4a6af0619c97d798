// That the journal is to be made another one, since messages may be missing: an interruption does not make it forgotten.

export const DOUBT = `
ALTER TABLE log ADD COLUMN doubt TEXT; -- why, in sentences; NULL: nothing is doubted, or it is another one by now
`;
