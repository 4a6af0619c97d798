// What keeps hold of a run on this machine, the surest first.

import { findCgroup, makeCgroup, treeIn } from './cgroup.ts';
import type { Hold } from './control.ts';
import { tellsSessions } from './members.ts';

export { type Hold, MARK_VARIABLE } from './control.ts';

export type Holding =
  | { readonly hold: 'cgroup'; readonly directory: string }
  /** Why no cgroup. */
  | { readonly hold: 'mark'; readonly reason: string }
  | { readonly hold: 'group' };

/** `most`: nothing surer than this is looked for. */
export function findHold(most: Hold = 'cgroup'): Holding {
  if (!tellsSessions || most === 'group') return { hold: 'group' };
  if (most === 'mark') return { hold: 'mark', reason: 'it is not asked for' };
  const found = findCgroup();
  return 'directory' in found ? { hold: 'cgroup', ...found } : { hold: 'mark', ...found };
}

/** For one runner process, as sure as it can be had now. */
export function takeHold(holding: Holding, mark: string): { readonly hold: Hold; readonly cgroup?: string } {
  if (holding.hold !== 'cgroup') return { hold: holding.hold };
  const cgroup = treeIn(holding.directory, mark);
  return makeCgroup(cgroup) === undefined ? { hold: 'cgroup', cgroup } : { hold: 'mark' };
}
