// What a server calls its journal, in its directory: for the commands that work on it without one.

export const JOURNAL_FILE = 'journal.db';
