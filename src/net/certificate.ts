// The certificate that a server makes for itself: EC P-256, signed by its own key, for the names it is called by.
// RFC 5280 in as many lines as it takes; no library and no openssl (docs/decisions/0010-tls.md).

import { createHash, createPublicKey, randomBytes, sign, type KeyObject } from 'node:crypto';
import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import {
  around,
  bitString,
  inPlaceOf,
  objectIdentifier,
  octetString,
  positiveInteger,
  sequence,
  set,
  time,
  TRUE,
  utf8String,
  type Der,
} from './der.ts';
import { ipv6Octets } from './peer.ts';

/** RFC 5280 4.1.2.5: the date that means none. Who pins a key has no use for one, and a server none that stops it. */
const NO_END = new Date('9999-12-31T23:59:59Z');
/** The certificate is good from so long before it was made: clocks differ. */
const CLOCKS_DIFFER_MS = 86_400_000;
/** RFC 5280 4.1.2.2 allows 20 octets. */
const SERIAL_BYTES = 16;
/** Bytes of an uncompressed point of P-256, with which its SPKI ends. */
const POINT_BYTES = 65;

const ECDSA_WITH_SHA256 = objectIdentifier('1.2.840.10045.4.3.2');
const COMMON_NAME = objectIdentifier('2.5.4.3');
const BASIC_CONSTRAINTS = objectIdentifier('2.5.29.19');
const KEY_USAGE = objectIdentifier('2.5.29.15');
const EXTENDED_KEY_USAGE = objectIdentifier('2.5.29.37');
const SUBJECT_KEY_IDENTIFIER = objectIdentifier('2.5.29.14');
const SUBJECT_ALT_NAME = objectIdentifier('2.5.29.17');
const SERVER_AUTH = objectIdentifier('1.3.6.1.5.5.7.3.1');
/** RFC 5280 4.2.1.3: the first bit, digitalSignature, alone. */
const DIGITAL_SIGNATURE = bitString(Buffer.of(0x80), 7);

export interface CertificateWishes {
  /** Private, EC P-256. */
  readonly key: KeyObject;
  /** Host names and addresses; what can be neither is left out. */
  readonly names: readonly string[];
  readonly madeAt: Date;
}

/** As PEM. */
export function makeCertificate({ key, names, madeAt }: CertificateWishes): string {
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' });
  const signedWith = sequence(ECDSA_WITH_SHA256);
  const name = sequence(set(sequence(COMMON_NAME, utf8String('Partyline'))));
  const content = sequence(
    around(0, positiveInteger(Buffer.of(2))), // version 3
    positiveInteger(Buffer.concat([Buffer.of(1), randomBytes(SERIAL_BYTES - 1)])),
    signedWith,
    name,
    sequence(time(new Date(madeAt.getTime() - CLOCKS_DIFFER_MS)), time(NO_END)),
    name,
    spki,
    around(3, sequence(...extensions(spki, names))),
  );
  const certificate = sequence(content, signedWith, bitString(sign('sha256', content, key)));
  const lines = certificate.toString('base64').replace(/.{64}(?!$)/g, '$&\n');
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

function extensions(spki: Buffer, names: readonly string[]): Der[] {
  // RFC 7093 section 2, method 1.
  const keyIdentifier = createHash('sha256').update(spki.subarray(-POINT_BYTES)).digest().subarray(0, 20);
  return [
    extension(BASIC_CONSTRAINTS, sequence(), TRUE),
    extension(KEY_USAGE, DIGITAL_SIGNATURE, TRUE),
    extension(EXTENDED_KEY_USAGE, sequence(SERVER_AUTH)),
    extension(SUBJECT_KEY_IDENTIFIER, octetString(keyIdentifier)),
    extension(SUBJECT_ALT_NAME, sequence(...new Set(names).values().flatMap(alternativeName))),
  ];
}

function extension(id: Der, value: Der, ...critical: readonly Der[]): Der {
  return sequence(id, ...critical, octetString(value));
}

/** RFC 5280 4.2.1.6: dNSName is [2], iPAddress [7]. */
function alternativeName(name: string): Der[] {
  const [address = ''] = name.split('%', 1);
  const family = isIP(address);
  if (family === 4) return [inPlaceOf(7, Buffer.from(address.split('.').map(Number)))];
  if (family === 6) return [inPlaceOf(7, ipv6Octets(address))];
  const ascii = domainToASCII(name);
  return /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(ascii) ? [inPlaceOf(2, Buffer.from(ascii))] : [];
}
