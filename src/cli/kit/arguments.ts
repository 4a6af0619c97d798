// What the subcommands share in reading their arguments.

import { reasonOf } from '../../reason.ts';

/** Why `parseArgs` took none of it: the first sentence says what is wrong, the rest is Node's advice about `--`. */
export function whyUnusable(error: unknown): string {
  const text = reasonOf(error);
  const missing = /^Option '(?:-\w, )?(--?[\w-]+)(?: <value>)?' argument (missing|is ambiguous)/.exec(text);
  if (missing !== null) {
    const [, option = '', how] = missing;
    return how === 'missing'
      ? `${option} takes a value, and none follows`
      : `${option} takes a value, and what follows begins with "-"; if it is meant: ${option}=VALUE`;
  }
  return text.split(/\.(?:\s|$)|\n/)[0] ?? text;
}
