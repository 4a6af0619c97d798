// Which names of a client's environment may reach a command. An allow-list: LD_PRELOAD, BASH_ENV, NODE_OPTIONS and
// whatever comes to be like them never pass.

const ALLOWED = /^(?:LANG|LC_[A-Z]+|TERM|TZ)$/;
/** A locale or terminal name is short; anything longer is not one. */
const MAX_VALUE_CHARACTERS = 256;

export function allowedEnvironment(given: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const allowed: Record<string, string> = {};
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || value.length > MAX_VALUE_CHARACTERS || value.includes('\0')) continue;
    if (ALLOWED.test(name)) allowed[name] = value;
  }
  return allowed;
}
