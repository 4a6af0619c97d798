// JSON-RPC 2.0 (https://www.jsonrpc.org/specification): text ⇄ messages, no state. Either end may ask. Batches are
// answered with Invalid Request: frames already let many requests be under way at once. So is an id that is null or
// fractional, which the specification advises against.

import { shorten } from '../text.ts';
import { MAX_CONTROL_BYTES, MAX_ID_CHARACTERS, MAX_REASON_LENGTH } from './limits.ts';

export type Id = number | string;

export interface RpcError {
  readonly code: number;
  readonly message: string;
  /** What a program decides by; `message` is for people. */
  readonly data?: ErrorData;
}

export interface ErrorData {
  readonly code: string;
  /** The names that are meant. */
  readonly names?: readonly string[];
  /** The message that is meant. */
  readonly id?: number;
  /** Milliseconds after which it is worth trying again. */
  readonly waitMs?: number;
}

export type RpcMessage =
  | { kind: 'request'; id: Id; method: string; params: unknown }
  | { kind: 'notification'; method: string; params: unknown }
  | { kind: 'answer'; id: Id; result: unknown }
  | { kind: 'refusal'; id: Id | null; error: RpcError }
  /** Not a message; to be answered with this error. */
  | { kind: 'invalid'; id: Id | null; error: RpcError };

/** Section 5.1 of the specification; -32000 is the first of those left to the server. */
export const RPC_CODES = { parse: -32700, request: -32600, method: -32601, params: -32602, refused: -32000 } as const;

export function rpcError(kind: keyof typeof RPC_CODES, data: string | ErrorData, message: string): RpcError {
  return { code: RPC_CODES[kind], message, data: typeof data === 'string' ? { code: data } : data };
}

export function formatRpc(message: Exclude<RpcMessage, { kind: 'invalid' }>): string {
  const { kind: _, ...fields } = message;
  return JSON.stringify({ jsonrpc: '2.0', ...fields });
}

/**
 * A request's text, or the refusal that it gets here, before it is sent: a frame that is too long would cost the connection
 * and all that goes on over it. What a program hands over may hold anything, also what JSON has no form for.
 */
export function formatRequest(request: Extract<RpcMessage, { kind: 'request' }>): string | RpcError {
  const said = sayable(request, 'request');
  if (typeof said === 'string') return said;
  return rpcError('params', 'bad-params', `Cannot ask for ${request.method}: ${said.why}; it was not sent`);
}

/** The same of a notification, which nobody answers: what cannot be said is a mistake of whoever notifies, and a `TypeError`. */
export function formatNotification(notification: Extract<RpcMessage, { kind: 'notification' }>): string {
  const said = sayable(notification, 'notification');
  if (typeof said === 'string') return said;
  throw new TypeError(`Cannot notify of ${notification.method}: ${said.why}; it was not sent`);
}

/** What is too long to be told is a short refusal in its place: whoever asked keeps the connection. */
export function formatReply(reply: Extract<RpcMessage, { kind: 'answer' | 'refusal' }>): string {
  const text = formatRpc(reply);
  const bytes = tooLong(text);
  if (bytes === undefined) return text;
  const { id } = reply;
  if (reply.kind === 'answer') {
    const why = `Cannot answer: the answer has ${bytes} bytes, and ${MAX_CONTROL_BYTES} are the most`;
    return formatRpc({ kind: 'refusal', id, error: rpcError('refused', 'answer-too-long', why) });
  }
  const { code, message, data } = reply.error;
  const error = { code, message: shorten(message, MAX_REASON_LENGTH) };
  return formatRpc({
    kind: 'refusal',
    id,
    error: data === undefined ? error : { ...error, data: { code: data.code } },
  });
}

