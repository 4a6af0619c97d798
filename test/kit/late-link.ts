// A link that holds every packet of one family for a known time. Not every kernel has netem: here a program of ours
// holds them, behind a TUN device.

import { join } from 'node:path';
import { type NamespaceHost, printed } from './namespace.ts';

const RELAY = join(import.meta.dirname, 'late-link-relay.ts');
/** Routing table of what is to go over such a link; any number that is not taken. */
const TABLE = { ipv4: 104, ipv6: 106 } as const;
const OPTION = { ipv4: '-4', ipv6: '-6' } as const;

export interface Lateness {
  readonly family: keyof typeof TABLE;
  /** The router's interface whose packets are held. */
  readonly from: string;
  readonly byMs: number;
}

/** Resolves once they are. */
export async function holdUp(router: NamespaceHost, { family, from, byMs }: Lateness): Promise<void> {
  const device = `late-${family}`;
  const relay = router.start(process.execPath, RELAY, device, String(byMs));
  relay.stderr.resume();
  await printed(relay.stdout, /^ready\n/);
  // What the relay gives back comes from its device, not from `from`, and goes the usual way.
  router.exec('', 'ip', OPTION[family], 'route', 'add', 'default', 'dev', device, 'table', String(TABLE[family]));
  router.exec('', 'ip', OPTION[family], 'rule', 'add', 'iif', from, 'table', String(TABLE[family]));
}
