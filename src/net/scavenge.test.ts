// That memory is looked through when much was read, and no sooner.

import assert from 'node:assert/strict';
import { PerformanceObserver, constants } from 'node:perf_hooks';
import { test } from 'node:test';
import { countRead } from './scavenge.ts';

const { NODE_PERFORMANCE_GC_FLAGS_FORCED, NODE_PERFORMANCE_GC_MINOR } = constants;

test('what is new is looked through for every 4 MiB that were read', async () => {
  const kinds: unknown[] = [];
  const { promise: seen, resolve } = Promise.withResolvers<void>();
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { kind, flags } = Object('detail' in entry ? entry.detail : {});
      if (flags === NODE_PERFORMANCE_GC_FLAGS_FORCED) kinds.push(kind);
    }
    if (kinds.length >= 2) resolve();
  });
  observer.observe({ entryTypes: ['gc'] });
  for (let read = 0; read < 191; read++) countRead(65_536);
  await seen;
  observer.disconnect();
  assert.deepEqual(kinds, [NODE_PERFORMANCE_GC_MINOR, NODE_PERFORMANCE_GC_MINOR]);
});
