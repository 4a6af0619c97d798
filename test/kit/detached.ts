// Detached runs, as somebody at a command line has them: started, looked at on record, and waited for.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { aDirectory } from './directory.ts';
import { until } from './proc.ts';
import { outcomeOf, partyline, type Outcome, type Program } from './program.ts';
import { at, type TestServer } from './server.ts';
import { someone } from './someone.ts';

/** Commands that read its path wait until the test opens it. */
export function aGate(t: TestContext): { readonly path: string; open(): Promise<void> } {
  const path = join(aDirectory(t), 'gate');
  execFileSync('mkfifo', [path]);
  return { path, open: () => writeFile(path, 'go\n') };
}

export interface There {
  readonly server: TestServer;
  readonly host: string;
}

export function calling(args: readonly string[], { server, host }: There): Program {
  return partyline(args, { env: { ...server.env, PARTYLINE_HOST: at(host, server.port) } });
}

export function call(args: readonly string[], there: There): Promise<Outcome> {
  return outcomeOf(calling(args, there));
}

/** Its number. */
export async function detach(args: readonly string[], there: There): Promise<string> {
  const { status, stdout, stderr } = await call(['run', '--detach', ...args], there);
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^[1-9]\d*\n$/);
  return stdout.trim();
}

export async function resultsOf(id: string, { server, host }: There): Promise<unknown[]> {
  const [run] = await someone(server.directory, at(host, server.port)).json('runs', 'show', id);
  const results = run?.['results'];
  assert.ok(Array.isArray(results));
  return results.map(({ result, status }) => [result, status]);
}

export async function untilEnded(id: string, there: There): Promise<unknown[]> {
  let results: unknown[] = [];
  const isEnded = async () => {
    results = await resultsOf(id, there);
    return !JSON.stringify(results).includes('running');
  };
  await until(isEnded, `run ${id} has ended`);
  return results;
}
