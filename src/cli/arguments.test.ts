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
  assert.equal(messageFor(['--name']), "Option '--name <value>' argument missing");
  assert.equal(messageFor(['--name', '--wat']), "Option '--name' argument is ambiguous");
  assert.equal(whyUnusable('no error'), 'no error');
});
