// What a server does first: end what is left of the runs of an earlier one that was killed.

import { removeMemory } from './memory.ts';
import { dropMark, isBeingEnded, killMarked, type Mark, orphansIn } from './marks.ts';

/** Added to its grace: what a runner process takes to end its runs after its server has died. */
const SLACK_MS = 1_000;

export interface Sweep {
  /** What is still waited for is ended now. */
  close(): void;
}

/** A runner process that has survived its server has `graceMs` to end its runs; what is left is sent KILL. */
export function sweep(directory: string, { graceMs, memory }: { graceMs: number; memory: string }): Sweep {
  const waiting = new Map<NodeJS.Timeout, Mark>();
  const end = (mark: Mark): void => {
    killMarked(mark, new Set());
    removeMemory(memory, mark.mark);
    dropMark(directory, mark);
  };
  for (const mark of orphansIn(directory)) {
    if (!isBeingEnded(mark)) {
      end(mark);
      continue;
    }
    const timer = setTimeout(() => {
      waiting.delete(timer);
      end(mark);
    }, graceMs + SLACK_MS);
    waiting.set(timer.unref(), mark);
  }
  return {
    close() {
      for (const [timer, mark] of waiting) {
        clearTimeout(timer);
        end(mark);
      }
      waiting.clear();
    },
  };
}
