// The keys of servers that were met: a text file, a line each, `HOST:PORT FINGERPRINT`. Lines are only ever added, each in
// one write, and the first one for a server counts: so programs that meet servers at the same moment lose nothing.

import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeDirectory } from './directory.ts';
import { readOwnFile, wordsFor } from './files.ts';

export const KNOWN_SERVERS_FILE = 'known-servers';

/** Of group and others, the right to write: whoever has it could put in a key of their own. */
const OTHERS_WRITE = 0o022;
/** What tells a machine the server's key. */
const NEW_CODE = '--code CODE, of partyline invite NAME --as host';
const LINE = /^(\S+) (sha256\/\/[A-Za-z0-9+/]{43}=)$/;

/** As the client's port `Trust` has it. */
type Met = { met: 'again' } | { met: 'first'; where: string } | { refused: string };
interface Known {
  readonly fingerprint: string;
  readonly line: number;
}

export class KnownServers {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** Compares the key with the one that is remembered, or remembers it. */
  meet(server: string, fingerprint: string): Met {
    const before = this.#find(server);
    if (before !== undefined) return this.#compare(before, fingerprint);
    const failed = this.#add(`${server} ${fingerprint}\n`);
    if (failed !== undefined) return { refused: failed };
    // Another program may have met it at the same moment, and have been first.
    const after = this.#find(server);
    if (after === undefined) return { refused: `${this.#path} does not keep what is written to it` };
    const compared = this.#compare(after, fingerprint);
    return 'refused' in compared ? compared : { met: 'first', where: this.#path };
  }

  /** Compares, and remembers nothing; undefined: it was never met, or nobody can tell. */
  recall(server: string, fingerprint: string): Met | undefined {
    const known = this.#find(server);
    return known === undefined || 'refused' in known ? undefined : this.#compare(known, fingerprint);
  }

  /** The key that is remembered for a server; undefined: none is. */
  keyOf(server: string): string | undefined {
    const known = this.#find(server);
    return known === undefined || 'refused' in known ? undefined : known.fingerprint;
  }

  /** Under which other names and addresses this key has been met. */
  serversOf(fingerprint: string): string[] {
    const all = this.#read();
    if ('refused' in all) return [];
    return Array.from(all).flatMap(([server, known]) => (known.fingerprint === fingerprint ? server : []));
  }

  /** The same, but one that was never met is refused and not remembered. */
  recognise(server: string, fingerprint: string): Met {
    const known = this.#find(server);
    if (known === undefined) {
      return {
        refused:
          `its key ${fingerprint} is not in ${this.#path}, and a machine takes nobody's word for it; the first time, and ` +
          `where it joined over loopback before keys were kept for that, it takes ${NEW_CODE}`,
      };
    }
    return this.#compare(known, fingerprint, `, and join with ${NEW_CODE}`);
  }

  #compare(known: Known | { refused: string }, fingerprint: string, remedy = ''): Met {
    if ('refused' in known) return known;
    if (known.fingerprint === fingerprint) return { met: 'again' };
    return {
      refused:
        `its key was ${known.fingerprint} and is now ${fingerprint}; either somebody stands in between, or the server ` +
        `has a new key: ask whoever runs it, and if that is so remove line ${known.line} of ${this.#path}${remedy}`,
    };
  }

  #find(server: string): Known | { refused: string } | undefined {
    const all = this.#read();
    return 'refused' in all ? all : all.get(server);
  }

  #read(): ReadonlyMap<string, Known> | { refused: string } {
    const text = readOwnFile(this.#path, { others: OTHERS_WRITE, verb: 'write to' }) ?? '';
    if (typeof text === 'object')
      return { refused: `the keys of servers in ${this.#path} cannot be used: ${text.why}` };
    const all = new Map<string, Known>();
    for (const [at, line] of text.split('\n').entries()) {
      if (line.trim() === '' || line.startsWith('#')) continue;
      const [, server, fingerprint] = LINE.exec(line.trimEnd()) ?? [];
      // It may have been any server's.
      if (server === undefined || fingerprint === undefined) {
        return { refused: `line ${at + 1} of ${this.#path} is not HOST:PORT and a fingerprint: mend or remove it` };
      }
      if (!all.has(server)) all.set(server, { fingerprint, line: at + 1 });
    }
    return all;
  }

  /** What failed, or undefined. */
  #add(line: string): string | undefined {
    try {
      makeDirectory(dirname(this.#path));
      const descriptor = openSync(this.#path, 'a+', 0o600);
      try {
        // Somebody's editor, or a full disk, may have left the last line open.
        const isOpen = /[^\n]$/.test(readFileSync(descriptor, 'utf8'));
        writeSync(descriptor, isOpen ? `\n${line}` : line);
        fsyncSync(descriptor);
      } finally {
        closeSync(descriptor);
      }
      return undefined;
    } catch (error) {
      return `its key cannot be remembered in ${this.#path}: ${wordsFor(error)}`;
    }
  }
}
