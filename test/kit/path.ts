// The way between two hosts, through a router that treats each family as a test asks it to: lets it through, loses it,
// turns it away, drops what is large, gives it another address, holds it up.

import type { TestContext } from 'node:test';
import { until } from './proc.ts';
import { LINK } from './hosts.ts';
import { holdUp, type Lateness } from './late-link.ts';
import { type Addresses, connect, type Host, makeHosts, type NamespaceHost } from './namespace.ts';
import { NameServer, type Records } from './name-server.ts';
import { needs } from './needs.ts';

/** What becomes of a family's packets on the way, in both directions unless it says otherwise. */
export type Way =
  | 'open'
  /** They vanish. */
  | 'dropped'
  /** The sender is told that there is no route. */
  | 'rejected'
  /** To the server they come from the router's own address. */
  | 'translated'
  /** A black hole: larger ones vanish, and nobody is told (RFC 8201 would have a Packet Too Big come back). */
  | { readonly dropsOverBytes: number; readonly only?: 'way-there' | 'way-back' }
  /** Every so many-th vanishes: how many do is no matter of chance. */
  | { readonly losesEvery: number }
  /** What goes to the server is held so long; what comes back is not. */
  | { readonly lateByMs: number };

export const FAMILIES = ['ipv4', 'ipv6'] as const;
export type FamilyName = (typeof FAMILIES)[number];
export type Ways = { readonly [family in FamilyName]?: Way };

/** RFC 5737 and RFC 3849: getaddrinfo takes them for global addresses, and puts IPv6 first (RFC 6724). */
const CLIENT: Addresses = { ipv4: '192.0.2.2', ipv6: '2001:db8:1::2' };
const ROUTER: Addresses = { ipv4: '192.0.2.1', ipv6: '2001:db8:1::1' };
const ROUTER_AT_SERVER: Addresses = { ipv4: '198.51.100.1', ipv6: '2001:db8:2::1' };
const SERVER: Addresses = { ipv4: '198.51.100.2', ipv6: '2001:db8:2::2' };
const SERVER_LATER: Addresses = { ipv4: '198.51.100.3', ipv6: '2001:db8:2::3' };

/** The router's interfaces, by what they lead to. */
const TO_CLIENT = 'client';
const TO_SERVER = 'server';

export interface Path {
  readonly client: Host;
  readonly server: Host;
  readonly router: Host;
  /** Where the server sees its clients come from if they are translated. */
  readonly translatedTo: Addresses;
  readonly names: NameServer;
  /** From now on the server has other addresses, and the old ones are nobody's. The name server is not told. */
  moveServer(): void;
}

/** `both`, `four` and `six` of example.com are this host over the families that they say. */
export function recordsOf({ ipv4, ipv6 }: Addresses): Records {
  return { 'both.example.com': [ipv4, ipv6], 'four.example.com': [ipv4], 'six.example.com': [ipv6] };
}

/** Undefined: the test has been marked as left out, because this machine cannot do that. */
export async function aPath(t: TestContext, ways: Ways = {}): Promise<Path | undefined> {
  const rules = rulesOf(ways);
  const late = FAMILIES.flatMap((family) => lateness(family, ways[family]));
  const programs = ['ip', 'dnsmasq', 'sysctl'];
  if (rules !== undefined) programs.push('nft');
  if (late.length > 0) programs.push('socat');
  const rights = { root: true, netns: true, filters: rules !== undefined, tunnels: late.length > 0 };
  if (!needs(t, programs, rights)) return undefined;

  const { client, router, server } = makeHosts(t, { client: CLIENT, router: ROUTER, server: SERVER }, ROUTER.ipv4);
  link(router, { client, server });
  if (rules !== undefined) router.exec(rules, 'nft', '-f', '-');
  const names = await NameServer.start(t, router, recordsOf(server));
  for (const lateness of late) await holdUp(router, lateness);
  // Where nothing gets through it counts what addresses the client has, and those of a link that is not up yet do not: the
  // kernel says so up to a second late.
  if (FAMILIES.some((family) => ways[family] === 'rejected')) await until(() => isUp(client), 'the link is up');
  return {
    client,
    server,
    router,
    translatedTo: ROUTER_AT_SERVER,
    names,
    moveServer() {
      server.take(LINK, SERVER_LATER);
      routeOver(server, ROUTER_AT_SERVER);
    },
  };
}

