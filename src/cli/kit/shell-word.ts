// A word as it can be pasted into a shell: what has a meaning there is quoted, a ! too, which bash looks for in its history.

export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
