// Ten million messages in a journal, made once: the same ones everywhere, by a seed. The schema is the server's own, the
// rows are put in with plain SQL; what the server itself makes (its owner, its token) it has made before.

import type { DatabaseSync } from 'node:sqlite';
import { openForWriting } from '../src/journal/database.ts';
import { WordIndexer } from '../src/journal/index-words.ts';
import { say } from './table.ts';

const ACCOUNTS = 1_000;
/** The one whose history is read: the first account of a server. */
const OWNER = 1;
/** Whom the owner talks with: the accounts next to it. */
export const FRIENDS = 50;
const GROUPS = 20;
const GROUP_MEMBERS = 8;
const BROADCASTS = 0.55;
const GROUP_MESSAGES = 0.05;
/** Of the messages to one: with the owner, and between the two whose word nobody else uses. */
const WITH_OWNER = 0.02;
const WITHIN_PAIR = 0.025;
/** What two others say to each other in every message, and to nobody else: it is found a hundred thousand times, for them. */
export const HIDDEN_WORD = 'zzhidden';
export const WORDS = 50_000;
const WORDS_PER_MESSAGE = 9;
const MESSAGES_PER_STEP = 20_000;
const SEED = 20_201_217;
const FIRST_AT_MS = Date.UTC(2021, 0, 1);
const MS_BETWEEN = 15_000;

export function nameOf(member: number): string {
  return member === OWNER ? 'owner' : `member${member}`;
}

export function groupOf(number: number): string {
  return `#group${number}`;
}

/** The owner is in the first. */
function isIn(group: number, member: number): boolean {
  return (member - OWNER - group * GROUP_MEMBERS + ACCOUNTS) % ACCOUNTS < GROUP_MEMBERS;
}

/** The words of the messages, by how often they come: the first in most messages, the last in one of 60,000. */
export function wordAt(rank: number): string {
  const consonants = 'bdfgklmnprstvz';
  let word = '';
  for (let rest = rank + 1; rest > 0; rest = Math.floor(rest / (consonants.length * 5))) {
    const syllable = rest % (consonants.length * 5);
    word += `${consonants[Math.floor(syllable / 5)]}${'aeiou'[syllable % 5]}`;
  }
  return word;
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export function fill(path: string, messages: number): void {
  const database = openForWriting(path);
  // Nothing is lost if it breaks: it is made again.
  database.exec('PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; PRAGMA cache_size = -1048576');
  addMembers(database, messages);
  const add = adder(database);
  const indexer = new WordIndexer(database, MESSAGES_PER_STEP);
  for (let from = 0; from < messages; from += MESSAGES_PER_STEP) {
    const upTo = Math.min(messages, from + MESSAGES_PER_STEP);
    database.exec('BEGIN');
    for (let id = from + 1; id <= upTo; id++) add(id);
    database.exec('COMMIT');
    while (indexer.step(upTo));
    if (upTo % 1_000_000 === 0) say(`history  ${upTo / 1e6} of ${messages / 1e6} M messages are made`);
  }
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  database.close();
}

function addMembers(database: DatabaseSync, head: number): void {
  database.exec('BEGIN');
  const account = database.prepare(
    `INSERT INTO account VALUES (?, ?, ?, 'member', 'person', ${FIRST_AT_MS}, 0, NULL, ${head}, NULL, ${OWNER})`,
  );
  for (let id = OWNER + 1; id <= ACCOUNTS; id++) account.run(id, nameOf(id), nameOf(id));
  database.exec(`UPDATE account SET since = 0, delivered = ${head} WHERE id = ${OWNER}`);
  const join = database.prepare('INSERT INTO group_member VALUES (NULL, ?, ?)');
  // Each hears all of its group, from the first message on.
  const hear = database.prepare(`INSERT INTO heard VALUES (?, ?, 1, ${Number.MAX_SAFE_INTEGER})`);
  for (let group = 0; group < GROUPS; group++) {
    database.prepare('INSERT INTO "group" VALUES (?, ?, ?)').run(group + 1, groupOf(group), groupOf(group));
    for (let id = OWNER; id <= ACCOUNTS; id++) {
      if (!isIn(group, id)) continue;
      join.run(group + 1, id);
      hear.run(id, groupOf(group));
    }
  }
  database.exec('COMMIT');
}

/** Adds the message of this id, as `src/journal/append.ts` would. */
function adder(database: DatabaseSync): (id: number) => void {
  const message = database.prepare('INSERT INTO message VALUES (?, ?, ?, ?, ?, ?, ?)');
  const recipient = database.prepare('INSERT INTO recipient VALUES (?, ?)');
  const talk = database.prepare('INSERT OR IGNORE INTO talk VALUES (?, ?, ?)');
  const words = Array.from({ length: WORDS }, (_, rank) => wordAt(rank));
  const next = chance(SEED);
  const someone = () => OWNER + Math.floor(next() * ACCOUNTS);
  const someOther = () => OWNER + 1 + Math.floor(next() * (ACCOUNTS - 1));
  const someText = () => {
    let text = words[Math.floor(WORDS ** next()) - 1] ?? '';
    for (let i = 1; i < WORDS_PER_MESSAGE; i++) text += ` ${words[Math.floor(WORDS ** next()) - 1]}`;
    return text;
  };
  const addTo = (id: number, sender: number, receiver: number, text: string) => {
    message.run(
      id,
      FIRST_AT_MS + id * MS_BETWEEN,
      sender,
      nameOf(sender),
      'singlecast',
      `["${nameOf(receiver)}"]`,
      text,
    );
    recipient.run(receiver, id);
    talk.run(receiver, nameOf(sender), id);
    talk.run(sender, nameOf(receiver), id);
  };
  return (id) => {
    const kind = next();
    const atMs = FIRST_AT_MS + id * MS_BETWEEN;
    if (kind < BROADCASTS) {
      const sender = someone();
      message.run(id, atMs, sender, nameOf(sender), 'broadcast', '["all"]', someText());
    } else if (kind < BROADCASTS + GROUP_MESSAGES) {
      const group = Math.floor(next() * GROUPS);
      const at = group * GROUP_MEMBERS;
      const sender = OWNER + at + Math.floor(next() * GROUP_MEMBERS);
      message.run(id, atMs, sender, nameOf(sender), 'multicast', `["${groupOf(group)}"]`, someText());
      for (let i = 0; i < GROUP_MEMBERS; i++) if (OWNER + at + i !== sender) recipient.run(OWNER + at + i, id);
      talk.run(0, groupOf(group), id);
    } else {
      const which = next();
      if (which < WITH_OWNER) {
        const friend = OWNER + 1 + Math.floor(next() * FRIENDS);
        if (next() < 0.5) addTo(id, OWNER, friend, someText());
        else addTo(id, friend, OWNER, someText());
      } else if (which < WITH_OWNER + WITHIN_PAIR) {
        addTo(id, ACCOUNTS - 1, ACCOUNTS, `${HIDDEN_WORD} ${someText()}`);
      } else {
        addTo(id, someOther(), someOther(), someText());
      }
    }
  };
}
