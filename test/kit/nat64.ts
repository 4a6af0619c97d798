// A network without IPv4 of its own: the router translates what goes to IPv6 addresses that stand for IPv4 ones (NAT64,
// RFC 6146, by tayga), and its name server is told addresses that are made of them, as a DNS64 would make them.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { aDirectory } from './directory.ts';
import { type Host, printed } from './namespace.ts';
import type { Records } from './name-server.ts';

/** The network's own prefix: the well-known one may not stand for addresses that are not global (RFC 6052 section 3.1). */
export const NAT64_PREFIX = '2001:db8:64::';
/** What the clients of the translator come from at the server. */
const POOL = '203.0.113.0/24';
const OWN_ADDRESS = '203.0.113.1';
const DEVICE = 'nat64';

/** What a DNS64 tells of itself (RFC 7050), and a name whose only address is made of an IPv4 one. */
export function translatedRecords(name: string, ipv4: string): Records {
  return {
    [name]: [`${NAT64_PREFIX}${ipv4}`],
    'ipv4only.arpa': ['192.0.0.170', '192.0.0.171', `${NAT64_PREFIX}192.0.0.170`, `${NAT64_PREFIX}192.0.0.171`],
  };
}

/** Resolves once the router translates. */
export async function startNat64(t: TestContext, router: Host): Promise<void> {
  const data = aDirectory(t);
  const config = join(data, 'tayga.conf');
  const lines = [
    `tun-device ${DEVICE}`,
    `ipv4-addr ${OWN_ADDRESS}`,
    `prefix ${NAT64_PREFIX}/96`,
    `dynamic-pool ${POOL}`,
  ];
  writeFileSync(config, [...lines, `data-dir ${data}`, ''].join('\n'));
  await router.run('', 'tayga', '--config', config, '--mktun');
  await router.run('', 'ip', 'link', 'set', DEVICE, 'up');
  await router.run('', 'ip', 'route', 'add', POOL, 'dev', DEVICE);
  await router.run('', 'ip', 'route', 'add', `${NAT64_PREFIX}/96`, 'dev', DEVICE);
  // Into a pipe it would say nothing before its end.
  const tayga = router.start('stdbuf', '-oL', 'tayga', '--config', config, '-d');
  await printed(tayga.stdout, /^Dynamic pool: /m);
  tayga.stderr.resume();
}
