// A connection that is a joined machine's: it is asked to run commands, and asks nothing. It is present as long as it
// answers; one that is silent for longer than the lease has ended what it ran, as far as anybody can tell.

import type { Machine } from '../../core/hosts.ts';
import type { Listener, Member, Outlet, Session } from '../../core/session.ts';
import type { Peer } from '../../net/peer.ts';
import type { NativeEvent } from '../../protocol/native/connection.ts';
import type { LinkEvent } from '../../protocol/native/link.ts';
import { LEASE_MS, PING_MS } from '../../protocol/native/limits.ts';
import type { Far } from '../../relay/remote-run.ts';
import type { RemoteDetached } from '../../relay/remote-detached.ts';
import { RemoteRunner } from '../../relay/remote-runner.ts';
import { wordsForDismissal } from '../shared/words.ts';
import type { House } from './house.ts';

/** What is said to everyone is not told to machines. */
const NO_OUTLET: Outlet = { broadcast: () => {} };

export interface MachineLinkOptions {
  readonly member: Member;
  readonly labels: ReadonlyMap<string, string>;
  readonly peer: Peer;
  readonly far: Far;
  readonly house: House;
  /** Nothing runs there any more. */
  readonly onIdle: () => void;
  /** Says why and closes. */
  readonly end: (reason: string) => void;
  /** It does not answer: nothing that is said would be heard. */
  readonly cut: () => void;
}

export class MachineLink implements Machine {
  readonly runner: RemoteRunner;
  readonly labels: ReadonlyMap<string, string>;
  readonly family: Peer['family'];
  readonly #options: MachineLinkOptions;
  readonly #session: Session;
  #timer: NodeJS.Timeout | undefined;
  #rttMs: number | undefined;
  #heardMs: number;
  /** Why the connection goes, where that is our doing. */
  #why: string | undefined;

  constructor(options: MachineLinkOptions) {
    const { member, labels, peer, far, house, onIdle } = options;
    this.#options = options;
    this.runner = new RemoteRunner(far, onIdle);
    this.labels = labels;
    this.family = peer.family;
    this.#heardMs = house.clock();
    const { isLoopback, family } = peer;
    const entrance = { listener: this.#listener(), outlet: NO_OUTLET, isLoopback, family, atMs: house.now() };
    this.#session = house.hub.enterAs(member, entrance);
    house.hosts.enter(member, this);
  }

  /** The machine has been told that it is accepted: before, it does nothing that it is asked. */
  begin(): void {
    const { member, house } = this.#options;
    house.detachments.came(member.name);
    this.#timer = setInterval(() => this.#ping(), PING_MS).unref();
    this.#ping();
  }

  get detached(): RemoteDetached {
    return this.runner.detached;
  }

  get rttMs(): number | undefined {
    return this.#rttMs;
  }

  receive(event: NativeEvent): void {
    this.#heardMs = this.#options.house.clock();
    this.runner.receive(event);
  }

  get heardAtMs(): number {
    const { now, clock } = this.#options.house;
    return Math.round(now() - (clock() - this.#heardMs));
  }

  dismiss(reason: string): void {
    this.#why ??= `the connection to ${this.#options.member.name} was lost: ${reason}`;
    this.#options.end(reason);
  }

  /** The server closes, and waits a moment for what runs there: whoever asked for it is to be told how it ended. */
  close(reason: string): void {
    this.#why ??= reason;
  }

  /** The connection is gone. */
  leave(): void {
    const { member, house } = this.#options;
    clearInterval(this.#timer);
    house.hosts.leave(member, this);
    house.hub.leave(this.#session);
    this.runner.lose(this.#why ?? `the connection to ${member.name} was lost`);
  }

  #ping(): void {
    const { clock } = this.#options.house;
    const sentMs = clock();
    if (sentMs - this.#heardMs >= LEASE_MS) return this.#options.cut();
    this.runner.ping(() => (this.#rttMs = clock() - sentMs));
  }

  /** It has a name like everyone, and hears nothing. */
  #listener(): Listener {
    return {
      acknowledges: true,
      isFull: true,
      deliver: () => {},
      catchUp: () => {},
      behind: () => {},
      receipt: () => {},
      dismiss: (dismissal) => {
        if (dismissal.why === 'revoked') this.#why = `${this.#options.member.name} was revoked`;
        this.dismiss(wordsForDismissal(dismissal));
      },
    };
  }
}

type FromMachine = Exclude<LinkEvent, { type: 'opened' | 'unusable' | 'ended' | 'failed' | 'request' }>;

/** What a machine says, rather than what becomes of its connection or what it may not ask. */
export function isFromMachine(event: LinkEvent): event is FromMachine {
  switch (event.type) {
    case 'opened':
    case 'unusable':
    case 'ended':
    case 'failed':
    case 'request':
      return false;
    case 'notification':
    case 'answer':
    case 'refusal':
    case 'data':
    case 'end':
    case 'drain':
    case 'reset':
    case 'finished':
      return true;
  }
}
