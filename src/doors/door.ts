// A door is a way in: it joins one protocol to the core. Listeners hand it connections; it keeps them until they end.

import type { Socket } from 'node:net';
import type { Peer } from '../net/peer.ts';

export interface Door {
  /**
   * Takes over a connection. `first` holds what has already been read of it; the socket is paused and has no
   * listeners left from whoever looked at it before.
   */
  accept(socket: Socket, peer: Peer, first: Uint8Array): void;
  /** Tells everyone, flushes, and is done when the last connection has ended; at the signal's abort it cuts them. */
  close(signal: AbortSignal): Promise<void>;
}
