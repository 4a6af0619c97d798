// The hub: everyone who is here, and the one order in which things happen. It takes one command at a time and runs it
// to its end without waiting; what it accepts goes to the journal, and once it is durable there it is told, in the
// order of the journal, to everyone at once.

import { Hearing } from './chat/hearing.ts';
import { Memberships } from './chat/memberships.ts';
import { ALL, EVERYONE, recipientsOf, refusalOfMessage, type Addressees, type Recipients } from './chat/send.ts';
import type { Command } from './command.ts';
import { Directory } from './directory.ts';
import type { GroupChanged, Outcome, Presence, Receipt, Said } from './event.ts';
import type { Appended, Everything, Journal, MessageId, NewMessage, Reader } from './journal.ts';
import { Lookalikes } from './lookalikes.ts';
import { parseName, type Name, type NameKey } from './name.ts';
import type { EnterRefusal, GroupRefusal, NameTaken, SendRefusal } from './refusal.ts';
import { Rights, roleOf } from './rights.ts';
import type { Listener, Member, MemberKind, Outlet, Session } from './session.ts';

export interface HubOptions {
  readonly serverName: string;
  readonly ownerName: string;
  readonly journal: Journal;
  /** What the journal held at the start. */
  readonly everything: Everything;
  /** Milliseconds that never run backwards. */
  readonly clock: () => number;
  /** Whether guests may come in from beyond loopback. */
  readonly isOpen?: boolean;
  /** Told of every coming and going, in order. */
  readonly onPresence?: (presence: Presence) => void;
}

/** How somebody comes in: by which ear they hear and by which door. */
export interface Entrance {
  readonly listener: Listener;
  readonly outlet: Outlet;
  readonly isLoopback: boolean;
  readonly family: Session['family'];
  readonly atMs: number;
  /** Everything up to here has arrived there; without it, what counts as delivered is not told again. */
  readonly after?: MessageId;
  /** The token that was shown. */
  readonly token?: number | undefined;
}

export type Answer = Receipt | GroupChanged | SendRefusal | GroupRefusal;

const NO_OUTCOMES: ReadonlyMap<string, Outcome> = new Map();

/** Guests of one start of the server: their numbers never meet those of another start. */
const GUESTS_OF_ONE_START = 2 ** 32;

export class Hub {
  readonly serverName: string;
  readonly directory: Directory;
  readonly hearing: Hearing;
  readonly rights = new Rights();
  readonly #journal: Journal;
  readonly #reserved: ReadonlySet<NameKey>;
  readonly #isOpen: boolean;
  readonly #onPresence: (presence: Presence) => void;
  /** Present members by key, in order of arrival. */
  readonly #present = new Map<NameKey, Member>();
  /** How many sessions each door holds: a broadcast goes to the doors that hold any. */
  readonly #outlets = new Map<Outlet, number>();
  /** Names of guests, and those that are nobody's. */
  readonly #guests = new Lookalikes();
  /** Sessions that hear nothing: nobody is present for them. */
  readonly #visits = new Set<Session>();
  readonly #groups: Memberships;
  readonly #addressees: Addressees;
  #head: MessageId;
  #lastGuest: number;

