// What of a client's environment a command gets, at the end where it is to start; what may not pass is said by name, and
// nothing starts.

import { passedEnvironment, type Environment, type EnvironmentFault, type Wider } from '../core/run/environment.ts';
import { rpcError, type RpcError } from '../protocol/native/rpc.ts';
import { quote } from '../protocol/text.ts';

/** Names in a refusal: it stays a sentence. */
const MAX_NAMES = 8;
/** UTF-16 units of each. */
const MAX_NAME_LENGTH = 64;

export type Passed = { readonly env: Environment } | { readonly error: RpcError };

export interface Passing {
  readonly wider: Wider;
  /** Where, as it is called. */
  readonly host: string;
  /** How more is listed there. */
  readonly listedBy: string;
}

export function passOn(given: Environment, { wider, ...there }: Passing): Passed {
  const passed = passedEnvironment(given, wider);
  if (!('refused' in passed)) return passed;
  const { refused, names, why } = passed;
  const shown = names.slice(0, MAX_NAMES).map((name) => quote(name, MAX_NAME_LENGTH).slice(1, -1));
  const more = names.length > shown.length ? `, and ${names.length - shown.length} more` : '';
  const message = `Cannot pass ${shown.join(', ')}${more} on to the command: ${REASONS[why](there)}; nothing was started`;
  return { error: rpcError('refused', { code: refused, names }, message) };
}

const REASONS: Readonly<Record<EnvironmentFault, (there: Omit<Passing, 'wider'>) => string>> = {
  never: () => 'it can make programs load or run something else, or is no name',
  'not-listed': ({ host, listedBy }) => `${host} does not list it among what it passes (${listedBy})`,
  value: () => 'what it is set to is too long, or no locale, terminal or time zone',
};
