// What `rpc.discover` says: the OpenRPC document of this server, made of the very table that answers.

import type { Notification } from '../../protocol/native/method.ts';
import { chatBehind, chatLive, chatMessage, chatReceipt } from '../../protocol/native/methods/chat.ts';
import { runEnded } from '../../protocol/native/methods/run.ts';
import { connectionClosing } from '../../protocol/native/methods/server.ts';
import type { Schema } from '../../protocol/native/shape.ts';
import type { Entry } from './entry.ts';

/** https://spec.open-rpc.org */
const OPENRPC = '1.3.2';
/** Of the protocol, as in the preface. */
const VERSION = '1';

export const NOTIFICATIONS: readonly Notification<unknown>[] = [
  chatMessage,
  chatBehind,
  chatLive,
  chatReceipt,
  runEnded,
  connectionClosing,
];

export function describe(entries: Iterable<Entry>, serverName: string): { readonly openrpc: string } {
  const document = {
    openrpc: OPENRPC,
    info: { title: `The native protocol of ${serverName}`, version: VERSION },
    methods: Array.from(entries, ({ method, needs, summary }) => ({
      name: method.name,
      summary,
      paramStructure: 'by-name',
      params: paramsOf(method.params),
      result: { name: 'result', schema: method.result },
      'x-needs': needs,
    })),
    // OpenRPC has no word for what a server tells by itself.
    'x-notifications': NOTIFICATIONS.map(({ name, params }) => ({ name, params: paramsOf(params) })),
  };
  return document;
}

function paramsOf({ properties = {}, required = [] }: Schema) {
  return Object.entries(properties).map(([name, schema]) => ({ name, required: required.includes(name), schema }));
}
