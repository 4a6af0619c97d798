// What went wrong with the store, in words for people. SQLite's result codes: https://sqlite.org/rescode.html

const WORDS: ReadonlyMap<number, string> = new Map([
  [3, 'this user may not use it'],
  [5, 'another process holds it'],
  [6, 'another process holds it'],
  [7, 'the machine is out of memory'],
  [8, 'it can only be read'],
  [10, 'the disk fails'],
  [11, 'it is damaged'],
  [13, 'the disk is full'],
  [14, 'it cannot be opened there'],
  [18, 'the text is too large for the database'],
  [26, 'it is damaged, or something else'],
]);
const CONSTRAINT = 19;
const NO_LARGER = 'a file may not get larger here (ulimit -f)';
/** Result codes with more bits say what was tried: SQLite does not say what the file system answered. */
const IO_WORDS: ReadonlyMap<number, string> = new Map([
  [266, 'the disk fails, or it is a directory'],
  [778, `the disk fails, or ${NO_LARGER}`],
  [4_874, `the disk fails, or ${NO_LARGER}`],
]);

const FILE_WORDS: Readonly<Record<string, string>> = {
  EACCES: 'this user may not use it',
  EPERM: 'this user may not use it',
  EDQUOT: 'this user’s share of the disk is full',
  EFBIG: NO_LARGER,
  EEXIST: 'there is a file already',
  EIO: 'the disk fails',
  EISDIR: 'it is a directory',
  EMFILE: 'too many files are open here',
  ENFILE: 'too many files are open on this machine',
  ENOENT: 'there is no such directory',
  ENOTDIR: 'there is no such directory',
  ENOSPC: 'the disk is full',
  EROFS: 'it can only be read',
};

export function wordsFor(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const result = resultOf(error);
  const io = 'errcode' in error ? IO_WORDS.get(Number(error.errcode)) : undefined;
  if (io !== undefined) return io;
  if (result === CONSTRAINT) return `it breaks a rule of the database: ${error.message}`;
  const code = 'code' in error ? String(error.code) : '';
  return WORDS.get(result ?? 0) ?? FILE_WORDS[code] ?? error.message;
}

/** The entry is at fault, not the store: something that the core should not have asked for. */
export class WrongEntry extends Error {}

export function isEntryAtFault(error: unknown): boolean {
  if (error instanceof WrongEntry) return true;
  return error instanceof Error && [CONSTRAINT, 18].includes(resultOf(error) ?? 0);
}

/** The primary result code: the extended ones have more bits above. */
function resultOf(error: Error): number | undefined {
  return 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : undefined;
}
