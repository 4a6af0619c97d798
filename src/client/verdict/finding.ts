// What can be said of a host that was probed: a code that stays as it is, and its facts. Scripts and tests go by these,
// people by the sentence (words.ts).

import type { AddressFamily } from '../../net/race.ts';
import type { Ended, Ending, Endpoint } from '../probe/facts.ts';

export type Finding =
  | { readonly code: 'works'; readonly families: readonly AddressFamily[]; readonly of: number }
  | { readonly code: 'connects'; readonly families: readonly AddressFamily[]; readonly of: number }
  /** Something answers in these families, but not as was wanted. */
  | { readonly code: 'unusable'; readonly families: readonly AddressFamily[] }
  | { readonly code: 'unreachable' }
  /** A host answers, and where more than one was tried no other gets any further; what is asked for is not there. */
  | { readonly code: 'closed' }
  /** There is no address of these families to try. */
  | { readonly code: 'untried'; readonly families: readonly AddressFamily[] }
  | { readonly code: 'unknown-name'; readonly why: string }
  | { readonly code: 'no-address'; readonly family: AddressFamily; readonly why: string }
  | { readonly code: 'lookup-failed'; readonly family: AddressFamily; readonly why: string }
  | {
      readonly code: 'refused' | 'no-answer' | 'no-route' | 'not-connected';
      readonly family: AddressFamily;
      readonly failed: readonly { readonly address: string; readonly why: string }[];
    }
  /** This machine has no address of the family. */
  | { readonly code: 'no-family-here'; readonly family: AddressFamily }
  | { readonly code: 'no-echo-server'; readonly family: AddressFamily; readonly why: string }
  /** It was spoken to in plain text, and said nothing at all. */
  | { readonly code: 'tls-alone' }
  | {
      readonly code: 'tls-failed';
      readonly family: AddressFamily;
      readonly why: string;
      /** Nothing came: the first message of a client is larger than most packets, and may be lost for that. */
      readonly isSilent?: boolean;
    }
  | { readonly code: 'no-echo'; readonly family: AddressFamily; readonly ended?: Ended }
  | { readonly code: 'changed'; readonly family: AddressFamily; readonly bytes: number }
  | {
      readonly code: 'black-hole';
      readonly family: AddressFamily;
      /** The largest echo that comes back, and the smallest that does not. */
      readonly passesBytes: number;
      readonly failsBytes: number;
      /** With the headers of IP and TCP, where the border is known to the byte. */
      readonly packetBytes?: number;
      readonly lostOn?: 'way-there' | 'way-back';
    }
  /** Large echoes get lost, and small pieces of them too: it may be the server. */
  | {
      readonly code: 'large-lost';
      readonly family: AddressFamily;
      readonly passesBytes: number;
      readonly failsBytes: number;
      readonly received: number;
    }
  | {
      readonly code: 'large-ends';
      readonly family: AddressFamily;
      readonly passesBytes: number;
      readonly failsBytes: number;
      readonly ended: Ended;
    }
  | { readonly code: 'lossy'; readonly family: AddressFamily; readonly lost: number; readonly count: number }
  /** TCP hides a loss and takes its time for it. */
  | {
      readonly code: 'resent';
      readonly family: AddressFamily;
      readonly late: number;
      readonly count: number;
      /** The slowest, than the median. */
      readonly byMs: number;
    }
  | {
      readonly code: 'broke';
      readonly family: AddressFamily;
      readonly ended: Ended;
      readonly came: number;
      readonly count: number;
    }
  | {
      readonly code: 'some-addresses';
      readonly family: AddressFamily;
      readonly of: number;
      readonly failed: readonly { readonly address: string; readonly why: string }[];
    }
  | { readonly code: 'slow-name'; readonly family: AddressFamily; readonly byMs: number }
  /** What every client loses that prefers the family it should: the winner had to wait for its turn. */
  | {
      readonly code: 'race-cost';
      readonly preferred: AddressFamily;
      readonly winner: AddressFamily;
      readonly afterMs: number;
    }
  | { readonly code: 'same-speed' }
  | { readonly code: 'faster'; readonly family: AddressFamily; readonly byMs: number }
  | { readonly code: 'half-close'; readonly family: AddressFamily; readonly ending: Exclude<Ending, 'answers'> }
  /** The server sees another address of the family than the one that this machine has. */
  | { readonly code: 'nat'; readonly family: AddressFamily; readonly local: Endpoint; readonly seen: Endpoint }
  /** The address stands for an IPv4 address, or the server sees an IPv4 client: what looks like IPv6 is IPv4 from some point on. */
  | {
      readonly code: 'nat64';
      readonly address: string;
      /** The IPv4 address in it, where its prefix is known. */
      readonly ipv4?: string;
      readonly seen?: Endpoint;
    }
  /** IPv4 here is translated on this machine or beside it, and travels as IPv6 (464XLAT, RFC 6877) or in a tunnel (DS-Lite). */
  | { readonly code: 'clat'; readonly local: string }
  /** An IPv4 connection arrives as IPv6: a translator before the server (RFC 7755), or a proxy. */
  | { readonly code: 'arrives-as-ipv6'; readonly seen: Endpoint; readonly ipv4?: string };
