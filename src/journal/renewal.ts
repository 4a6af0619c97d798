// What an older database has otherwise, moved bit by bit while a server runs and has nothing else to write: the words of
// its messages into slices, and what each account heard of the groups into stretches. Until then the old way answers.

import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { numberOf } from './database.ts';
import type { WordIndexer } from './index-words.ts';
import { inTransaction } from './transaction.ts';

/** Messages whose words are moved at once: some tens of milliseconds. */
const CHUNK_MESSAGES = 2_000;

export class Renewal {
  readonly #database: DatabaseSync;
  readonly #words: WordIndexer;
  #heard: StatementSync | undefined;
  #isDone = false;

  constructor(database: DatabaseSync, words: WordIndexer) {
    this.#database = database;
    this.#words = words;
  }

  /** Does a part; false: nothing is left. Throws what SQLite throws. */
  step(): boolean {
    // Nobody waits for it: after a power cut it is moved again.
    this.#database.exec('PRAGMA synchronous = NORMAL');
    this.#isDone ||= !this.#moveHeard() && !this.#moveWords();
    return !this.#isDone;
  }

  /** From the newest back: that is what is looked for. */
  #moveWords(): boolean {
    const upTo = numberOf(this.#database, 'SELECT old_words_up_to FROM meta');
    if (upTo === 0) {
      this.#database.exec('DROP TABLE IF EXISTS message_text');
      return false;
    }
    const from = Math.max(upTo - CHUNK_MESSAGES + 1, this.#words.startOf(upTo));
    try {
      inTransaction(this.#database, () => {
        this.#words.insert(from, upTo);
        this.#database.prepare('UPDATE meta SET old_words_up_to = ?').run(from - 1);
      });
    } catch (error) {
      this.#words.forget();
      throw error;
    }
    return true;
  }

  /** Of one account, from the newest back. */
  #moveHeard(): boolean {
    const account = numberOf(this.#database, 'SELECT heard_above FROM meta');
    if (account === 0) return false;
    const heard = (this.#heard ??= this.#prepareHeard());
    inTransaction(this.#database, () => {
      heard.run({ account });
      this.#database.exec(
        `UPDATE meta SET heard_above = ifnull((SELECT max(id) FROM account WHERE id < ${account}), 0)`,
      );
    });
    if (numberOf(this.#database, 'SELECT heard_above FROM meta') === 0) {
      this.#heard = undefined;
      this.#database.exec('DROP TABLE temp.told_groups');
    }
    return true;
  }

  /**
   * What was said to groups, numbered in each: where two messages of a member follow one another there, they belong to one
   * stretch. By message: a search in it for each row of a member is all that it takes.
   */
  #prepareHeard(): StatementSync {
    this.#database.exec(`
      DROP TABLE IF EXISTS temp.told_groups;
      CREATE TEMP TABLE told_groups (message INTEGER, peer TEXT, n INTEGER, PRIMARY KEY (message, peer)) WITHOUT ROWID;
      INSERT INTO told_groups SELECT message, peer, row_number() OVER (PARTITION BY peer ORDER BY message)
        FROM talk WHERE member = 0 AND message <= (SELECT heard_from FROM meta);
    `);
    return this.#database.prepare(`
      INSERT INTO heard
        SELECT :account, peer, min(message), max(message) FROM (
          SELECT peer, message, n - row_number() OVER (PARTITION BY peer ORDER BY message) AS stretch FROM (
            SELECT g.* FROM recipient r CROSS JOIN told_groups g ON g.message = r.message WHERE r.member = :account
            UNION SELECT g.* FROM message s INDEXED BY message_by_sender CROSS JOIN told_groups g ON g.message = s.id
              WHERE s.sender = :account AND s.sent_as <> 'broadcast'))
        GROUP BY peer, stretch`);
  }
}
