import assert from 'node:assert/strict';
import { test } from 'node:test';
import { joinNames, parseOnce, whyUnusable } from './arguments.ts';

function messageFor(args: string[]): string {
  try {
    parseOnce({ args, options: { name: { type: 'string', short: 'n' } }, allowPositionals: true });
  } catch (error) {
    return whyUnusable(error);
  }
  return assert.fail('it was understood');
}

test('of what Node says about an argument only the first sentence is kept', () => {
  assert.equal(messageFor(['--wat']), "Unknown option '--wat'; --help lists those that there are");
  assert.equal(whyUnusable('no error'), 'no error');
});

test('of an option without its value it is said that it takes one', () => {
  assert.equal(messageFor(['--name']), '--name takes a value, and none follows');
  const meant = '--name takes a value, and what follows begins with "-"; if it is meant: --name=VALUE';
  assert.equal(messageFor(['--name', '--wat']), meant);
});

test('an option with one value is not given twice, and one with several or none may be', () => {
  for (const twice of [
    ['--name', 'a', '--name', 'b'],
    ['--name=a', '--name=a'],
    ['-n', 'a', '--name=b'],
  ]) {
    assert.match(messageFor(twice), /^--name is given twice, and takes one value$/);
  }
  const options = { on: { type: 'string', multiple: true }, yes: { type: 'boolean' } } as const;
  const { values } = parseOnce({ args: ['--on', 'a', '--yes', '--on=b', '--yes'], options });
  assert.deepEqual({ ...values }, { on: ['a', 'b'], yes: true });
});

test('names given by several options are all meant, and one of them that names nobody is not overlooked', () => {
  assert.equal(joinNames(['web1', 'web2,!web3']), 'web1,web2,!web3');
  assert.equal(joinNames(['web1', ' , ']), '');
  assert.equal(joinNames([]), undefined);
});
