// The door for the partyline program and its library: the native protocol (docs/protocol/native.md).

import type { Socket } from 'node:net';
import type { Peer } from '../../net/peer.ts';
import type { Door } from '../door.ts';
import type { House } from './house.ts';
import { NativeSession } from './session.ts';

/** Milliseconds until a connection must have shown who it is: programs do that at once. */
const ROLE_TIMEOUT_MS = 10_000;

export interface NativeDoorOptions extends Omit<House, 'roleTimeoutMs'> {
  readonly roleTimeoutMs?: number;
}

export class NativeDoor implements Door {
  readonly #house: House;
  readonly #sessions = new Set<NativeSession>();
  #onEmpty: (() => void) | undefined;

  constructor({ roleTimeoutMs = ROLE_TIMEOUT_MS, ...house }: NativeDoorOptions) {
    this.#house = { ...house, roleTimeoutMs };
  }

  accept(socket: Socket, peer: Peer, first: Uint8Array): void {
    const onGone = () => {
      this.#sessions.delete(session);
      if (this.#sessions.size === 0) this.#onEmpty?.();
    };
    const session = new NativeSession(socket, peer, { house: this.#house, onGone });
    this.#sessions.add(session);
    session.start(first);
  }

  async close(signal: AbortSignal): Promise<void> {
    if (this.#sessions.size === 0) return;
    const cut = () => {
      for (const session of this.#sessions) session.destroy();
    };
    const empty = new Promise<void>((resolve) => (this.#onEmpty = resolve));
    for (const session of this.#sessions) session.close();
    if (signal.aborted) cut();
    else signal.addEventListener('abort', cut, { once: true });
    await empty;
    signal.removeEventListener('abort', cut);
  }
}
