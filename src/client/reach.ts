// Where a server is and whether it may be spoken to in plain text: one rule for every command. Without a scheme, plain
// text goes towards loopback only, judged by the address that was reached and never by what was typed.

import { DEFAULT_PORT, formatHostPort, parseServerAddress } from '../net/address.ts';
import { dial, DialError, type Dialled } from '../net/dial.ts';
import { isLoopbackAddress } from '../net/peer.ts';
import { quote } from '../protocol/text.ts';

/** Says that plain text beyond loopback is meant. */
const INSECURE = 'tcp+insecure';

/** What differs between the protocols that a client speaks. */
export interface Policy {
  /** As it is called in a refusal of other schemes. */
  readonly what: string;
  /** Scheme to the port where it is at home. Without a scheme it is `tcp`. */
  readonly ports: Readonly<Record<string, number>>;
  /** Where else than towards loopback it may be plain: where that was asked for, nowhere, anywhere. */
  readonly plain: 'asked' | 'never' | 'anywhere';
}

export const LINES: Policy = {
  what: 'the line protocol',
  ports: { tcp: DEFAULT_PORT, line: DEFAULT_PORT, [INSECURE]: DEFAULT_PORT },
  plain: 'asked',
};

/** The owner token counts from loopback only, whatever was asked for. */
export const OWNER: Policy = {
  what: 'commands',
  ports: { tcp: DEFAULT_PORT, [INSECURE]: DEFAULT_PORT },
  plain: 'never',
};

/** Where a server's `echo://` listener is unless told otherwise: RFC 862's own port 7 needs rights. */
export const DEFAULT_ECHO_PORT = 7007;

/** RFC 862 is plain by nature, and nothing in it is worth protecting. */
export const ECHO: Policy = {
  what: 'echo',
  ports: {
    tcp: DEFAULT_PORT,
    [INSECURE]: DEFAULT_PORT,
    echo: DEFAULT_ECHO_PORT,
    'echo+insecure': DEFAULT_ECHO_PORT,
  },
  plain: 'anywhere',
};

/** `unreached`: nobody could be asked. `denied`: it is not allowed, by the server or by us. */
export type ReachFailure = 'unreached' | 'denied';

/** The server could not be reached, or not in a way that is safe. The message is one line. */
export class ReachError extends Error {
  override readonly name = 'ReachError';
  readonly kind: ReachFailure;

  constructor(kind: ReachFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

export interface Target {
  readonly scheme: string;
  readonly host: string;
  readonly port: number;
}

/** `wrong` is how it was written, `refused` what this program cannot do. */
export type TargetRefusal = { readonly wrong: string } | { readonly refused: string };

/** Reads `[SCHEME://]HOST[:PORT]`, for this protocol. */
export function readTarget(text: string, { what, ports }: Policy): Target | TargetRefusal {
  const given = parseServerAddress(text);
  if ('refused' in given) return { wrong: given.refused };
  const { scheme = 'tcp' } = given;
  if (scheme === 'tls') return { refused: `Cannot connect to ${quote(text)}: TLS is not available yet` };
  const defaultPort = Object.hasOwn(ports, scheme) ? ports[scheme] : undefined;
  if (defaultPort === undefined) {
    const known = Object.keys(ports).map((one) => `${one}://`);
    return { wrong: `${quote(scheme)} does not carry ${what}: expected ${known.join(', ')} or no scheme` };
  }
  const address = parseServerAddress(text, { defaultPort });
  return 'refused' in address ? { wrong: address.refused } : { scheme, host: address.host, port: address.port };
}

export interface Reached extends Dialled {
  /** As it was given, without scheme and port. */
  readonly host: string;
}

export interface ReachOptions {
  readonly policy: Policy;
  readonly signal?: AbortSignal | undefined;
  readonly allowHalfOpen?: boolean;
}

/** Connects to `[SCHEME://]HOST[:PORT]`. Throws a `ReachError`, or the signal's reason; nothing has been sent then. */
export async function reach(text: string, { policy, signal, allowHalfOpen = false }: ReachOptions): Promise<Reached> {
  const target = readTarget(text, policy);
  if ('wrong' in target) throw new ReachError('unreached', target.wrong);
  if ('refused' in target) throw new ReachError('unreached', target.refused);
  const { host, port } = target;
  const dialled = await dial({ host, port, signal, allowHalfOpen }).catch((error: unknown) => {
    throw error instanceof DialError ? new ReachError('unreached', error.message, { cause: error }) : error;
  });
  const refused = refusalOfPlain(target, { address: dialled.address, policy });
  if (refused === undefined) return { ...dialled, host };
  dialled.socket.destroy();
  throw new ReachError('denied', `Cannot connect to ${formatHostPort(host, port)}: ${refused}`);
}

/** Why no plain text goes to the address that was reached; undefined if it may. */
export function refusalOfPlain(
  { scheme, host, port }: Target,
  { address, policy: { plain } }: { address: string; policy: Policy },
): string | undefined {
  if (plain === 'anywhere' || isLoopbackAddress(address)) return undefined;
  if (scheme === INSECURE) {
    return plain === 'asked'
      ? undefined
      : `not allowed: the owner token counts from loopback only, ${address} is not, and nothing was sent`;
  }
  const why = `${address} is not loopback, TLS is not available yet, and nothing was sent in plain text`;
  return plain === 'asked' ? `${why}; ${INSECURE}://${formatHostPort(host, port)} says that it is meant` : why;
}
