// A world to dial in: a clock that moves only when told, and sockets that connect to nothing until told.

import assert from 'node:assert/strict';
import { Socket } from 'node:net';
import { DialError, type DialOptions } from '../../src/net/dial.ts';
import type { Candidate } from '../../src/net/race.ts';
import { settled, stillClock } from './clock.ts';

export const V6: Candidate = { address: '2001:db8::1', family: 6 };
export const V4: Candidate = { address: '192.0.2.1', family: 4 };

export function stillWorld(found: Candidate[] = [V6, V4]) {
  const clock = stillClock();
  const sockets = new Map<string, Socket>();
  const socketTo = (to: Candidate): Socket => {
    const socket = sockets.get(to.address);
    assert.ok(socket !== undefined, `nothing was started towards ${to.address}`);
    return socket;
  };
  const options: DialOptions = {
    host: 'hub.example',
    port: 7270,
    clock,
    lookup: async () => found,
    connect(to) {
      const socket = new Socket();
      sockets.set(to.address, socket);
      return socket;
    },
  };
  return {
    options,
    clock,
    started: () => [...sockets.keys()],
    socketTo,
    async pass(ms: number) {
      clock.pass(ms);
      await settled();
    },
    answers: (to: Candidate) => socketTo(to).emit('connect'),
    fails: (to: Candidate, code: string) => socketTo(to).emit('error', Object.assign(new Error(code), { code })),
  };
}

export function failureOf(promise: Promise<unknown>): Promise<DialError> {
  return promise.then(
    () => assert.fail('it connected'),
    (error: unknown) => {
      assert.ok(error instanceof DialError, String(error));
      return error;
    },
  );
}
