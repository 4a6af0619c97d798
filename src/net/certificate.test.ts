import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { aDirectory } from '../../test/kit/directory.ts';
import { needs } from '../../test/kit/needs.ts';
import { makeCertificate } from './certificate.ts';
import { der, objectIdentifier, positiveInteger, time } from './der.ts';

const { privateKey: key, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const NAMES = ['localhost', '127.0.0.1', '::1', '::ffff:192.0.2.1', 'fe80::1%eth0', 'Bücher.example', '*', 'localhost'];

function aCertificate(names: readonly string[] = NAMES): string {
  return makeCertificate({ key, names, madeAt: new Date('2026-11-22T12:00:00.5Z') });
}

test('lengths, numbers, identifiers and times are written as X.690 has them', () => {
  const hex = (bytes: Buffer) => bytes.toString('hex');
  assert.equal(hex(der(0x04, Buffer.alloc(0x7f))).slice(0, 6), '047f00');
  assert.equal(hex(der(0x04, Buffer.alloc(0x80))).slice(0, 6), '048180');
  assert.equal(hex(der(0x04, Buffer.alloc(0x0100))).slice(0, 8), '04820100');
  assert.equal(hex(positiveInteger(Buffer.of(0, 0, 0x80))), '02020080');
  assert.equal(hex(positiveInteger(Buffer.of(0x7f))), '02017f');
  assert.equal(hex(objectIdentifier('1.2.840.10045.4.3.2')), '06082a8648ce3d040302');
  assert.equal(time(new Date('2049-12-31T23:59:59Z')).toString('latin1', 2), '491231235959Z');
  assert.equal(time(new Date('2050-01-01T00:00:00Z')).toString('latin1', 2), '20500101000000Z');
});

test('the certificate is signed by its own key, for its names, for good', () => {
  const certificate = new X509Certificate(aCertificate());
  assert.ok(certificate.verify(publicKey));
  assert.ok(certificate.checkPrivateKey(key));
  assert.ok(!certificate.ca);
  assert.equal(
    certificate.subjectAltName,
    'DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, IP Address:0:0:0:0:0:FFFF:C000:201, ' +
      'IP Address:FE80:0:0:0:0:0:0:1, DNS:xn--bcher-kva.example',
  );
  assert.equal(certificate.checkHost('localhost'), 'localhost');
  assert.equal(certificate.checkIP('::1'), '::1');
  assert.deepEqual(certificate.keyUsage, ['1.3.6.1.5.5.7.3.1']);
  assert.equal(certificate.validFromDate.toISOString(), '2026-11-21T12:00:00.000Z');
  assert.equal(certificate.validToDate.toISOString(), '9999-12-31T23:59:59.000Z');
  assert.notEqual(certificate.serialNumber, new X509Certificate(aCertificate()).serialNumber);
});

test('openssl finds nothing wrong with it', (t) => {
  if (!needs(t, ['openssl'])) return;
  const path = join(aDirectory(t), 'made.crt');
  writeFileSync(path, aCertificate());
  for (const name of [['-verify_hostname', 'localhost'] as const, ['-verify_ip', '::1'] as const]) {
    const words = ['verify', '-x509_strict', '-purpose', 'sslserver', ...name, '-CAfile', path, path];
    assert.match(execFileSync('openssl', words, { encoding: 'utf8' }), /: OK\n$/);
  }
});