  /** Throws on a server name that is no name: the caller has checked what an operator gave. */
  constructor(options: HubOptions) {
    const { name: serverName, key: serverKey } = mustParse(options.serverName);
    this.serverName = serverName;
    this.#journal = options.journal;
    this.directory = new Directory(options.everything);
    this.#reserved = new Set([mustParse(ALL).key, serverKey, mustParse(options.ownerName).key]);
    for (const reserved of [ALL, options.serverName, options.ownerName]) this.#guests.add(mustParse(reserved));
    this.#isOpen = options.isOpen ?? false;
    this.#onPresence = options.onPresence ?? (() => {});
    this.#head = options.everything.head;
    this.#lastGuest = -options.everything.start * GUESTS_OF_ONE_START;
    this.hearing = new Hearing({
      journal: options.journal,
      directory: this.directory,
      head: () => this.#head,
      present: () => this.present(),
      clock: options.clock,
    });
    this.#groups = new Memberships({ journal: options.journal, directory: this.directory });
    this.#addressees = {
      member: (key) => this.#present.get(key) ?? this.#living(this.directory.account(key)),
      group: (key) => this.directory.group(key),
    };
  }

  /** The last message that was told. */
  get head(): MessageId {
    return this.#head;
  }

  // ── coming and going ──

  /** A guest comes in by name. */
  enter(given: string, entrance: Entrance): Session | EnterRefusal {
    if (!this.#isOpen && !entrance.isLoopback) return { refused: 'guests-not-let-in' };
    const parsed = parseName(given);
    if ('refused' in parsed) return { refused: 'bad-name', why: parsed };
    const refused = this.refusalOfName(parsed, entrance.atMs);
    if (refused !== undefined) return refused;
    if (this.#present.has(parsed.key)) return { refused: 'name-in-use' };
    this.#lastGuest -= 1;
    const since = this.#head;
    const guest = { ...parsed, id: this.#lastGuest, since, delivered: since, account: undefined, sessions: [] };
    return this.#admit(guest, entrance);
  }

  /** Somebody with an account comes in; whoever calls this has seen the proof. It may be here several times at once. */
  enterAs(member: Member, entrance: Entrance): Session {
    const guest = this.#present.get(member.key);
    if (guest !== undefined && guest !== member) {
      for (const { listener } of guest.sessions.slice()) listener.dismiss({ why: 'name-taken' });
    }
    return this.#admit(member, entrance);
  }

  /** Somebody with an account asks for something and hears nothing: nobody is present for that. */
  visit(member: Member, entrance: Entrance): Session {
    const session = this.#sessionOf(member, entrance, this.#head);
    this.#visits.add(session);
    return session;
  }

  /** All of a member's, present or not. */
  sessionsOf(member: Member): Session[] {
    return [...member.sessions, ...this.#visits.values().filter((visit) => visit.member === member)];
  }

  /** Whether a name is free for a guest or an invitation; that nobody present has it is another question. */
  refusalOfName(named: { name: Name; key: NameKey }, nowMs: number): NameTaken | undefined {
    const { key } = named;
    const isTaken = this.#reserved.has(key) || this.directory.account(key) !== undefined;
    if (isTaken || this.directory.invitationOf(key, nowMs) !== undefined) return { refused: 'name-reserved' };
    const other = this.#guests.of(named) ?? this.directory.lookalikes.of(named);
    return other === undefined ? undefined : { refused: 'name-confusable', with: other };
  }

  /** Ends a session; the member has left with the last one. What has arrived there is the door's to say, with `confirm`. */
  leave(session: Session): void {
    const { member, outlet } = session;
    session.isOver = true;
    this.#visits.delete(session);
    this.rights.forget(session);
    this.hearing.forget(session);
    const at = member.sessions.indexOf(session);
    if (at < 0) return;
    member.sessions.splice(at, 1);
    this.hearing.stop(session);
    const held = (this.#outlets.get(outlet) ?? 1) - 1;
    if (held === 0) this.#outlets.delete(outlet);
    else this.#outlets.set(outlet, held);
    if (member.sessions.length > 0) return;
    this.#present.delete(member.key);
    if (member.account === undefined) {
      this.#guests.remove(member);
      this.directory.removeFromGroups(member);
    }
    this.#onPresence({ type: 'left', name: member.name });
  }

  isPresent(key: NameKey): boolean {
    return this.#present.has(key);
  }

  /** Those present, in order of arrival. */
  present(): Iterable<Member> {
    return this.#present.values();
  }

  /** Names of the people and bots present, in order of arrival. */
  list(): Name[] {
    const isNoMachine = (member: Member) => kindOf(member) !== 'host';
    return Array.from(this.#present.values().filter(isNoMachine), (member) => member.name);
  }

  /** Who reads history, and from where on. */
  readerOf({ member: { id, since } }: Session): Reader {
    return { member: id, since };
  }

  // ── what a session asks ──

  /**
   * Carries the command out, or changes nothing and says why. `done` is called once, after the journal has what was
   * accepted; answers come in the order of the commands.
   */
  handle(session: Session, command: Command, { nowMs, done }: Asking): void {
    switch (command.type) {
      case 'send': {
        const refused = refusalOfMessage(command.text, command.key);
        if (refused !== undefined) return this.#refuse(refused, done);
        const recipients = this.#recipients(command.to, { session, nowMs });
        if ('refused' in recipients) return this.#refuse(recipients, done);
        return this.#send({ session, recipients, done }, { text: command.text, key: command.key, atMs: nowMs });
      }
      case 'join':
      case 'leave':
        return command.machine === undefined
          ? this.#groups.change(session.member, command, done)
          : this.#groups.ofMachine(session, { ...command, machine: command.machine }, done);
    }
  }

  /**
   * A message that follows from what a member has asked, to those whom that went to: nobody waits for it, its session may have
   * ended, and one of them may be no more. What cannot be stored is not told.
   */
  followUp(sender: Member, to: readonly Member[], { text, atMs }: Pick<Sent, 'text' | 'atMs'>): void {
    const ids = to.map(({ id }) => id);
    const cast = to.length === 1 ? 'singlecast' : 'multicast';
    const names = to.map(({ name }) => name);
    const message = { atMs, from: sender.id, fromName: sender.name, cast, to: names, text, recipients: ids } as const;
    this.#journal.append(message, (appended) => {
      if (appended.result === 'new') this.#tell(saidOf(message, appended.id), sender, to);
    });
  }

  /** Behind the answers to what was asked before. */
  #refuse(refusal: SendRefusal, done: Asking['done']): void {
    this.#journal.settle(() => done(refusal));
  }

  #recipients(
    to: 'all' | readonly string[],
    { session, nowMs }: { readonly session: Session; readonly nowMs: number },
  ): Recipients | SendRefusal {
    if (to === 'all') return EVERYONE;
    const recipients = recipientsOf(to, { sender: session, among: this.#addressees });
    if (!('refused' in recipients) || recipients.refused !== 'unknown-recipient') return recipients;
    const mayKnow = session.role === 'owner' || session.role === 'operator';
    const invited = mayKnow ? recipients.names.filter((name) => this.#isInvited(name, nowMs)) : [];
    return invited.length === 0 ? recipients : { ...recipients, invited };
  }

  #isInvited(given: string, nowMs: number): boolean {
    const parsed = parseName(given);
    return !('refused' in parsed) && this.directory.invitationOf(parsed.key, nowMs) !== undefined;
  }

  #send(sending: Sending, { text, key, atMs }: Sent): void {
    const { id: from, name: fromName } = sending.session.member;
    const { cast, to, ids } = sending.recipients;
    const message: NewMessage = { atMs, from, fromName, cast, to, text, recipients: ids };
    this.#journal.append(key === undefined ? message : { ...message, resendKey: key }, (appended) => {
      const { session, recipients, done } = sending;
      if (appended.result === 'new') this.#tell(saidOf(message, appended.id), session.member, recipients.members);
      done(this.#answer(sending, { appended, atMs }));
    });
  }

  #tell(said: Said, sender: Member, recipients: readonly Member[]): void {
    this.#head = said.id;
    this.hearing.told(said, sender, recipients);
    if (said.cast === 'broadcast') {
      for (const outlet of this.#outlets.keys()) outlet.broadcast(said, sender.sessions);
      return;
    }
    for (const { sessions } of recipients) {
      for (const session of sessions) if (session.isLive) session.listener.deliver(said);
    }
  }

  #answer({ session, recipients }: Sending, { appended, atMs: sentMs }: Answered): Answer {
    if (appended.result === 'failed') return { refused: 'not-stored', reason: appended.reason };
    if (appended.result === 'other') return { refused: 'key-reused', id: appended.id };
    const { id } = appended;
    const atMs = appended.result === 'same' ? appended.atMs : sentMs;
    const isRepeat = appended.result === 'same';
    // Nobody looks at them: most of what a busy server would do for an answer.
    const isWanted = session.wantsReceipts || session.listener.acknowledges;
    if (!isWanted) return { type: 'receipt', id, atMs, outcomes: NO_OUTCOMES, isRepeat };
    const outcomes = new Map<string, Outcome>();
    if (recipients.cast === 'broadcast') outcomes.set(ALL, this.hearing.outcomeForAll(id, session));
    for (const member of recipients.members) outcomes.set(member.name, this.hearing.outcomeFor(member, id, session));
    return { type: 'receipt', id, atMs, outcomes, isRepeat };
  }

  #living(member: Member | undefined): Member | undefined {
    return member?.account?.revokedAtMs === undefined ? member : undefined;
  }

  #admit(member: Member, entrance: Entrance): Session {
    const start = entrance.after ?? this.hearing.startOf(member);
    const session = this.#sessionOf(member, entrance, Math.min(start, this.#head));
    session.isLive = session.cursor >= this.#head;
    member.sessions.push(session);
    this.#outlets.set(entrance.outlet, (this.#outlets.get(entrance.outlet) ?? 0) + 1);
    if (member.sessions.length === 1) {
      this.#present.set(member.key, member);
      if (member.account === undefined) this.#guests.add(member);
      this.#onPresence({ type: 'arrived', name: member.name });
    }
    return session;
  }

  #sessionOf(member: Member, { listener, outlet, family, atMs, token }: Entrance, cursor: MessageId): Session {
    const role = roleOf(member);
    const state = { isLive: false, cursor, wantsReceipts: false, isOver: false, lastSent: undefined };
    return { member, outlet, listener, family, atMs, token, role, ...state };
  }
}

interface Asking {
  readonly nowMs: number;
  readonly done: (answer: Answer) => void;
}

interface Sending {
  readonly session: Session;
  readonly recipients: Recipients;
  readonly done: Asking['done'];
}

interface Sent {
  readonly text: string;
  readonly key: string | undefined;
  readonly atMs: number;
}

interface Answered {
  readonly appended: Appended;
  readonly atMs: number;
}

function saidOf({ atMs, from, fromName, cast, to, text }: NewMessage, id: MessageId): Said {
  return { id, atMs, from, fromName, cast, to, text };
}

export function kindOf(member: Member): MemberKind {
  return member.account?.kind ?? 'person';
}

function mustParse(text: string): { name: Name; key: NameKey } {
  const parsed = parseName(text);
  if ('refused' in parsed) throw new Error(`Not a name: ${text} (${parsed.refused})`);
  return parsed;
}
