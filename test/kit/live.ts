// A server that says how much it holds on to: what it occupies goes up and down by more than a small leak.

import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { newDirectory, removeDirectory } from './directory.ts';
import { startServer, type TestServer } from './server.ts';

export interface WatchedServer extends TestServer {
  /** Bytes of the main thread's heap that something can still reach. */
  liveBytes(): Promise<number>;
}

export async function startWatched(): Promise<WatchedServer> {
  const directory = newDirectory();
  const path = join(directory, 'probe');
  const env = { NODE_OPTIONS: `--import=${join(import.meta.dirname, 'live-probe.mjs')}`, PARTYLINE_TEST_PROBE: path };
  const server = await startServer({ env });
  const socket = connect(path).setEncoding('utf8');
  return {
    ...server,
    liveBytes: async () => {
      socket.write('?');
      return Number((await once(socket, 'data'))[0]);
    },
    async [Symbol.asyncDispose]() {
      socket.destroy();
      await server[Symbol.asyncDispose]();
      await removeDirectory(directory);
    },
  };
}
