// The commands that wait for a second person, those that may start because one said yes, and for a while what became of the
// others. A request lives as long as the connection that asked, and no longer than it is good for.

import {
  isSamePerson,
  mayApprove,
  type Approval,
  type ApprovalId,
  type ApprovalRefusal,
  type Approved,
  type ApproveRefusal,
  type AskedRun,
  type AskRefusal,
  type Decision,
  type Person,
  type UseRefusal,
} from './approval.ts';
import { canonicalJson } from './canonical.ts';
import type { Approvers } from './policy.ts';
import type { Starter } from './record.ts';

/** Milliseconds that a request waits: long enough to be noticed, too short to be forgotten. */
export const APPROVAL_LIFETIME_MS = 600_000;
/** Milliseconds until an approved command must have started somewhere: its client waits for nothing else. */
export const START_WITHIN_MS = 60_000;
/** Milliseconds until it must have started on the last of its machines, which may take their turns. */
export const START_EVERYWHERE_WITHIN_MS = 3_600_000;
/** Requests of one account that wait or may start. */
export const MAX_APPROVALS_OF_ONE = 10;
/** Of everybody: with requests as long as they may be some 30 MB. */
export const MAX_APPROVALS = 1_000;
/** Bytes of a request as canonical JSON: as a message to those who may approve it still is one. */
export const MAX_REQUEST_BYTES = 16_384;
/** Digits of a digest that a person has to repeat: they tell apart what one could take for another. */
export const MIN_HASH_LENGTH = 8;
/** Numbers of requests that one start of the server has for itself: few enough to be typed, more than people ever approve. */
const NUMBERS_OF_ONE_START = 100_000;
/** Requests that are over and still known by how. */
const MAX_REMEMBERED = 1_000;

export interface ApprovalsWorld {
  /** SHA-256, 64 hexadecimal digits. */
  readonly hash: (text: string) => string;
  /** The time of day. */
  readonly now: () => number;
  /** Milliseconds that never run backwards. */
  readonly clock: () => number;
  readonly onEvent: (event: ApprovalEvent) => void;
  /** Which start of the server this is, from 1 on. */
  readonly start: number;
}

export type ApprovalEvent = { readonly approval: Approval } & ({ readonly how: 'asked' } | Decision);

/** Whoever asks: what it has asked for ends with it. */
export type Owner = object;

interface Entry {
  readonly approval: Approval;
  readonly owner: Owner;
  readonly decided: Promise<Decision>;
  readonly settle: (decision: Decision) => void;
  /** When it is over, by the clock. */
  deadlineMs: number;
  state: 'waiting' | { readonly approver: Person; readonly sinceMs: number; readonly left: Set<string> };
}

export class Approvals {
  readonly #world: ApprovalsWorld;
  readonly #entries = new Map<ApprovalId, Entry>();
  readonly #over = new Map<ApprovalId, Decision>();
  #last: ApprovalId;

  constructor(world: ApprovalsWorld) {
    this.#world = world;
    this.#last = (world.start - 1) * NUMBERS_OF_ONE_START;
  }

  hashOf(asked: AskedRun): string {
    return this.#world.hash(canonicalJson(asked));
  }

  // ── who asks ──

