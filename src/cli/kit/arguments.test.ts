import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseArgs } from 'node:util';
import { whyUnusable } from './arguments.ts';

function messageFor(args: string[]): string {
  try {
    parseArgs({ args, options: { name: { type: 'string' } }, allowPositionals: true });
  } catch (error) {
    return whyUnusable(error);
  }
  return assert.fail('it was understood');
}

test('of what Node says about an argument only the first sentence is kept', () => {
  assert.equal(messageFor(['--wat']), "Unknown option '--wat'");
  assert.equal(whyUnusable('no error'), 'no error');
});

test('of an option without its value it is said that it takes one', () => {
  assert.equal(messageFor(['--name']), '--name takes a value, and none follows');
  const meant = '--name takes a value, and what follows begins with "-"; if it is meant: --name=VALUE';
  assert.equal(messageFor(['--name', '--wat']), meant);
});
