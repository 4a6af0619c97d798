// A native client by hand at a real server: it says what `partyline` never would.

import { once } from 'node:events';
import { connect } from 'node:net';
import { OwnerToken } from '../../src/net/owner.ts';
import type { LinkEvent } from '../../src/protocol/native/link.ts';
import { Caller } from './native.ts';
import type { TestServer } from './server.ts';

export interface ByHand extends AsyncDisposable {
  readonly caller: Caller;
  becomeOwner(): Promise<void>;
}

export async function byHand(host: string, server: TestServer): Promise<ByHand> {
  const { port } = server;
  const socket = connect({ host, port, allowHalfOpen: true, noDelay: true });
  socket.on('error', () => {});
  await once(socket, 'connect');
  const caller = new Caller(socket, { address: host, port });
  return {
    caller,
    becomeOwner: async () => caller.becomeOwner(new OwnerToken(await server.token())),
    async [Symbol.asyncDispose]() {
      if (socket.closed) return;
      socket.destroy();
      await once(socket, 'close');
    },
  };
}

type Data = Extract<LinkEvent, { type: 'data' | 'end' }>;

/** Runs a command without input: all that it says, or the code of the refusal. */
export async function said(caller: Caller, params: object): Promise<{ stdout: string } | { refused: unknown }> {
  const { connection } = caller;
  const opened = (direction: 'in' | 'out') => {
    const stream = connection.nextStream();
    connection.open(stream, direction);
    return stream;
  };
  const streams = { stdin: opened('out'), stdout: opened('in'), stderr: opened('in') };
  const answer = await caller.ask('run.start', { ...params, ...streams });
  if (typeof answer !== 'object') return { refused: answer };
  connection.end(streams.stdin);
  caller.settle();
  const isOutput = (event: LinkEvent): event is Data =>
    (event.type === 'data' || event.type === 'end') && event.stream === streams.stdout;
  let stdout = '';
  for (;;) {
    const event = await caller.until(isOutput);
    if (event.type === 'end') return { stdout };
    stdout += Buffer.from(event.bytes).toString();
  }
}
