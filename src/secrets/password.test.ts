import assert from 'node:assert/strict';
import { scryptSync } from 'node:crypto';
import { test } from 'node:test';
import { judgePassword, type Password } from '../core/password.ts';
import { ScryptPasswords } from './password.ts';

/** Too little for a server, enough to see whether it is right. */
const CHEAP = { ln: 4, r: 8, p: 1 };
const cheap = new ScryptPasswords({ cost: CHEAP });

function aPassword(text: string): Password {
  const judged = judgePassword(text);
  return 'refused' in judged ? assert.fail(judged.refused) : judged.password;
}

async function storedOf(passwords: ScryptPasswords, text: string): Promise<string> {
  const hashed = await passwords.hash(aPassword(text));
  return 'refused' in hashed ? assert.fail(hashed.refused) : hashed.stored;
}

test('the right password is right, also typed another way, and any other is wrong', async () => {
  const stored = await storedOf(cheap, 'Zoë’s horse');
  assert.equal(await cheap.verify('Zoë’s horse', stored), 'right');
  assert.equal(await cheap.verify('Zoe\u0308’s\u00a0horse', stored), 'right');
  for (const text of ['zoë’s horse', 'Zoë’s horse ', '', 'short', 'x'.repeat(100_000)]) {
    assert.equal(await cheap.verify(text, stored), 'wrong', text.slice(0, 20));
  }
});

test('what is stored is a PHC string that another scrypt can check, with a salt of its own', async () => {
  const [one, other] = [await storedOf(cheap, 'correct horse'), await storedOf(cheap, 'correct horse')];
  assert.notEqual(one, other);
  const [, salt = '', hash] = /^\$scrypt\$ln=4,r=8,p=1\$([^$]{22})\$([^$]{43})$/.exec(one) ?? [];
  const expected = scryptSync('correct horse', Buffer.from(salt, 'base64'), 32, { N: 16, r: 8, p: 1 });
  assert.equal(hash, expected.toString('base64').replaceAll('=', ''));
});

test('nothing stored, or nothing that can be read, is wrong after the same work', async () => {
  const one = new ScryptPasswords({ cost: CHEAP, maxAtOnce: 1, maxWaiting: 0 });
  const huge = `$scrypt$ln=30,r=8,p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`;
  for (const stored of [undefined, '', 'plain', huge, huge.replace('30', '0')]) {
    const verdict = one.verify('correct horse', stored);
    // It holds the one place, as a hash does.
    assert.equal(await one.verify('correct horse', undefined), 'busy');
    assert.equal(await verdict, 'wrong');
  }
});

test('more at once than may wait are told so, and nothing else happens to them', async () => {
  const few = new ScryptPasswords({ cost: CHEAP, maxAtOnce: 1, maxWaiting: 1 });
  const stored = await storedOf(few, 'correct horse');
  const verdicts = await Promise.all(Array.from({ length: 4 }, () => few.verify('correct horse', stored)));
  assert.deepEqual(verdicts, ['right', 'right', 'busy', 'busy']);
  const working = few.verify('correct horse', stored);
  const waiting = few.verify('correct horse', stored);
  assert.deepEqual(await few.hash(aPassword('correct horse')), { refused: 'busy' });
  assert.deepEqual([await working, await waiting], ['right', 'right']);
});

test('a hash of other costs still counts, and asks to be made again', async () => {
  const dearer = new ScryptPasswords({ cost: { ...CHEAP, p: 2 } });
  const stored = await storedOf(cheap, 'correct horse');
  assert.equal(await dearer.verify('correct horse', stored), 'right');
  assert.deepEqual([cheap.needsRehash(stored), dearer.needsRehash(stored)], [false, true]);
  assert.equal(cheap.needsRehash('plain'), true);
});

test('the costs of a server are those that OWASP asks for', async () => {
  const passwords = new ScryptPasswords();
  const stored = await storedOf(passwords, 'correct horse');
  assert.match(stored, /^\$scrypt\$ln=15,r=8,p=3\$/);
  assert.equal(await passwords.verify('correct horse', stored), 'right');
});
