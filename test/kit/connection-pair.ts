// The two ends of a native connection, joined in memory.

import { NativeConnection, type NativeEvent } from '../../src/protocol/native/connection.ts';
import type { Frame } from '../../src/protocol/native/frame.ts';

export function aPair() {
  const client = new NativeConnection('client');
  const server = new NativeConnection('server');
  /** Carries frames across until both are silent. */
  const settle = () => {
    const events: { client: NativeEvent[]; server: NativeEvent[]; frames: Frame[] } = {
      client: [],
      server: [],
      frames: [],
    };
    for (;;) {
      events.client.push(...client.takeEvents());
      events.server.push(...server.takeEvents());
      const [up, down] = [client.takeOutput(), server.takeOutput()];
      if (up.length + down.length === 0) return events;
      for (const frame of up) server.receive(frame);
      for (const frame of down) client.receive(frame);
      events.frames.push(...up, ...down);
    }
  };
  return { client, server, settle };
}