function sayable(message: Exclude<RpcMessage, { kind: 'invalid' }>, what: string): string | { readonly why: string } {
  let text: string;
  try {
    text = formatRpc(message);
  } catch (error) {
    // The lines that follow draw the circle.
    const [why] = (error instanceof Error ? error.message : String(error)).split('\n', 1);
    return { why: `JSON cannot say it (${why})` };
  }
  const bytes = tooLong(text);
  return bytes === undefined ? text : { why: `the ${what} has ${bytes} bytes, and ${MAX_CONTROL_BYTES} are the most` };
}

/** Its bytes, if they are more than a frame takes. */
function tooLong(text: string): number | undefined {
  // A UTF-16 unit is at most three bytes of UTF-8: what is short by that is not counted.
  if (text.length * 3 <= MAX_CONTROL_BYTES) return undefined;
  const { length } = new TextEncoder().encode(text);
  return length <= MAX_CONTROL_BYTES ? undefined : length;
}

export function parseRpc(text: string): RpcMessage {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { kind: 'invalid', id: null, error: rpcError('parse', 'not-json', 'Cannot read the message: not JSON') };
  }
  if (Array.isArray(value)) return invalid(null, 'batches are not spoken here');
  if (!isRecord(value)) return invalid(null, 'not an object');
  const given = field(value, 'id');
  const id = isId(given) ? given : null;
  if (field(value, 'jsonrpc') !== '2.0') return invalid(id, 'jsonrpc is not "2.0"');
  if (Object.hasOwn(value, 'method')) return parseCall(value, id);
  if (Object.hasOwn(value, 'error')) return parseRefusal(value, id);
  if (!Object.hasOwn(value, 'result')) return invalid(id, 'no method, no result and no error');
  if (id === null) return invalid(null, 'an answer without an id');
  return { kind: 'answer', id, result: field(value, 'result') };
}

function parseCall(value: Record<string, unknown>, id: Id | null): RpcMessage {
  const method = field(value, 'method');
  const params = field(value, 'params');
  if (typeof method !== 'string') return invalid(id, 'method is not a string');
  if (params !== undefined && (typeof params !== 'object' || params === null)) {
    return invalid(id, 'params is neither an object nor an array');
  }
  if (!Object.hasOwn(value, 'id')) return { kind: 'notification', method, params };
  if (id === null) return invalid(null, `id is neither an integer nor a string of at most ${MAX_ID_CHARACTERS}`);
  return { kind: 'request', id, method, params };
}

function parseRefusal(value: Record<string, unknown>, id: Id | null): RpcMessage {
  const error = field(value, 'error');
  if (!isRecord(error)) return invalid(id, 'error is not an object');
  const code = field(error, 'code');
  const message = field(error, 'message');
  if (typeof code !== 'number' || typeof message !== 'string') return invalid(id, 'error lacks a code or a message');
  const data = parseData(field(error, 'data'));
  return { kind: 'refusal', id, error: data === undefined ? { code, message } : { code, message, data } };
}

function parseData(value: unknown): ErrorData | undefined {
  if (!isRecord(value)) return undefined;
  const [code, names, id, waitMs] = ['code', 'names', 'id', 'waitMs'].map((name) => field(value, name));
  if (typeof code !== 'string') return undefined;
  const isNames = (given: unknown): given is string[] =>
    Array.isArray(given) && given.every((name) => typeof name === 'string');
  return {
    code,
    ...(isNames(names) ? { names } : {}),
    ...(isWhole(id) ? { id } : {}),
    ...(isWhole(waitMs) ? { waitMs } : {}),
  };
}

function isWhole(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value);
}

function invalid(id: Id | null, why: string): RpcMessage {
  return { kind: 'invalid', id, error: rpcError('request', 'invalid-request', `Invalid request: ${why}`) };
}

function isId(value: unknown): value is Id {
  return typeof value === 'string' ? value.length <= MAX_ID_CHARACTERS : Number.isSafeInteger(value);
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Only what the sender wrote: never something inherited. */
export function field(value: Record<string, unknown>, name: string): unknown {
  return Object.hasOwn(value, name) ? value[name] : undefined;
}
