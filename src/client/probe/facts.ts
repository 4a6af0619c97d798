// What a probe finds out, as plain facts: the verdict and every report are made of these and of nothing else.

import type { Nat64Prefix } from '../../net/nat64.ts';
import type { AddressFamily, Attempt } from '../../net/race.ts';
import type { FailureKind } from '../../net/reason.ts';
import type { EchoServer } from '../echo.ts';

export interface ProbeFacts {
  readonly host: string;
  readonly port: number;
  /** `connect`: whether it connects is all that was asked, and nothing was sent. */
  readonly wants: 'echo' | 'connect';
  readonly isTls: boolean;
  /** The race of RFC 8305, as every client runs it; times are since it began, the names being resolved. */
  readonly race: readonly Attempt[];
  /** The family that a client without preference would have used. */
  readonly winner: AddressFamily | undefined;
  /** By which this network reaches IPv4 hosts over IPv6 (RFC 7050), beside those that are everybody's. */
  readonly nat64: readonly Nat64Prefix[];
  /** Those asked for, and no other. */
  readonly families: ReadonlyMap<AddressFamily, FamilyFacts>;
}

export interface FamilyFacts {
  readonly name: NameFacts;
  /** In the resolver's order of preference. */
  readonly addresses: readonly AddressFacts[];
  /** This machine has an address of the family with which it can speak to others. */
  readonly isHere: boolean;
  /** The connection that was measured; none where nothing could be. */
  readonly link: LinkFacts | undefined;
}

export interface NameFacts {
  /** Undefined for a literal address, which nobody is asked about. */
  readonly tookMs: number | undefined;
  readonly addresses: readonly string[];
  readonly failed?: NameFailure;
}

export interface NameFailure {
  /** In words. */
  readonly why: string;
  /** `none`: there is no address of the family. `unknown`: nor, for all that is known, the name. `unanswered`: who knows. */
  readonly kind: 'none' | 'unknown' | 'unanswered';
}

export interface AddressFacts {
  readonly address: string;
  /** The IPv4 address that a translator makes of it (RFC 6052). */
  readonly embeds?: string;
  readonly connectMs?: number;
  readonly tlsMs?: number;
  readonly failed?: AddressFailure;
}

export interface AddressFailure {
  /** How far it came. */
  readonly at: 'connect' | 'tls' | 'echo';
  readonly kind: FailureKind;
  /** In words, without the address. */
  readonly why: string;
  /** Not a byte came from it. */
  readonly isMute?: true;
}

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

export interface LinkFacts {
  readonly address: string;
  readonly local: Endpoint;
  /** With the client as the server sees it, where the server says that. */
  readonly server: EchoServer;
  readonly rounds: Rounds;
  readonly sweep?: Sweep | undefined;
  readonly ending?: Ending;
}

/** How the other side ended a connection: by a FIN, by an RST, or the system gave it up. */
export type Ended = 'closed' | 'reset' | 'broken';

export interface Rounds {
  /** As many as were asked for; those that could not be sent any more are lost. */
  readonly count: number;
  readonly sizeBytes: number;
  /** Undefined: lost. In the order in which they were sent. */
  readonly times: readonly (number | undefined)[];
  /** Came back, but not as they were sent; they count as lost. */
  readonly changed: number;
  readonly ended?: Ended;
}

/** What became of one echo of the sweep. */
export type Came = 'back' | 'late' | 'changed' | Ended;

export interface SizeFacts {
  readonly bytes: number;
  readonly came: Came;
  /** Until the last byte was back. */
  readonly tookMs?: number;
  /** Of those that did not come back whole, how many bytes did. */
  readonly received?: number;
}

export interface Sweep {
  /** Everything that was tried, in that order. */
  readonly sizes: readonly SizeFacts[];
  /** The largest that came back whole and unchanged. */
  readonly passes: number | undefined;
  /** The smallest beyond it that did not, and how it did not. Undefined: all came back. */
  readonly fails?: SizeFacts;
  /** As many bytes as fail at once, sent in pieces that pass: they came back, so that it is the size of packets. */
  readonly comesInPieces?: boolean;
  /** What the system still holds unacknowledged tells which way a packet was lost; unknown where it does not say. */
  readonly lostOn?: 'way-there' | 'way-back';
}

/** What the other end does when we have ended our sending (FIN), with an echo still owed. */
export type Ending =
  /** Sends what it owes, and ends too. */
  | 'answers'
  /** Sends what it owes, and leaves its half open. */
  | 'stays-open'
  /** Ends, and keeps what it owes. */
  | 'cuts'
  | 'resets'
  | 'silent';
