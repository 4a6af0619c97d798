import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UnreachableError } from '../client/errors.ts';
import { keepIn } from './token.ts';

/** A file that a full disk does not take. */
function aFullFile() {
  const done: string[] = [];
  const write = () => {
    throw new Error('Cannot write bot.token: the disk is full');
  };
  return { done, write, remove: () => void done.push('file removed') };
}

const MADE = { id: 3, token: 'pl_x' };

test('a token that cannot be written down is removed again, or said to be there still', async () => {
  const file = aFullFile();
  const removed: number[] = [];
  const removeToken = async (id: number) => void removed.push(id);
  assert.equal(
    await keepIn(file, MADE, { removeToken }),
    'Cannot write bot.token: the disk is full; the token is removed again',
  );
  assert.deepEqual([file.done, removed], [['file removed'], [3]]);
  const lost = () => Promise.reject(new UnreachableError('Cannot connect to localhost: connection refused'));
  assert.equal(
    await keepIn(aFullFile(), MADE, { removeToken: lost }),
    'Cannot write bot.token: the disk is full; token 3 is there still, and nobody has it: ' +
      'Cannot connect to localhost: connection refused; partyline token remove 3 ends it',
  );
});
