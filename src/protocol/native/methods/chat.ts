// Talking over a native connection: hearing from a cursor on, saying what arrived, sending, and who is there.

import { method, notification, NOTHING } from '../method.ts';
import { integer, listOf, mapOf, messageId, object, oneOf, optional, text, time, truth } from '../shape.ts';

export const CASTS = ['singlecast', 'multicast', 'broadcast'] as const;
export const OUTCOMES = ['delivered', 'stored'] as const;
export const KINDS = ['person', 'bot', 'host'] as const;
export const FAMILIES = ['ipv4', 'ipv6'] as const;

/** Names and groups of one message; a group reaches more. */
export const MAX_RECIPIENTS = 1_000;

/** As it is told, and as it is found in the history. */
export const MESSAGE = {
  id: integer(1),
  at: time,
  from: text,
  to: listOf(text),
  cast: oneOf(CASTS),
  text,
} as const;

const message = object(MESSAGE);
export type WireMessage = Exclude<ReturnType<typeof message.read>, undefined>;

export const chatSubscribe = method('chat.subscribe', {
  /** `journal`: where `after` comes from. */
  params: object({ after: optional(messageId), journal: optional(text) }),
  result: object({ head: messageId, cursor: messageId, journal: text }),
});

/** A notification as a rule: nobody waits for the answer. */
export const chatAck = method('chat.ack', { params: object({ id: messageId }), result: NOTHING });

const recipients = listOf(text, { min: 1, max: MAX_RECIPIENTS });
const sent = object({ id: integer(1), at: time, to: mapOf(oneOf(OUTCOMES)), repeat: truth });

export const chatSend = method('chat.send', {
  params: object({ to: recipients, text, key: optional(text) }),
  result: sent,
});

/** The text is what is on record of a run, as the server words it. */
export const runShare = method('run.share', {
  params: object({ run: integer(1), to: recipients, key: optional(text) }),
  result: sent,
});

export const chatList = method('chat.list', {
  params: NOTHING,
  result: object({
    members: listOf(object({ name: text, kind: oneOf(KINDS), since: time, family: oneOf(FAMILIES) })),
  }),
});

// ── told to whoever has subscribed ──

export const chatMessage = notification('chat.message', message);
/** So many messages are waiting to be sent. */
export const chatBehind = notification('chat.behind', object({ count: integer(1) }));
/** Everything up to `head` has been sent. */
export const chatLive = notification('chat.live', object({ head: messageId }));
/** What this connection sent has reached one more of those it was for. */
export const chatReceipt = notification(
  'chat.receipt',
  object({ id: integer(1), name: text, outcome: oneOf(OUTCOMES) }),
);
