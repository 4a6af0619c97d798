// What a guest costs who has come in over the line protocol and says nothing: memory of the server for each of them.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { PORTS, residentBytes, startPartyline, type Scratch } from './processes.ts';
import { spreadOf } from './rounds.ts';
import { say, type Result } from './table.ts';

/** The slope between the two leaves out what the server needs anyway, and what it needs once. */
const FEW = 2_000;
const MANY = 10_000;
/** Under way at once while coming in. */
const RAMP = 64;
const AT_MOST_BYTES = 8 * 1_024;
/** Memory is at rest when it changed by less than one in a hundred for this long. */
const REST_MS = 1_000;
const MAX_REST_WAIT_MS = 15_000;

export async function benchIdle(scratch: Scratch, rounds: number): Promise<Result> {
  const perGuest: number[] = [];
  for (let i = 0; i < rounds; i++) {
    const server = await startPartyline(scratch);
    const guests: Socket[] = [];
    try {
      await comeIn(guests, FEW);
      const few = await atRest(server.pid);
      const from = performance.now();
      await comeIn(guests, MANY);
      const loginsPerSecond = ((MANY - FEW) / (performance.now() - from)) * 1_000;
      const many = await atRest(server.pid);
      perGuest.push((many - few) / (MANY - FEW));
      const sizes = `${mib(few)} MiB with ${FEW}, ${mib(many)} MiB with ${MANY}`;
      say(`idle  ${kib(perGuest.at(-1) ?? 0)} KiB each  (${sizes}; ${Math.round(loginsPerSecond)} logins/s)`);
    } finally {
      for (const guest of guests) guest.destroy();
      await server.end();
    }
  }
  const { median, min, max } = spreadOf(perGuest);
  const value = `${kib(median)} (${kib(min)}..${kib(max)})`;
  const isMet = median <= AT_MOST_BYTES;
  return {
    rounds: [],
    verdicts: [{ what: 'idle guest, KiB', value, bound: `<= ${kib(AT_MOST_BYTES)}`, isMet }],
    notes: [],
  };
}

async function comeIn(guests: Socket[], target: number): Promise<void> {
  while (guests.length < target) {
    const count = Math.min(RAMP, target - guests.length);
    const next = Array.from({ length: count }, (_, i) => aGuest(`idle${guests.length + i}`));
    guests.push(...(await Promise.all(next)));
  }
}

async function aGuest(name: string): Promise<Socket> {
  const socket = connect({ port: PORTS.line, host: '127.0.0.1' });
  socket.setEncoding('utf8').write(`${name}\n`);
  let output = '';
  // The help ends the greeting; all of it is read, so that nothing waits in the server.
  while (!/^Format: [\s\S]*\n\n$/m.test(output)) output += String((await once(socket, 'data'))[0]);
  socket.on('error', (error) => say(`idle  ${name}: ${error.message}`));
  return socket;
}

async function atRest(pid: number): Promise<number> {
  let before = residentBytes(pid);
  for (const until = performance.now() + MAX_REST_WAIT_MS; performance.now() < until;) {
    await wait(REST_MS);
    const now = residentBytes(pid);
    if (Math.abs(now - before) < now / 100) return now;
    before = now;
  }
  return before;
}

function kib(bytes: number): string {
  return (bytes / 1_024).toFixed(1);
}

function mib(bytes: number): string {
  return (bytes / 1_048_576).toFixed(0);
}
