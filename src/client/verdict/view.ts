// What the server's view of the client says about the way between them: whose addresses are not the same at both ends
// has been translated.

import { isIP } from 'node:net';
import { embeddedIpv4, isClatAddress, KNOWN_PREFIXES, type Nat64Prefix } from '../../net/nat64.ts';
import type { AddressFamily } from '../../net/race.ts';
import { usedAddress, type Tried } from '../probe/used.ts';
import type { Finding } from './finding.ts';

export interface Seen extends Tried {
  /** Of this network, beside those that are everybody's. */
  readonly nat64: readonly Nat64Prefix[];
}

export function translationsOf(family: AddressFamily, { link, addresses, nat64 }: Seen): Finding[] {
  const seen = link?.server.kind === 'partyline' ? link.server.seenAs : undefined;
  const arrivesAs = seen && isIP(seen.address);
  // A server says what it likes.
  if (arrivesAs === 0) return [];
  if (family === 6) {
    const used = usedAddress({ addresses, link });
    if (used?.embeds !== undefined || arrivesAs === 4) {
      const ipv4 = used?.embeds === undefined ? {} : { ipv4: used.embeds };
      return [{ code: 'nat64', address: used?.address ?? '', ...ipv4, ...(seen && { seen }) }];
    }
  }
  const notes: Finding[] = [];
  if (family === 4 && link !== undefined && isClatAddress(link.local.address)) {
    notes.push({ code: 'clat', local: link.local.address });
  }
  if (link === undefined || seen === undefined) return notes;
  if (family === 4 && arrivesAs === 6) {
    const ipv4 = embeddedIpv4(seen.address, [...KNOWN_PREFIXES, ...nat64]);
    return [...notes, { code: 'arrives-as-ipv6', seen, ...(ipv4 === undefined ? {} : { ipv4 }) }];
  }
  const { local } = link;
  const isSame = withoutZone(local.address) === withoutZone(seen.address) && local.port === seen.port;
  return isSame ? notes : [...notes, { code: 'nat', family, local, seen }];
}

/** A zone (RFC 4007) is each machine's own name for a link. */
function withoutZone(address: string): string {
  return address.replace(/%.*$/, '').toLowerCase();
}
