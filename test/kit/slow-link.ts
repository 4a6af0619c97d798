// A link that holds every packet of one family for a known time. Not every kernel has netem, and what it does is not
// known packet by packet: here a program of ours holds them, and says of each how long it did.

import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type NamespaceHost, printed } from './namespace.ts';

const RELAY = join(import.meta.dirname, 'slow-link-relay.ts');
/** Routing table of what is to go over such a link; any number that is not taken. */
const TABLE = { ipv4: 104, ipv6: 106 } as const;

export interface Held {
  readonly heldMs: number;
  /** Begins a connection. */
  readonly isSyn: boolean;
  readonly bytes: number;
}

interface SlowLinkOptions {
  readonly family: keyof typeof TABLE;
  /** The router's interface whose packets are held. */
  readonly from: string;
  readonly lateByMs: number;
}

export class SlowLink {
  /** In the order in which they left. */
  readonly held: Held[] = [];

  static async start(router: NamespaceHost, { family, from, lateByMs }: SlowLinkOptions): Promise<SlowLink> {
    const device = `late-${family}`;
    const relay = router.start(process.execPath, RELAY, device, String(lateByMs));
    relay.stderr.resume();
    await printed(relay.stdout, /^ready\n/);
    const slow = new SlowLink();
    createInterface(relay.stdout).on('line', (line) => {
      const [heldMs, bytes, syn] = line.split(' ');
      slow.held.push({ heldMs: Number(heldMs), bytes: Number(bytes), isSyn: syn === 'syn' });
    });
    const version = family === 'ipv4' ? '-4' : '-6';
    // What the relay gives back comes from its device, not from `from`, and goes the usual way.
    for (const words of [
      `rule add iif ${from} table ${TABLE[family]}`,
      `route add default dev ${device} table ${TABLE[family]}`,
    ]) {
      router.exec('', 'ip', version, ...words.split(' '));
    }
    return slow;
  }
}
