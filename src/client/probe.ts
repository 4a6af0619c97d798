// Measures how well a host is reachable over each family: what its name stands for, the race of RFC 8305, the time to
// connect to each address, round trips of echo on open connections, how large an echo may be, and how it all ends.

import { networkInterfaces } from 'node:os';
import { REAL_CLOCK, type Clock, type DialOptions } from '../net/dial.ts';
import { embeddedIpv4, KNOWN_PREFIXES, type Nat64Prefix } from '../net/nat64.ts';
import { isLoopbackAddress, normaliseAddress } from '../net/peer.ts';
import type { AddressFamily } from '../net/race.ts';
import type { EchoConnection } from './echo.ts';
import { EchoLink } from './probe/echo-link.ts';
import type { AddressFacts, FamilyFacts, LinkFacts, ProbeFacts, Rounds } from './probe/facts.ts';
import { prefixesFor, resolveNames } from './probe/names.ts';
import { reachAll, type Reached, type ReachOptions } from './probe/reach.ts';
import { ECHO_DEADLINE_MS, runRounds } from './probe/rounds.ts';
import { payloadOf, sweep } from './probe/sweep.ts';
import { lossOf, spreadOf } from './probe/tally.ts';
import { whereLost } from './probe/unacknowledged.ts';
import { warmUp } from './probe/warm-up.ts';

/** Milliseconds for the other side to end when we have: as `END_GRACE_MS` of a conversation. */
const ENDING_DEADLINE_MS = 2_000;
/** What is lost of rounds up to this size is not lost for its size. */
const SMALL_BYTES = 256;

export type ProbeStage = 'resolving' | 'connecting' | 'echoing' | 'sizing';

export interface ProbeOptions extends Pick<DialOptions, 'host' | 'port' | 'lookup' | 'connect'> {
  readonly families: readonly AddressFamily[];
  readonly name: string | undefined;
  readonly wants: 'echo' | 'connect';
  readonly count: number;
  readonly intervalMs: number;
  readonly sizeBytes: number;
  readonly tls?: ReachOptions['tls'];
  readonly echoDeadlineMs?: number;
  readonly connectDeadlineMs?: number;
  readonly clock?: Clock | undefined;
  readonly onStage?: (stage: ProbeStage) => void;
  /** Undefined: lost. */
  readonly onEcho?: (family: AddressFamily, tookMs: number | undefined) => void;
}

/** Ends by itself; what fails is among the facts. */
export async function probe(options: ProbeOptions): Promise<ProbeFacts> {
  const { host, port, name, wants, families, tls, connect, echoDeadlineMs = ECHO_DEADLINE_MS, onStage } = options;
  const { lookup, clock = REAL_CLOCK } = options;
  await warmUp();
  onStage?.('resolving');
  const names = await resolveNames({ host, families, lookup, clock });
  onStage?.('connecting');
  const how: ReachOptions = {
    host,
    port,
    name,
    wants,
    tls,
    answerDeadlineMs: echoDeadlineMs,
    connectDeadlineMs: options.connectDeadlineMs,
    clock,
    ...(connect && { connect }),
  };
  const asking = prefixesFor(names.order, { lookup, clock });
  const { race, winner, addresses } = await reachAll(names.order, how);
  const links = await measure(addresses, { ...options, echoDeadlineMs, clock }, how);
  const nat64 = await asking;
  const prefixes = [...KNOWN_PREFIXES, ...nat64];
  const facts = families.map((family): [AddressFamily, FamilyFacts] => [
    family,
    {
      name: names.byFamily.get(family) ?? { tookMs: undefined, addresses: [] },
      addresses: addresses.filter((one) => one.family === family).map((one) => withIpv4(one.facts, prefixes)),
      isHere: isHere(family),
      link: links.get(family),
    },
  ]);
  return { host, port, wants, isTls: tls !== undefined, race, winner, nat64, families: new Map(facts) };
}

function withIpv4(facts: AddressFacts, prefixes: readonly Nat64Prefix[]): AddressFacts {
  const embeds = embeddedIpv4(facts.address, prefixes);
  return embeds === undefined ? facts : { ...facts, embeds };
}

interface Measuring extends ProbeOptions {
  readonly echoDeadlineMs: number;
  readonly clock: Clock;
}

interface Linked {
  readonly link: EchoLink;
  readonly connection: EchoConnection;
  readonly known: Omit<LinkFacts, 'rounds'>;
  readonly open: () => Promise<EchoLink | undefined>;
}

/** Of each family the first address that came as far as an echo; the other connections end here. */
async function measure(
  addresses: readonly Reached[],
  options: Measuring,
  how: ReachOptions,
): Promise<Map<AddressFamily, LinkFacts>> {
  const linked = new Map<AddressFamily, Linked>();
  for (const { connection, ...to } of addresses) {
    if (connection === undefined) continue;
    if (linked.has(to.family)) {
      connection.socket.destroy();
      continue;
    }
    const { localAddress = '', localPort = 0 } = connection.socket;
    const local = { address: normaliseAddress(localAddress), port: localPort };
    const open = async () => {
      const again = await reachAll([to], how);
      const found = again.addresses[0]?.connection;
      return found === undefined ? undefined : new EchoLink(found, options.clock);
    };
    const known = { address: to.address, local, server: connection.server };
    linked.set(to.family, { link: new EchoLink(connection, options.clock), connection, known, open });
  }
  if (linked.size === 0) return new Map();
  options.onStage?.('echoing');
  const rounds = await runRounds(new Map([...linked].map(([family, { link }]) => [family, link])), options);
  options.onStage?.('sizing');
  const measured = [...linked].map(async ([family, one]): Promise<[AddressFamily, LinkFacts]> => {
    const own = rounds.get(family);
    if (own === undefined) throw new Error(`IPv${family} has a connection and no rounds`);
    return [family, await grow(family, { ...one, rounds: own })];
  });
  return new Map(await Promise.all(measured));
}

/** The sizes, and the end: on the same connection, unless it has lost something or is gone. */
async function grow(family: AddressFamily, one: Linked & { rounds: Rounds }): Promise<LinkFacts> {
  const { link, known, rounds, open } = one;
  const typicalMs = spreadOf(rounds)?.p50;
  if (typicalMs === undefined && (rounds.changed > 0 || rounds.sizeBytes <= SMALL_BYTES)) {
    link.destroy();
    return { ...known, rounds };
  }
  const isClean = lossOf(rounds).lost === 0 && link.isOpen;
  if (!isClean) link.destroy();
  const swept = isClean ? link : await open();
  if (swept === undefined) return { ...known, rounds };
  const lostOn = (lost: EchoLink) => whereLost(family, lost.ports);
  const sizes = await sweep({ link: swept, open, roundTripMs: typicalMs ?? 0, lostOn });
  const last = swept.isOpen ? swept : await open();
  const ending = await last?.finish(payloadOf(SMALL_BYTES), ENDING_DEADLINE_MS + (typicalMs ?? 0));
  last?.destroy();
  return { ...known, rounds, sweep: sizes, ...(ending && { ending }) };
}

/** Beside loopback, and beside what is only good for the next machine. */
function isHere(family: AddressFamily): boolean {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.some(
    ({ address, family: its }) =>
      its === `IPv${family}` && !isLoopbackAddress(address) && !/^(?:fe[89ab]|169\.254\.)/i.test(address),
  );
}