async function isUp(host: NamespaceHost): Promise<boolean> {
  return (await host.run('', 'ip', '-o', 'link', 'show', LINK)).stdout.includes(' state UP ');
}

function link(router: NamespaceHost, { client, server }: { client: NamespaceHost; server: NamespaceHost }): void {
  for (const host of [router, client, server]) {
    // Duplicate address detection would keep the link-local address back, and with it neighbour discovery, for a second.
    host.exec('', 'sysctl', '-qw', 'net.ipv6.conf.default.accept_dad=0', 'net.ipv6.conf.all.accept_dad=0');
  }
  const forwarding = ['net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1'];
  // What was held up comes back to the router by another link than its sender's.
  router.exec('', 'sysctl', '-qw', ...forwarding, 'net.ipv4.conf.all.rp_filter=0', 'net.ipv4.conf.default.rp_filter=0');
  connect([client, LINK], [router, TO_CLIENT]);
  connect([server, LINK], [router, TO_SERVER]);
  router.take(TO_CLIENT);
  router.ip(
    `address add ${ROUTER_AT_SERVER.ipv6}/64 dev ${TO_SERVER} nodad`,
    `address add ${ROUTER_AT_SERVER.ipv4}/24 dev ${TO_SERVER}`,
    ...[TO_CLIENT, TO_SERVER].map((one) => `link set ${one} up`),
  );
  for (const [host, gateway] of [
    [client, ROUTER],
    [server, ROUTER_AT_SERVER],
  ] as const) {
    host.take(LINK);
    // Packets are as large as they would be on a cable: the router would see them joined otherwise.
    host.ip(`link set ${LINK} up gso_max_segs 1`);
    routeOver(host, gateway);
  }
}

function routeOver(host: NamespaceHost, { ipv4, ipv6 }: Addresses): void {
  host.ip(`route replace default via ${ipv4}`, `route replace default via ${ipv6}`);
}

function lateness(family: FamilyName, way: Way = 'open'): Lateness[] {
  return typeof way === 'object' && 'lateByMs' in way ? [{ family, from: TO_CLIENT, byMs: way.lateByMs }] : [];
}

/** For nft(8); undefined where everything passes. */
function rulesOf(ways: Ways): string | undefined {
  const forward = FAMILIES.flatMap((family) => forwardRule(family, ways[family]) ?? []);
  const leaving = FAMILIES.filter((family) => ways[family] === 'translated').map(
    (family) => `meta nfproto ${family} oifname ${TO_SERVER} masquerade`,
  );
  if (forward.length + leaving.length === 0) return undefined;
  return [
    'table inet way {',
    `chain forward { type filter hook forward priority filter;\n${forward.join('\n')}\n}`,
    `chain leaving { type nat hook postrouting priority srcnat;\n${leaving.join('\n')}\n}`,
    '}',
  ].join('\n');
}

function forwardRule(family: FamilyName, way: Way = 'open'): string | undefined {
  const all = `meta nfproto ${family}`;
  if (way === 'dropped') return `${all} drop`;
  if (way === 'rejected') return `${all} reject with ${family === 'ipv4' ? 'icmp net-unreachable' : 'icmpv6 no-route'}`;
  if (typeof way === 'string') return undefined;
  if ('dropsOverBytes' in way) {
    const from = way.only === undefined ? '' : `iifname ${way.only === 'way-there' ? TO_CLIENT : TO_SERVER} `;
    return `${all} ${from}meta length > ${way.dropsOverBytes} drop`;
  }
  if ('losesEvery' in way) return `${all} numgen inc mod ${way.losesEvery} == ${way.losesEvery - 1} drop`;
  return undefined;
}
