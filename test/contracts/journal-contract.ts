// What every journal promises, whatever it keeps its messages in: one suite, run against each.

import { test, type TestContext } from 'node:test';
import { holdsItsOrder } from './journal-order.ts';
import { holdsReading } from './journal-reading.ts';
import { holdsResends } from './journal-resends.ts';
import { holdsRuns } from './journal-runs.ts';
import { holdsSearch } from './journal-search.ts';
import { holdsWho } from './journal-who.ts';
import type { Harness, Holds } from './journal.ts';

const LIMIT = { timeout: 60_000 };

export function journalContract(open: (t: TestContext) => Promise<Harness>): void {
  const holds: Holds = (promise, body) => {
    void test(promise, LIMIT, async (t) => body(await open(t), t));
  };
  holdsItsOrder(holds);
  holdsResends(holds);
  holdsReading(holds);
  holdsSearch(holds);
  holdsWho(holds);
  holdsRuns(holds);
}
