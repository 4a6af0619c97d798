// The hub: everyone who is here, and the one order in which things happen. It takes one command at a time and runs it
// to its end without waiting, so between reading who is here and telling them nothing else can happen.

import { ALL, recipientsOf } from './chat/send.ts';
import type { Command } from './command.ts';
import type { Presence, Said } from './event.ts';
import { parseName, type Name, type NameKey } from './name.ts';
import type { EnterRefusal, SendRefusal } from './refusal.ts';
import type { Listener, Member, Outlet, Role, Session } from './session.ts';

export interface HubOptions {
  readonly serverName: string;
  readonly ownerName: string;
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
}

export class Hub {
  readonly serverName: string;
  readonly #owner: { name: Name; key: NameKey };
  readonly #reserved: ReadonlySet<NameKey>;
  readonly #isOpen: boolean;
  readonly #onPresence: (presence: Presence) => void;
  /** Present members by key, in order of arrival. */
  readonly #present = new Map<NameKey, Member>();
  /** How many sessions each door holds: a broadcast goes to the doors that hold any. */
  readonly #outlets = new Map<Outlet, number>();

  /** Throws on a server or owner name that is no name: the caller has checked what an operator gave. */
  constructor(options: HubOptions) {
    const { name: serverName, key: serverKey } = mustParse(options.serverName);
    this.serverName = serverName;
    this.#owner = mustParse(options.ownerName);
    this.#reserved = new Set([mustParse(ALL).key, serverKey, this.#owner.key]);
    this.#isOpen = options.isOpen ?? false;
    this.#onPresence = options.onPresence ?? (() => {});
  }

  get ownerName(): Name {
    return this.#owner.name;
  }

  /** A guest comes in by name. */
  enter(given: string, entrance: Entrance): Session | EnterRefusal {
    if (!this.#isOpen && !entrance.isLoopback) return { refused: 'guests-not-let-in' };
    const parsed = parseName(given);
    if ('refused' in parsed) return { refused: 'bad-name', why: parsed };
    if (this.#reserved.has(parsed.key)) return { refused: 'name-reserved' };
    if (this.#present.has(parsed.key)) return { refused: 'name-in-use' };
    return this.#admit({ ...parsed, role: 'guest', sessions: [] }, entrance);
  }

  /** The owner comes in; whoever calls this has seen the proof. The owner may be here several times at once. */
  enterAsOwner(entrance: Entrance): Session {
    const member = this.#present.get(this.#owner.key) ?? { ...this.#owner, role: 'owner' as const, sessions: [] };
    return this.#admit(member, entrance);
  }

  /** A later login gives a session more rights; its name stays. */
  raise(session: Session, role: Role): void {
    session.role = role;
  }

  /** Carries the command out, or changes nothing and says why. */
  handle(session: Session, command: Command, nowMs: number): SendRefusal | undefined {
    if (command.text === '') return { refused: 'empty-message' };
    const { name: from, sessions } = session.member;
    if (command.to === 'all') {
      const said: Said = { type: 'said', from, cast: 'broadcast', text: command.text, atMs: nowMs };
      for (const outlet of this.#outlets.keys()) outlet.broadcast(said, sessions);
      return undefined;
    }
    const recipients = recipientsOf(command.to, this.#present);
    if ('refused' in recipients) return recipients;
    const said: Said = { type: 'said', from, cast: recipients.cast, text: command.text, atMs: nowMs };
    for (const member of recipients.members) {
      for (const { listener } of member.sessions) listener.deliver(said);
    }
    return undefined;
  }

  /** Names of those present, in order of arrival. */
  list(): Name[] {
    return Array.from(this.#present.values(), (member) => member.name);
  }

  /** Ends a session; the member has left with the last one. */
  leave({ member, outlet, listener }: Session): void {
    const at = member.sessions.findIndex((session) => session.listener === listener);
    if (at < 0) return;
    member.sessions.splice(at, 1);
    const held = (this.#outlets.get(outlet) ?? 1) - 1;
    if (held === 0) this.#outlets.delete(outlet);
    else this.#outlets.set(outlet, held);
    if (member.sessions.length > 0) return;
    this.#present.delete(member.key);
    this.#onPresence({ type: 'left', name: member.name });
  }

  #admit(member: Member, { listener, outlet }: Entrance): Session {
    const session: Session = { member, outlet, listener, role: member.role };
    member.sessions.push(session);
    this.#outlets.set(outlet, (this.#outlets.get(outlet) ?? 0) + 1);
    if (member.sessions.length === 1) {
      this.#present.set(member.key, member);
      this.#onPresence({ type: 'arrived', name: member.name });
    }
    return session;
  }
}

function mustParse(text: string): { name: Name; key: NameKey } {
  const parsed = parseName(text);
  if ('refused' in parsed) throw new Error(`Not a name: ${text} (${parsed.refused})`);
  return parsed;
}
