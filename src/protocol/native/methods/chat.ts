// Talking over a native connection: hearing from a cursor on, saying what arrived, sending, and who is there.

import { method, notification, NOTHING } from '../method.ts';
import { integer, listOf, mapOf, messageId, object, oneOf, optional, text, time, truth } from '../shape.ts';

export const CASTS = ['singlecast', 'multicast', 'broadcast'] as const;
export const OUTCOMES = ['delivered', 'stored'] as const;
export const KINDS = ['person', 'bot', 'host'] as const;
export const FAMILIES = ['ipv4', 'ipv6'] as const;

/** Names and groups of one message; a group reaches more. */
export const MAX_RECIPIENTS = 1_000;
/** Bytes of them, as JSON: with the longest text they fit a CONTROL frame, towards whoever is told. */
export const MAX_RECIPIENTS_BYTES = 262_144;

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

const someNames = listOf(text, { min: 1, max: MAX_RECIPIENTS });
const recipients: typeof someNames = {
  ...someNames,
  what: `${someNames.what}, of at most ${MAX_RECIPIENTS_BYTES} bytes`,
  read: (value) => {
    const names = someNames.read(value);
    return names !== undefined && isShort(names) ? names : undefined;
  },
};

function isShort(names: readonly string[]): boolean {
  // JSON writes no UTF-16 unit in more than six bytes: few are counted.
  const length = names.reduce((sum, name) => sum + name.length + 3, 2);
  if (length * 6 <= MAX_RECIPIENTS_BYTES) return true;
  return new TextEncoder().encode(JSON.stringify(names)).length <= MAX_RECIPIENTS_BYTES;
}

/** `leftOut`: so many names more have no place in the answer. */
const sent = object({
  id: integer(1),
  at: time,
  to: mapOf(oneOf(OUTCOMES)),
  leftOut: optional(integer(1)),
  repeat: truth,
});

export const chatSend = method('chat.send', {
  params: object({ to: recipients, text, key: optional(text) }),
  result: sent,
});

/** The text is what is on record of a run, as the server words it. */
export const runShare = method('run.share', {
  params: object({ run: integer(1), to: recipients, key: optional(text) }),
  result: sent,
});

/** Where they are too many for an answer, `next` is the `after` of the next one, here and wherever it stands. */
export const chatList = method('chat.list', {
  params: object({ after: optional(text) }),
  result: object({
    members: listOf(object({ name: text, kind: oneOf(KINDS), since: time, family: oneOf(FAMILIES) })),
    next: optional(text),
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
