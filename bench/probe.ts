// A server whose main loop says how late it was.

import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { PORTS, ROOT, startServer, type Scratch } from './processes.ts';

export interface Probed extends AsyncDisposable {
  readonly pid: number;
  /** At most, since this was asked the last time. */
  heldMs(): Promise<number>;
}

export async function startProbed(scratch: Scratch, directory: string): Promise<Probed> {
  const path = join(scratch.path, 'probe');
  const program = ['--import', join(import.meta.dirname, 'loop-probe.mjs'), join(ROOT, 'src', 'launch.mjs')];
  const given = [...program, 'serve', '--listen', `tcp://localhost:${PORTS.line}`, '--data', directory];
  const environment = { PARTYLINE_BENCH_PROBE: path };
  const server = await startServer(process.execPath, { given, port: PORTS.line, environment });
  const socket = connect(path).setEncoding('utf8');
  return {
    pid: server.pid,
    heldMs: async () => {
      socket.write('?');
      return Number((await once(socket, 'data'))[0]);
    },
    [Symbol.asyncDispose]: async () => {
      socket.destroy();
      await server.end();
    },
  };
}
