import assert from 'node:assert/strict';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { aDirectory } from '../../../test/kit/directory.ts';
import { makeCertificate } from '../../net/certificate.ts';
import { checkCertificate, findCertificate } from './certificate.ts';

/** It ends with the year 9999. */
function aCertificate() {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return makeCertificate({ key: privateKey, names: ['localhost'], madeAt: new Date('2026-11-22T20:00:00Z') });
}
const NOW_MS = Date.parse('2026-11-22T20:00:00Z');
const SOON_MS = Date.parse('9999-12-20T00:00:00Z');
const LATER_MS = SOON_MS + 30 * 86_400_000;

test('where none is shown the one in the directory is looked at, and one that is none is found out', (t) => {
  const directory = aDirectory(t);
  const path = join(directory, 'tls.crt');
  const at = (nowMs: number) => checkCertificate({ directory, nowMs });
  assert.equal(at(NOW_MS).found, `none in ${directory}; a start without --tls-cert makes one`);
  writeFileSync(path, 'nonsense');
  assert.equal(at(NOW_MS).state, 'problem');
  writeFileSync(path, aCertificate());
  assert.deepEqual(at(NOW_MS), { check: 'certificate', state: 'ok', found: `${path} is good until 9999-12-31` });
  assert.deepEqual([at(SOON_MS).state, at(LATER_MS).state], ['warning', 'problem']);
});

test('the one that is shown counts, and what to do about it depends on whose file it is', (t) => {
  const directory = aDirectory(t);
  const pem = aCertificate();
  const shown = { at: '[::1]:7270', certificate: new X509Certificate(pem), fingerprint: 'sha256//x' };
  const at = (nowMs: number) => checkCertificate({ directory, nowMs, shown });
  assert.equal(at(NOW_MS).found, 'the certificate shown at [::1]:7270 is good until 9999-12-31, its key is sha256//x');
  writeFileSync(join(directory, 'tls.crt'), aCertificate());
  assert.equal(at(SOON_MS).todo, 'put a new one in its place and send the server SIGHUP');
  writeFileSync(join(directory, 'tls.crt'), pem);
  assert.match(at(SOON_MS).todo ?? '', /^remove .*tls\.crt and send the server SIGHUP/);
});

test('nobody is asked for one where it is not TLS that is spoken', async () => {
  assert.equal(
    await findCertificate(['echo://127.0.0.1:1', 'line://[::1]:1', 'http://127.0.0.1:1', 'no address']),
    undefined,
  );
});
