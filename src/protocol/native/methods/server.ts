// What is asked of any server, and what it says of itself.

import { CLOSING } from '../connection.ts';
import { method, notification, NOTHING } from '../method.ts';
import { listOf, object, optional, text, type Schema } from '../shape.ts';

export const ping = method('ping', { params: NOTHING, result: NOTHING });

/** Each address that is bound, as the server's console has it: `tcp://127.0.0.1:7270`; and the same by the names of `--listen`. */
export const serverListening = method('server.listening', {
  params: NOTHING,
  result: object({ urls: listOf(text), names: optional(listOf(text)) }),
});

/** An OpenRPC 1.3 document: its own specification says what is in it. */
const openRpc: Schema = { type: 'object', required: ['openrpc', 'info', 'methods'] };

export const rpcDiscover = {
  ...method('rpc.discover', { params: NOTHING, result: object({ openrpc: text }) }),
  result: openRpc,
};

/** Comes before every close, and says why; `code` where a program decides by it. */
export const connectionClosing = notification(CLOSING, object({ reason: text, code: optional(text) }));
