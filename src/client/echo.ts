// The client's end of ECHO: the exchange of names, by which a Partyline server and a plain RFC 862 server are told
// apart, and then bytes both ways at the pace of the slowest.

import { isIP } from 'node:net';
import { dial, type Dialled, type DialOptions } from '../net/dial.ts';
import { normaliseAddress } from '../net/peer.ts';
import {
  formatEchoGreeting,
  MAX_ECHO_LINE_BYTES,
  parseEchoAnswer,
  type EchoAnswer,
} from '../protocol/echo/exchange.ts';
import { quote } from '../protocol/text.ts';
import { readFirstLine } from './first-line.ts';
import { hintOfTls } from './reach.ts';
import type { SecureOptions } from './secure.ts';
import type { Trust } from './trust.ts';

/** A round trip on a bad satellite link takes 1 s and a lost segment 3 s more; who needs longer is not going to answer. */
export const ECHO_ANSWER_DEADLINE_MS = 10_000;

export interface EchoOptions extends DialOptions {
  /** What we are called; undefined sends no first line: only bytes, as RFC 862 has it. */
  readonly name: string | undefined;
  readonly answerDeadlineMs?: number;
  /** By TLS, to a server that is known or becomes so; undefined: plain text. */
  readonly tls?: Trust | undefined;
}

export type EchoServer =
  | { readonly kind: 'partyline'; readonly name: string; readonly seenAs: { address: string; port: number } }
  /** RFC 862: it has no name. */
  | { readonly kind: 'plain' };

export interface EchoConnection extends Dialled {
  readonly server: EchoServer;
  /** What came after the exchange in the same reading; the first of the echo. */
  readonly rest: Uint8Array;
}

/** Something answered, but not with ECHO, or not as the server that is known. The message is one line. */
export class EchoError extends Error {
  override readonly name = 'EchoError';
  /** What comes behind where it was; its subject is `it`, the server. */
  readonly why: string;
  /** Nothing came. */
  readonly isSilent: boolean;

  constructor(message: string, { why, isSilent = false }: { readonly why: string; readonly isSilent?: boolean }) {
    super(message);
    this.why = why;
    this.isSilent = isSilent;
  }
}

/** Connects and exchanges names. Throws a `DialError` or an `EchoError`. */
export async function openEcho(options: EchoOptions): Promise<EchoConnection> {
  const dialled = await connect(options);
  try {
    return await exchangeNames(dialled, options);
  } catch (error) {
    if (!(error instanceof EchoError) || options.tls !== undefined) throw error;
    throw new EchoError(error.message + hintOfTls({ ...dialled, host: options.host, fingerprint: undefined }), error);
  }
}

/** On a connection that is there; without a name of ours there is nothing to exchange. Throws an `EchoError`. */
export async function exchangeNames(
  dialled: Dialled,
  options: Pick<EchoOptions, 'name' | 'host' | 'port' | 'answerDeadlineMs' | 'clock'>,
): Promise<EchoConnection> {
  const { name, host, port, answerDeadlineMs = ECHO_ANSWER_DEADLINE_MS, clock } = options;
  if (name === undefined) return { ...dialled, server: { kind: 'plain' }, rest: new Uint8Array() };
  const { socket } = dialled;
  socket.write(formatEchoGreeting(name));
  const bounds = { deadlineMs: answerDeadlineMs, maxBytes: MAX_ECHO_LINE_BYTES, clock };
  const answer = await readFirstLine(socket, bounds);
  if ('none' in answer) throw none({ why: answer.none, isSilent: answer.isSilent === true });
  const said = parseEchoAnswer(answer.line, name);
  if (said.kind === 'refused') throw none({ why: `it answered ${said.text}` });
  const server = serverOf(said);
  if (server.kind === 'none') throw none(server);
  return { ...dialled, server, rest: answer.rest };

  function none(failure: { readonly why: string; readonly isSilent?: boolean }): EchoError {
    socket.destroy();
    return new EchoError(`${host} port ${port} does not speak ECHO: ${failure.why}`, failure);
  }
}

async function connect(options: EchoOptions): Promise<Dialled> {
  const { tls: trust, host, signal } = options;
  if (trust === undefined) return dial({ ...options, allowHalfOpen: true });
  // Loaded while we dial: a server greets whoever is silent for 300 ms, and that would break the handshake.
  const loading = import('./secure.ts');
  const dialled = await dial({ ...options, allowHalfOpen: true });
  await loading;
  return await secureEcho(dialled, { host, trust, signal });
}

/** Throws an `EchoError`, or the signal's reason. */
export async function secureEcho(dialled: Dialled, options: SecureOptions): Promise<Dialled> {
  const { secure, SecureError } = await import('./secure.ts');
  return await secure(dialled, options).catch((error: unknown) => {
    throw error instanceof SecureError ? new EchoError(error.message, error) : error;
  });
}

function serverOf(
  answer: Exclude<EchoAnswer, { kind: 'refused' }>,
): EchoServer | { readonly kind: 'none'; why: string } {
  if (answer.kind === 'plain') return { kind: 'plain' };
  const address = normaliseAddress(answer.address);
  const why = `it says that we come from ${quote(address)}, which is no address`;
  if (isIP(address) === 0) return { kind: 'none', why };
  return { kind: 'partyline', name: answer.server, seenAs: { address, port: answer.port } };
}
