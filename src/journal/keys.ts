// What a name or a group is found by, however it is spelled.

import { MAX_HOST_NAME_CODE_POINTS, parseName } from '../core/name.ts';

export const ALL = 'all';

export function isGroup(addressed: string): boolean {
  return addressed.startsWith('#');
}

/** For what is no name at all: its lower case, so that nothing is lost and nothing clashes. */
export function keyOf(addressed: string): string {
  if (isGroup(addressed)) return `#${keyOf(addressed.slice(1))}`;
  const parsed = parseName(addressed, { maxCodePoints: MAX_HOST_NAME_CODE_POINTS });
  return 'refused' in parsed ? addressed.toLowerCase() : parsed.key;
}

/** Whether it was said to somebody by name; what was said to groups alone belongs to no two members. */
export function isDirect({ cast, to }: { readonly cast: string; readonly to: readonly string[] }): boolean {
  return cast !== 'broadcast' && to.some((addressed) => !isGroup(addressed));
}
