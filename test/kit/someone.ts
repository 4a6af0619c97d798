// Somebody at the command line: whose state is in a directory, towards one server.

import assert from 'node:assert/strict';
import { outcomeOf, partyline, type Outcome } from './program.ts';

export interface Someone {
  /** As a script calls it. */
  run(args: readonly string[], input?: string): Promise<Outcome>;
  /** With `--json`: the objects, of a command that must succeed. */
  json(...args: string[]): Promise<Record<string, unknown>[]>;
}

export function someone(directory: string, host: string): Someone {
  const env = { PARTYLINE_DATA: directory, PARTYLINE_HOST: host, PARTYLINE_TOKEN_FILE: '' };
  const run: Someone['run'] = (args, input = '') => outcomeOf(partyline(args, { env }), input);
  const json: Someone['json'] = async (...args) => {
    const { status, stdout, stderr } = await run([...args, '--json']);
    assert.equal(status, 0, stderr);
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line): Record<string, unknown> => JSON.parse(line));
  };
  return { run, json };
}

/** It said why in one line, and printed nothing. */
export function refused({ status, stdout, stderr }: Outcome, pattern: RegExp, expected = 1): void {
  assert.equal(status, expected, stderr);
  assert.equal(stdout, '');
  assert.match(stderr, pattern);
  assert.equal(stderr.trim().split('\n').length, 1);
}
