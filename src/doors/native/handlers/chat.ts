// Talking: hearing from a cursor on, saying what arrived, sending, and who is there.

import { ALL } from '../../../core/chat/send.ts';
import { kindOf } from '../../../core/hub.ts';
import { parseName } from '../../../core/name.ts';
import type { Outcome, Receipt } from '../../../core/event.ts';
import type { MessageId } from '../../../core/journal.ts';
import { chatAck, chatList, chatSend, chatSubscribe } from '../../../protocol/native/methods/chat.ts';
import { entry, sessionOf, type Asker, type Entries } from '../entry.ts';
import { MAX_OUTCOMES_BYTES } from '../limits.ts';
import { fitting, pageOf } from '../page.ts';
import { handle } from '../promises.ts';
import { no, chatError, toSendCommand, toTime } from '../translate.ts';

export const CHAT: Entries<'chat.subscribe' | 'chat.ack' | 'chat.send' | 'chat.list'> = {
  'chat.subscribe': entry(chatSubscribe, {
    needs: 'guest',
    summary: 'Is told from now on what is said, from `after` on or from where the account’s delivery stands',
    answer: subscribe,
  }),
  'chat.ack': entry(chatAck, {
    needs: 'guest',
    summary: 'Says that everything up to a message has arrived for good',
    answer: acknowledge,
  }),
  'chat.send': entry(chatSend, {
    needs: 'guest',
    summary: 'Sends a message to all whom it names or to none; answered once it is stored for good',
    answer: send,
  }),
  'chat.list': entry(chatList, {
    needs: 'guest',
    summary: 'Who is present, in order of arrival',
    answer: list,
  }),
};

function subscribe(asker: Asker, { after, journal }: { after?: MessageId; journal?: string }) {
  const { ear, house } = asker;
  if (ear.isSubscribed) return no('already-subscribed', 'Cannot subscribe: this connection has done so already');
  // An id of another journal, in whose place this one was put, is some other message here or none.
  const isOurs = journal === undefined || journal === house.journalId;
  const cursor = ear.subscribe(sessionOf(asker), isOurs ? after : undefined);
  return { result: { head: house.hub.head, cursor, journal: house.journalId }, after: () => ear.begin() };
}

function acknowledge(asker: Asker, { id }: { id: MessageId }) {
  if (!asker.ear.isSubscribed) return no('not-subscribed', 'Cannot acknowledge: chat.subscribe comes first');
  asker.ear.acknowledge(sessionOf(asker), id);
  return { result: {} };
}

async function send(asker: Asker, given: { to: readonly string[]; text: string; key?: string }) {
  const sent = await handle(asker.house, sessionOf(asker), toSendCommand(given));
  if ('refused' in sent) return { error: chatError(sent) };
  if (sent.type !== 'receipt') throw new Error('A message was answered as a change of groups');
  return await answerSent(asker, sent);
}

/** Once those who are here have had a moment to say that they have it. */
export async function answerSent(asker: Asker, sent: Receipt) {
  const { ear } = asker;
  const outcomes = new Map(sent.outcomes);
  await new Promise<void>((answer) => {
    ear.held.hold(sent.id, { outcomes, awaited: awaitedOf(asker, sent), answer });
  });
  const { id, atMs, isRepeat } = sent;
  const told = fitting([...outcomes], MAX_OUTCOMES_BYTES);
  const leftOut = outcomes.size - told.length;
  const rest = leftOut === 0 ? {} : { leftOut };
  return { result: { id, at: toTime(atMs), to: toObject(told), ...rest, repeat: isRepeat } };
}

/** Who is here and has it on its way: a moment later it is delivered. Of a broadcast nobody is waited for. */
function awaitedOf({ house }: Asker, { outcomes }: Receipt): Set<string> {
  const awaited = new Set<string>();
  for (const [name, outcome] of outcomes) {
    const parsed = parseName(name);
    if (outcome === 'delivered' || name === ALL || 'refused' in parsed) continue;
    if (house.hub.isPresent(parsed.key)) awaited.add(name);
  }
  return awaited;
}

function list({ house: { hub } }: Asker, { after }: { after?: string }) {
  const all = Array.from(hub.present(), (member) => {
    const [first] = member.sessions;
    const { atMs = 0, family = 'ipv4' } = first ?? {};
    const item = { name: member.name, kind: kindOf(member), since: toTime(atMs), family };
    return { key: member.key, item };
  });
  const { items: members, ...next } = pageOf(all, after);
  return { result: { members, ...next } };
}

/** Without a prototype: a name may be `__proto__`. */
function toObject(outcomes: Iterable<readonly [string, Outcome]>): Record<string, Outcome> {
  const found: Record<string, Outcome> = Object.create(null);
  for (const [name, outcome] of outcomes) found[name] = outcome;
  return found;
}
