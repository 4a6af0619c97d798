// The door for the partyline program, its library and browsers: the native protocol (docs/protocol/native.md), on a
// socket or on a WebSocket.

import type { Socket } from 'node:net';
import type { Peer } from '../../net/peer.ts';
import type { Door } from '../door.ts';
import type { House } from './house.ts';
import { KEEPALIVE_MS, RECEIPT_WAIT_MS, ROLE_TIMEOUT_MS } from './limits.ts';
import { NativeOutlet } from './outlet.ts';
import { NativeSession, type NativeRoom, type Transport } from './session.ts';
import type { Upgrade } from './websocket.ts';

type Waits = 'roleTimeoutMs' | 'receiptWaitMs';

export interface NativeDoorOptions extends Omit<House, Waits>, Partial<Pick<House, Waits>> {}

export class NativeDoor implements Door, NativeRoom {
  readonly house: House;
  readonly outlet = new NativeOutlet();
  readonly #sessions = new Set<NativeSession>();
  #isClosing = false;
  #onEmpty: (() => void) | undefined;

  constructor(options: NativeDoorOptions) {
    this.house = { roleTimeoutMs: ROLE_TIMEOUT_MS, receiptWaitMs: RECEIPT_WAIT_MS, ...options };
  }

  accept(socket: Socket, peer: Peer, first: Uint8Array): void {
    setUp(socket);
    this.#open({ carrier: socket, framing: 'stream' }, peer).start(first);
  }

  /** A request of the HTTP door that asks for a WebSocket; its host, path and origin have been judged. */
  async upgrade(upgrade: Upgrade): Promise<void> {
    // Loaded with the first one: most servers never see any.
    const { acceptWebSocket } = await import('./websocket.ts');
    const carrier = await acceptWebSocket(upgrade);
    if (carrier === undefined) return;
    if (this.#isClosing) return carrier.destroy();
    setUp(upgrade.socket);
    this.#open({ carrier, framing: 'messages' }, upgrade.peer).start();
  }

  gone(session: NativeSession): void {
    this.#sessions.delete(session);
    if (this.#sessions.size === 0) this.#onEmpty?.();
  }

  async close(signal: AbortSignal): Promise<void> {
    this.#isClosing = true;
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

  #open(transport: Transport, peer: Peer): NativeSession {
    const session = new NativeSession(transport, peer, this);
    this.#sessions.add(session);
    return session;
  }
}

function setUp(socket: Socket): void {
  socket.setNoDelay(true);
  socket.setKeepAlive(true, KEEPALIVE_MS);
}
