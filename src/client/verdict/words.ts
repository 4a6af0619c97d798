// The verdict in plain words: a sentence for each finding. Scripts may quote them; they change only with a line in the
// changelog. What a server said is in them as it came: whoever shows them escapes.

import { isIP } from 'node:net';
import { formatHostPort } from '../../net/address.ts';
import type { AddressFamily } from '../../net/race.ts';
import type { Ended } from '../probe/facts.ts';
import type { Finding } from './finding.ts';

export interface Target {
  readonly host: string;
  readonly port: number;
}

export function sentenceOf(finding: Finding, { host, port }: Target): string {
  // An address does not resolve: there is no more to say than what came of it.
  const isLiteral = isIP(host) !== 0;
  const resolves = (family: AddressFamily): string => name(family) + (isLiteral ? ':' : ' resolves, but');
  const connects = (family: AddressFamily): string =>
    name(family) + (isLiteral ? ' connects' : ' resolves and connects');
  switch (finding.code) {
    case 'works':
      return `${host} works over ${families(finding.families)}${finding.families.length < finding.of ? ' only' : ''}`;
    case 'connects':
      return `${host} port ${port} connects over ${families(finding.families)}${finding.families.length < finding.of ? ' only' : ''}; nothing was sent`;
    case 'unusable':
      return `${host} connects over ${families(finding.families)}, but does not work`;
    case 'unreachable':
      return `${host} does not answer`;
    case 'closed':
      return `${host} takes no connections on port ${port}`;
    case 'untried':
      return `${host} was not tried over ${families(finding.families)}`;
    case 'unknown-name':
      return `${host} does not resolve: no such name, or it has no address`;
    case 'no-address':
      return finding.why;
    case 'lookup-failed':
      return `${name(finding.family)} addresses of ${host} cannot be looked up: ${finding.why}`;
    case 'refused':
      return `${name(finding.family)}${isLiteral ? ':' : ' resolves and'} the host answers, but nothing listens on port ${port} there (${each(finding.failed)})`;
    case 'no-answer':
      return `${resolves(finding.family)} nobody answers: packets are dropped on the way or by a firewall (${each(finding.failed)})`;
    case 'no-route':
      return `${resolves(finding.family)} no way leads there (${each(finding.failed)})`;
    case 'not-connected':
      return `${resolves(finding.family)} does not connect (${each(finding.failed)})`;
    case 'no-family-here':
      return `${resolves(finding.family)} this machine has no ${name(finding.family)} address of its own to reach it from`;
    case 'tls-failed':
      return `${name(finding.family)} connects, but TLS does not come about: ${finding.why}${
        finding.isSilent === true ? '; so it is where large packets get lost, which without TLS can be found out' : ''
      }`;
    case 'no-echo-server':
      return `${name(finding.family)} connects, but nobody there speaks ECHO: ${finding.why}`;
    case 'tls-alone':
      return `if that port takes TLS alone it is tls://${formatHostPort(host, port)}`;
    case 'no-echo':
      return `${name(finding.family)} connects, but no echo comes back${finding.ended ? `: ${ended(finding.ended)}` : ''}`;
    case 'changed':
      return `${name(finding.family)} connects, but the bytes come back changed: somebody on the way or at the end rewrites them`;
    case 'black-hole': {
      const packet =
        finding.packetBytes === undefined
          ? ''
          : `a packet of ${grouped(finding.packetBytes)} bytes passes, a larger one is lost without a word`;
      const way =
        finding.lostOn === undefined ? '' : finding.lostOn === 'way-there' ? 'on the way there' : 'on the way back';
      const detail = [packet, way].filter((part) => part !== '').join(', ');
      return `${connects(finding.family)}, but nothing larger than ${grouped(finding.passesBytes)} bytes comes back: path-MTU black hole on ${name(finding.family)}${detail === '' ? '' : ` (${detail})`}`;
    }
    case 'large-lost': {
      const partly =
        finding.received > 0 ? `, of ${grouped(finding.failsBytes)} bytes only ${grouped(finding.received)}` : '';
      return `${connects(finding.family)}, but nothing larger than ${grouped(finding.passesBytes)} bytes comes back whole${partly}`;
    }
    case 'large-ends':
      return `${name(finding.family)} echoes ${grouped(finding.passesBytes)} bytes; at ${grouped(finding.failsBytes)} bytes ${ended(finding.ended)}`;
    case 'lossy':
      return `${name(finding.family)} lost ${finding.lost} of ${finding.count} echoes`;
    case 'resent':
      return `${finding.late} of ${finding.count} echoes over ${name(finding.family)} took up to ${ms(finding.byMs)} longer than usual, as when a packet is lost and sent again`;
    case 'broke':
      return `over ${name(finding.family)} ${ended(finding.ended)} after ${finding.came} of ${finding.count} echoes`;
    case 'some-addresses':
      return `${finding.failed.length} of ${finding.of} ${name(finding.family)} addresses cannot be used (${each(finding.failed)})`;
    case 'slow-name':
      return `${finding.family === 6 ? 'AAAA' : 'A'} records come ${ms(finding.byMs)} later than ${finding.family === 6 ? 'A' : 'AAAA'} records`;
    case 'race-cost':
      return finding.preferred === finding.winner
        ? `every new connection loses ${ms(finding.afterMs)} to addresses that do not answer at once`
        : `every new connection loses ${ms(finding.afterMs)} to ${name(finding.preferred)}, which is tried first, before ${name(finding.winner)} wins`;
    case 'same-speed':
      return 'both are equally fast';
    case 'faster':
      return `${name(finding.family)} is ${ms(finding.byMs)} faster`;
    case 'half-close':
      return `over ${name(finding.family)} ${ENDINGS[finding.ending]}`;
    case 'nat':
      return finding.local.address === finding.seen.address
        ? `a NAT changes the port over ${name(finding.family)}: ${finding.local.port} here is ${finding.seen.port} there`
        : `a NAT (or a proxy) is on the way over ${name(finding.family)}: ${finding.local.address} here is ${finding.seen.address} there`;
    case 'nat64': {
      const stands = finding.ipv4 === undefined ? '' : `: ${finding.address} stands for ${finding.ipv4}`;
      const seen = finding.seen === undefined ? '' : `; the server sees ${finding.seen.address}`;
      return `what looks like IPv6 goes through NAT64 and arrives as IPv4${stands}${seen}`;
    }
    case 'clat':
      return `IPv4 of this machine is translated before it leaves (464XLAT or DS-Lite: ${finding.local})`;
    case 'arrives-as-ipv6': {
      const stands = finding.ipv4 === undefined ? '' : `, which stands for ${finding.ipv4}`;
      return `IPv4 arrives there as IPv6: the server sees ${finding.seen.address}${stands}`;
    }
  }
}

const ENDINGS: Readonly<Record<Extract<Finding, { code: 'half-close' }>['ending'], string>> = {
  'stays-open': 'the other end does not end when we have ended',
  cuts: 'the other end owes an echo and ends when we have ended',
  resets: 'the connection is reset when we have ended',
  silent: 'nothing comes back any more when we have ended',
};

function name(family: AddressFamily): string {
  return `IPv${family}`;
}

function families(all: readonly AddressFamily[]): string {
  return all.map(name).join(' and ');
}

function each(failed: readonly { readonly address: string; readonly why: string }[]): string {
  return failed.map(({ address, why }) => `${address}: ${why}`).join('; ');
}

function ended(how: Ended): string {
  return how === 'reset'
    ? 'the connection is reset'
    : how === 'closed'
      ? 'the other end closes'
      : 'the connection breaks';
}

function ms(value: number): string {
  return `${value.toFixed(1)} ms`;
}

/** 1,208, whatever language the machine speaks. */
export function grouped(value: number): string {
  return String(value).replace(/\B(?=(?:\d{3})+$)/g, ',');
}
