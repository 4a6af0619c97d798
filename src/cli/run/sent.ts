// What the command line sends of its own with a command, and what it does not even ask for.

import { MAX_CONTROL_BYTES } from '../../protocol/native/limits.ts';
import type { WireCommand } from '../../protocol/native/methods/run.ts';

/** The part of the environment that a server may want; everything else stays here. */
const SENT = /^(?:LANG|LC_[A-Z]+|TERM|TZ)$/;
const ZONE = /^:?(?:\/etc\/localtime|\/usr\/share\/zoneinfo\/[\w+./-]*|[\w+<>,.-][\w+<>,./:-]*)?$/;
/** UTF-16 units of a value: a locale, a terminal and a time zone are short. */
const MAX_SENT_LENGTH = 256;
/** Bytes of a request beside its command: names, numbers, environment. */
const REQUEST_OVERHEAD_BYTES = 65_536;

export function sentEnvironment(environment: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const sent: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    if (value !== undefined && SENT.test(name) && isFit(name, value)) sent[name] = value;
  }
  return sent;
}

/** What is neither would be refused, and nobody asked for it. */
function isFit(name: string, value: string): boolean {
  const isPlain = name === 'TZ' ? ZONE.test(value) && !value.includes('..') : !/[/%]/.test(value);
  return isPlain && value.length <= MAX_SENT_LENGTH;
}

/** Undefined: the command fits a request. Found out here, it costs neither a connection nor a confirmation. */
export function refusalOfLength(command: WireCommand): string | undefined {
  const most = MAX_CONTROL_BYTES - REQUEST_OVERHEAD_BYTES;
  const length = new TextEncoder().encode(JSON.stringify(command)).length;
  return length <= most ? undefined : `the command has ${length} bytes, and ${most} are the most`;
}
