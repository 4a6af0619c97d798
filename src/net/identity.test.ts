import assert from 'node:assert/strict';
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { chmodSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { aDirectory } from '../../test/kit/directory.ts';
import { makeCertificate } from './certificate.ts';
import { loadIdentity, type Identity, type TlsFiles } from './identity.ts';

function load(directory: string, files?: TlsFiles): Identity {
  return loadIdentity({ directory, files, names: ['localhost'], now: () => 0 });
}

function ownFiles(t: TestContext): TlsFiles {
  const directory = aDirectory(t);
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const files = { cert: join(directory, 'own.crt'), key: join(directory, 'own.key') };
  writeFileSync(files.key, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  writeFileSync(files.cert, makeCertificate({ key: privateKey, names: ['hub.example'], madeAt: new Date() }), {
    mode: 0o600,
  });
  return files;
}

test('key and certificate are made once, and the key is for the server alone', (t) => {
  const directory = aDirectory(t);
  const first = load(directory);
  assert.equal(statSync(join(directory, 'tls.key')).mode & 0o777, 0o600);
  assert.deepEqual(load(directory), first);
  assert.match(first.fingerprint, /^sha256\/\/[A-Za-z0-9+/]{43}=$/);
  assert.equal(readFileSync(join(directory, 'tls.fingerprint'), 'utf8'), `${first.fingerprint}\n`);
});

test('without its certificate the key gets a new one, and is known by the same fingerprint', (t) => {
  const directory = aDirectory(t);
  const first = load(directory);
  rmSync(join(directory, 'tls.crt'));
  const second = load(directory);
  assert.notEqual(second.cert, first.cert);
  assert.equal(second.fingerprint, first.fingerprint);
});

test('without its key the server becomes another one', (t) => {
  const directory = aDirectory(t);
  const first = load(directory);
  rmSync(join(directory, 'tls.key'));
  assert.notEqual(load(directory).fingerprint, first.fingerprint);
});

test('an own certificate is used, and nothing is made', (t) => {
  const directory = aDirectory(t);
  const files = ownFiles(t);
  assert.equal(load(directory, files).cert, readFileSync(files.cert, 'utf8'));
  // Those who serve may have a group.
  chmodSync(files.key, 0o640);
  const { fingerprint } = load(directory, files);
  assert.equal(readFileSync(join(directory, 'tls.fingerprint'), 'utf8'), `${fingerprint}\n`);
  assert.throws(() => statSync(join(directory, 'tls.key')), { code: 'ENOENT' });
});

test('what cannot be used is told in one line', (t) => {
  const directory = aDirectory(t);
  load(directory);
  const made = join(directory, 'tls.key');
  const own = ownFiles(t);
  const other = ownFiles(t);
  const refused = (words: RegExp, files?: TlsFiles) =>
    assert.throws(
      () => load(directory, files),
      ({ message }: Error) => /^Cannot use [^\n]+$/.test(message) && words.test(message),
      String(words),
    );
  refused(/another one's$/, { cert: own.cert, key: other.key });
  refused(/own\.crt: it does not exist$/, { cert: `${own.cert}/own.crt`, key: own.key });
  refused(/key .*: it does not exist$/, { cert: own.cert, key: `${own.key}x` });
  refused(/: it is not a file$/, { cert: own.cert, key: directory });
  refused(/does not hold what it should/, { cert: own.key, key: own.key });
  refused(/does not hold what it should/, { cert: own.cert, key: own.cert });
  const locked = createPrivateKey(readFileSync(own.key)).export({
    type: 'pkcs8',
    format: 'pem',
    cipher: 'aes-128-cbc',
    passphrase: 'x',
  });
  writeFileSync(other.key, locked);
  refused(/without a password$/, { cert: own.cert, key: other.key });
  chmodSync(own.key, 0o644);
  refused(/others may read it \(mode 0644\); it must be 0600$/, own);
  chmodSync(made, 0o640);
  refused(/tls\.key: others may read it \(mode 0640\); it must be 0600$/);
});
