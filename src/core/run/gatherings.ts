// Which starts of a session are one run: those to which it gave the same number, with the same command to be run alike.

import type { RunCommand } from '../ports.ts';
import { MAX_HOSTS_OF_RUN, type RunId, type Setting } from './record.ts';

/** Runs on many hosts that a session begins at once, and goes on beginning. */
const MAX_GATHERINGS = 64;

interface Gathered {
  readonly command: RunCommand;
  readonly setting: Setting;
}

interface Gathering {
  readonly run: RunId;
  readonly text: string;
  hosts: number;
}

export class Gatherings {
  readonly #all = new Map<number, Gathering>();

  /** A command that is another one belongs to another run: a record says what ran. */
  runOf(together: number, what: Gathered, newRun: () => RunId): RunId | { readonly refused: 'another-command' } {
    const found = this.#all.get(together);
    const text = JSON.stringify(what);
    if (found !== undefined && found.text !== text) return { refused: 'another-command' };
    if (found !== undefined && found.hosts < MAX_HOSTS_OF_RUN) {
      found.hosts += 1;
      return found.run;
    }
    const gathering = { run: newRun(), text, hosts: 1 };
    this.#all.delete(together);
    this.#all.set(together, gathering);
    for (const [oldest] of this.#all) {
      if (this.#all.size <= MAX_GATHERINGS) break;
      this.#all.delete(oldest);
    }
    return gathering.run;
  }
}
