// Which way a packet was lost: what the other side's system has not acknowledged never came there; what it has, and of
// which nothing comes back, was lost on the way back. Linux says how much that is, without privileges.

import { open } from 'node:fs/promises';
import type { AddressFamily } from '../../net/race.ts';
import type { Sweep } from './facts.ts';

/** A line for each connection of the machine has 150 to 180 bytes: some 20,000 of them are looked through. */
const MAX_TABLE_BYTES = 4 * 1_048_576;

export interface Ports {
  readonly local: number;
  readonly remote: number;
}

/** Undefined where the system does not say, or says it of several. */
export async function whereLost(family: AddressFamily, ports: Ports): Promise<Sweep['lostOn']> {
  const table = await readStart(family === 4 ? '/proc/self/net/tcp' : '/proc/self/net/tcp6');
  const bytes = table === undefined ? undefined : unacknowledgedIn(table, ports);
  return bytes === undefined ? undefined : bytes > 0 ? 'way-there' : 'way-back';
}

/** proc_net_tcp(5): `sl local_address rem_address st tx_queue:rx_queue …`, numbers in hexadecimal. */
export function unacknowledgedIn(table: string, { local, remote }: Ports): number | undefined {
  const port = (number: number): string => number.toString(16).toUpperCase().padStart(4, '0');
  const line = new RegExp(
    String.raw`^\s*\d+: [0-9A-F]+:${port(local)} [0-9A-F]+:${port(remote)} [0-9A-F]{2} ([0-9A-F]{8}):`,
    'gm',
  );
  const found = [...table.matchAll(line)];
  return found.length === 1 ? Number.parseInt(found[0]?.[1] ?? '', 16) : undefined;
}

async function readStart(path: string): Promise<string | undefined> {
  try {
    await using file = await open(path);
    const chunks: Buffer[] = [];
    for (let length = 0; length < MAX_TABLE_BYTES;) {
      const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(65_536) });
      if (bytesRead === 0) break;
      chunks.push(buffer.subarray(0, bytesRead));
      length += bytesRead;
    }
    return Buffer.concat(chunks).toString('latin1');
  } catch {
    return undefined;
  }
}