  ask(
    asker: Person,
    asked: AskedRun,
    { owner, approvers, starter }: Asking & { starter: Starter },
  ): Approval | AskRefusal {
    this.expire();
    const text = canonicalJson(asked);
    const bytes = new TextEncoder().encode(text).length;
    if (bytes > MAX_REQUEST_BYTES) return { refused: 'request-too-long', bytes, maxBytes: MAX_REQUEST_BYTES };
    if (this.#entries.size >= MAX_APPROVALS) return { refused: 'too-many-waiting', of: 'all', max: MAX_APPROVALS };
    const own = this.#entries.values().filter(({ approval }) => approval.asker.member === asker.member);
    if ([...own].length >= MAX_APPROVALS_OF_ONE) {
      return { refused: 'too-many-waiting', of: 'one', max: MAX_APPROVALS_OF_ONE };
    }
    const { hash, now, clock, onEvent } = this.#world;
    const askedMs = now();
    const approval: Approval = {
      id: ++this.#last,
      hash: hash(text),
      asked,
      asker,
      starter,
      approvers,
      askedMs,
      expiresMs: askedMs + APPROVAL_LIFETIME_MS,
    };
    const { promise: decided, resolve: settle } = Promise.withResolvers<Decision>();
    const deadlineMs = clock() + APPROVAL_LIFETIME_MS;
    this.#entries.set(approval.id, { approval, owner, decided, settle, deadlineMs, state: 'waiting' });
    onEvent({ approval, how: 'asked' });
    return approval;
  }

  /** Settles when it is decided. Only for whoever asked, by the connection that asked. */
  wait(id: ApprovalId, owner: Owner): Promise<Decision> | ApprovalRefusal {
    const entry = this.#entries.get(id);
    if (entry !== undefined) return entry.owner === owner ? entry.decided : { refused: 'unknown-approval', id };
    return this.#unknown(id);
  }

  /** It starts on this machine now: once, and exactly what was approved. */
  use(id: ApprovalId, { owner, host, asked, approvers }: Use): Approved | UseRefusal {
    this.expire();
    const entry = this.#entries.get(id);
    if (entry === undefined) return this.#unknown(id);
    if (entry.owner !== owner) return { refused: 'unknown-approval', id };
    const { state, approval } = entry;
    if (state === 'waiting') return { refused: 'not-approved', id };
    const { hosts } = approval.asked;
    if (!hosts.includes(host) || this.hashOf({ ...asked, hosts }) !== approval.hash) {
      return { refused: 'approval-changed', id };
    }
    // What counts is who may approve now, not who might once.
    if (!mayApprove(state.approver, approvers)) return { refused: 'may-not-approve', id };
    if (!state.left.delete(host)) return { refused: 'approval-used', id, host };
    entry.deadlineMs = state.sinceMs + START_EVERYWHERE_WITHIN_MS;
    const { name: by, member } = state.approver;
    const approved = { by, member: member.id, hash: approval.hash };
    if (state.left.size === 0) this.#end(entry, { how: 'approved', by });
    return approved;
  }

  withdraw(id: ApprovalId, owner: Owner): void {
    const entry = this.#entries.get(id);
    if (entry?.owner === owner) this.#end(entry, { how: 'withdrawn' });
  }

  /** The connection that asked is gone. */
  leave(owner: Owner): void {
    for (const entry of this.#entries.values()) if (entry.owner === owner) this.#end(entry, { how: 'withdrawn' });
  }

  // ── who is asked ──

  /** What waits for this person, and what it has asked for itself. */
  list(person: Person): Approval[] {
    this.expire();
    return this.#entries
      .values()
      .filter(({ state, approval }) => state === 'waiting' && this.#mayKnow(approval, person))
      .map(({ approval }) => approval)
      .toArray();
  }

  show(id: ApprovalId, person: Person): Approval | ApprovalRefusal {
    const entry = this.#waiting(id);
    if ('refused' in entry) return entry;
    const { approval } = entry;
    return this.#mayKnow(approval, person) ? approval : { refused: 'may-not-approve', id };
  }

  approve(id: ApprovalId, { person, isSeen, approversNow }: Approving): Approval | ApproveRefusal {
    const entry = this.#waiting(id);
    if ('refused' in entry) return entry;
    const { approval, settle } = entry;
    if (isSamePerson(approval.asker, person)) return { refused: 'own-approval', id };
    if (!mayApprove(person, approval.approvers)) return { refused: 'may-not-approve', id };
    if (!isSeen(approval.hash)) return { refused: 'approval-changed', id };
    // Looked at again when it starts; whoever would approve in vain is told so here.
    const approvers = approversNow(approval);
    if (approvers === undefined) return { refused: 'not-allowed', id };
    if (!mayApprove(person, approvers)) return { refused: 'may-not-approve', id };
    const sinceMs = this.#world.clock();
    entry.state = { approver: person, sinceMs, left: new Set(approval.asked.hosts) };
    entry.deadlineMs = sinceMs + START_WITHIN_MS;
    const decision = { how: 'approved', by: person.name } as const;
    this.#world.onEvent({ approval, ...decision });
    settle(decision);
    return approval;
  }

  /** By whoever asked it is withdrawn. */
  deny(id: ApprovalId, person: Person): Denied | ApprovalRefusal {
    const entry = this.#waiting(id);
    if ('refused' in entry) return entry;
    const { approval } = entry;
    const isOwn = isSamePerson(approval.asker, person);
    if (!isOwn && !mayApprove(person, approval.approvers)) return { refused: 'may-not-approve', id };
    this.#end(entry, isOwn ? { how: 'withdrawn' } : { how: 'denied', by: person.name });
    return { approval, how: isOwn ? 'withdrawn' : 'denied' };
  }

  /** Ends what has waited too long; to be called now and then. */
  expire(): void {
    const nowMs = this.#world.clock();
    for (const entry of this.#entries.values()) if (entry.deadlineMs <= nowMs) this.#end(entry, { how: 'expired' });
  }

  #mayKnow({ asker, approvers }: Approval, person: Person): boolean {
    return isSamePerson(asker, person) || mayApprove(person, approvers);
  }

  #waiting(id: ApprovalId): Entry | ApprovalRefusal {
    this.expire();
    const entry = this.#entries.get(id);
    if (entry === undefined) return this.#unknown(id);
    const { state } = entry;
    if (state === 'waiting') return entry;
    return { refused: 'approval-over', id, decision: { how: 'approved', by: state.approver.name } };
  }

  #unknown(id: ApprovalId): ApprovalRefusal {
    const decision = this.#over.get(id);
    return decision === undefined ? { refused: 'unknown-approval', id } : { refused: 'approval-over', id, decision };
  }

  #end(entry: Entry, decision: Decision): void {
    const { approval, state, settle } = entry;
    const { id } = approval;
    this.#entries.delete(id);
    const isWaiting = state === 'waiting';
    this.#over.set(id, isWaiting ? decision : { how: 'approved', by: state.approver.name });
    const [oldest] = this.#over.keys();
    if (this.#over.size > MAX_REMEMBERED && oldest !== undefined) this.#over.delete(oldest);
    // That an approved one is over is no news: it has started, or its client has gone.
    if (!isWaiting) return;
    this.#world.onEvent({ approval, ...decision });
    settle(decision);
  }
}

/** What saying no has come to. */
export interface Denied {
  readonly approval: Approval;
  readonly how: 'denied' | 'withdrawn';
}

export interface Approving {
  readonly person: Person;
  /** Whether this is the digest of what was looked at. */
  readonly isSeen: (hash: string) => boolean;
  /** By the policy as it is now; undefined: that does not allow the command at all. */
  readonly approversNow: (approval: Approval) => Approvers | undefined;
}

interface Asking {
  readonly owner: Owner;
  readonly approvers: Approvers;
}

interface Use extends Asking {
  readonly host: string;
  /** What is about to be started; its hosts are those that were approved. */
  readonly asked: Omit<AskedRun, 'hosts'>;
}
