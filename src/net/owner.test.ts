// The owner token's file, and the proofs that are made with it.

import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { inspect } from 'node:util';
import vectors from '../../test/vectors/native.json' with { type: 'json' };
import { ensureOwnerToken, newNonce, OwnerToken, OWNER_TOKEN_FILE, readOwnerToken } from './owner.ts';

const TOKEN = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8';

const aDirectory = () => mkdtempDisposable(join(tmpdir(), 'partyline-owner-'));
const refusalOf = (path: string) => {
  const token = readOwnerToken(path);
  return 'refused' in token ? token.refused : assert.fail('the token was taken');
};

test('the first start makes a token that only this user reads, every later one finds the same', async () => {
  await using directory = await aDirectory();
  const data = join(directory.path, 'new', 'data');
  const tokens = await Promise.all([ensureOwnerToken(data), ensureOwnerToken(data), ensureOwnerToken(data)]);
  const path = join(data, OWNER_TOKEN_FILE);
  const text = readFileSync(path, 'utf8');
  assert.match(text, /^[A-Za-z0-9_-]{43}\n$/);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(statSync(data).mode & 0o777, 0o700);
  assert.deepEqual(readdirSync(data), [OWNER_TOKEN_FILE]);
  for (const token of tokens) assert.ok(token.matches(text.trim()));
  await using other = await aDirectory();
  assert.ok(!(await ensureOwnerToken(other.path)).matches(text.trim()));
});

test('a token that others may read is refused, and a start with it fails', async () => {
  await using directory = await aDirectory();
  const path = join(directory.path, OWNER_TOKEN_FILE);
  writeFileSync(path, `${TOKEN}\n`, { mode: 0o600 });
  assert.ok(readOwnerToken(path) instanceof OwnerToken);
  for (const mode of [0o640, 0o604, 0o620, 0o601]) {
    chmodSync(path, mode);
    const why = `Cannot use the owner token ${path}: others may read it (mode 0${mode.toString(8)}); it must be 0600`;
    assert.equal(refusalOf(path), why);
    await assert.rejects(ensureOwnerToken(directory.path), { message: why });
  }
});

test('what is no token is refused in words', async () => {
  await using directory = await aDirectory();
  const path = join(directory.path, 'token');
  assert.equal(refusalOf(path), `Cannot use the owner token ${path}: it does not exist`);
  for (const text of ['', '\n', TOKEN.slice(1), `${TOKEN}A`, `${TOKEN}\n\n`, ` ${TOKEN}`, 'x'.repeat(1_000)]) {
    writeFileSync(path, text, { mode: 0o600 });
    assert.equal(refusalOf(path), `Cannot use the owner token ${path}: it does not hold a token`);
  }
  const folder = join(directory.path, 'folder');
  mkdirSync(folder);
  assert.match(refusalOf(folder), /: it is not a file$/);
  symlinkSync('/dev/null', join(directory.path, 'link'));
  assert.match(refusalOf(join(directory.path, 'link')), /: it is not a file$/);
});

test('the proofs are those of the vectors', () => {
  for (const { token, server, client, ...nonces } of vectors.proofs) {
    const owner = new OwnerToken(token);
    assert.equal(owner.prove({ by: 'server', ...nonces }), server);
    assert.equal(owner.prove({ by: 'client', ...nonces }), client);
  }
});

test('a proof is worth nothing for the other side, another nonce, another end, another token', () => {
  const owner = new OwnerToken(TOKEN);
  const proven = {
    by: 'client',
    clientNonce: newNonce(),
    serverNonce: newNonce(),
    address: '::1',
    port: 7270,
  } as const;
  const proof = owner.prove(proven);
  assert.ok(owner.verify(proof, proven));
  assert.ok(owner.verify(owner.prove({ ...proven, address: '::ffff:127.0.0.1' }), { ...proven, address: '127.0.0.1' }));
  const others = [
    { ...proven, by: 'server' as const },
    { ...proven, clientNonce: proven.serverNonce, serverNonce: proven.clientNonce },
    { ...proven, clientNonce: newNonce() },
    { ...proven, serverNonce: newNonce() },
    { ...proven, address: '127.0.0.1' },
    { ...proven, port: 7271 },
  ];
  for (const other of others) assert.ok(!owner.verify(proof, other), JSON.stringify(other));
  assert.ok(!new OwnerToken(newNonce()).verify(proof, proven));
  assert.ok(!owner.verify('', proven));
});

test('the token matches itself and nothing else, and never shows', () => {
  const owner = new OwnerToken(TOKEN);
  assert.ok(owner.matches(TOKEN));
  for (const text of ['', `${TOKEN} `, TOKEN.toLowerCase(), TOKEN.slice(0, -1)]) assert.ok(!owner.matches(text));
  for (const shown of [
    inspect(owner, { showHidden: true, depth: 9 }),
    JSON.stringify(owner),
    JSON.stringify({ owner }),
  ]) {
    assert.ok(!shown.includes(TOKEN.slice(0, 8)), shown);
  }
});

test('a ticket counts once and for ten seconds, and the oldest gives way', () => {
  const owner = new OwnerToken(TOKEN);
  const ticket = owner.newTicket(1_000);
  assert.ok(!owner.matches(ticket));
  assert.ok(!owner.useTicket(TOKEN, 1_000));
  assert.ok(owner.useTicket(ticket, 10_999));
  assert.ok(!owner.useTicket(ticket, 1_000));
  const late = owner.newTicket(1_000);
  assert.ok(!owner.useTicket(late, 11_000));
  const many = Array.from({ length: 65 }, () => owner.newTicket(1_000));
  assert.deepEqual(
    many.map((each) => owner.useTicket(each, 2_000)),
    many.map((_, at) => at > 0),
  );
});
