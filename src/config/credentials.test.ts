import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { aDirectory } from '../../test/kit/directory.ts';
import { credentialPath, readCredential, readSecretFile, removeCredential, writeCredential } from './credentials.ts';

const BOB = { name: 'bob', token: 'pl_secret', label: 'laptop 01' };

test('a token is kept for its server, in a file that only its owner may read', (t) => {
  const directory = join(aDirectory(t), 'state');
  writeCredential(directory, '[::1]:7270', BOB);
  writeCredential(directory, 'lab.example:7270', { ...BOB, name: 'eve' });
  assert.deepEqual(readCredential(directory, '[::1]:7270'), BOB);
  assert.equal(readCredential(directory, 'localhost:7270'), undefined);
  assert.equal(statSync(credentialPath(directory, '[::1]:7270')).mode & 0o777, 0o600);
  writeCredential(directory, '[::1]:7270', { ...BOB, token: 'pl_newer' });
  assert.deepEqual(readCredential(directory, '[::1]:7270'), { ...BOB, token: 'pl_newer' });
  assert.equal(readdirSync(join(directory, 'tokens')).length, 2);
  removeCredential(directory, '[::1]:7270');
  assert.equal(readCredential(directory, '[::1]:7270'), undefined);
  removeCredential(directory, '[::1]:7270');
});

test('a token that others may read, or that is damaged, is refused in words', (t) => {
  const directory = aDirectory(t);
  writeCredential(directory, 'a:1', BOB);
  const path = credentialPath(directory, 'a:1');
  chmodSync(path, 0o640);
  assert.match(JSON.stringify(readCredential(directory, 'a:1')), /others may read it \(mode 0640\)/);
  chmodSync(path, 0o600);
  for (const damaged of ['', '{', 'null', '{"name":"bob"}', '{"name":"bob","token":1,"label":""}']) {
    writeFileSync(path, damaged);
    assert.match(JSON.stringify(readCredential(directory, 'a:1')), /damaged; log in again/);
  }
  mkdirSync(credentialPath(directory, 'b:1'));
  assert.match(JSON.stringify(readCredential(directory, 'b:1')), /it is not a file/);
});

test('a name of a server is never a path', (t) => {
  const directory = aDirectory(t);
  const path = credentialPath(directory, '../../etc:1');
  assert.equal(path, join(directory, 'tokens', '..%2F..%2Fetc%3A1'));
});

test('a token that cannot be kept is an error that says where', (t) => {
  const directory = aDirectory(t);
  writeFileSync(join(directory, 'tokens'), '');
  assert.throws(
    () => writeCredential(directory, 'a:1', BOB),
    /^Error: Cannot keep the token in .*tokens.*: its directory/,
  );
});

test('the text of a token file is read without its line end', (t) => {
  const path = join(aDirectory(t), 'token');
  assert.equal(readSecretFile(path), undefined);
  writeFileSync(path, 'pl_abc\r\n', { mode: 0o600 });
  assert.equal(readSecretFile(path), 'pl_abc');
});
