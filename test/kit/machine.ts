// A machine of a test's own that joins a server: the real program, with a state directory of its own.

import assert from 'node:assert/strict';
import { newDirectory, removeDirectory } from './directory.ts';
import { partyline, type Program } from './program.ts';
import { at, type TestServer } from './server.ts';
import { someone } from './someone.ts';

export interface Machine extends AsyncDisposable {
  readonly name: string;
  readonly program: Program;
  readonly directory: string;
}

export interface MachineOptions {
  /** `tls://` and the like. */
  readonly scheme?: string;
  readonly args?: readonly string[];
  /** How the program is started; without it as it is. */
  readonly launch?: typeof partyline;
}

/** The code that the owner of the server gives for it. */
export async function codeFor(name: string, server: TestServer, host: string): Promise<string> {
  const [invited] = await someone(server.directory, at(host, server.port)).json('invite', name, '--as', 'host');
  assert.equal(typeof invited?.['code'], 'string');
  return String(invited?.['code']);
}

/** The program on its way; it has not joined yet. */
export function joining(
  directory: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Program {
  return partyline(['join', ...args], { env: { PARTYLINE_DATA: directory, ...env } });
}

/** It has joined. */
export async function aMachine(
  name: string,
  server: TestServer,
  host: string,
  { scheme = '', args = [], launch = partyline }: MachineOptions = {},
): Promise<Machine> {
  const directory = newDirectory();
  const code = await codeFor(name, server, host);
  const program = launch(['join', `${scheme}${at(host, server.port)}`, '--code', code, ...args], {
    env: { PARTYLINE_DATA: directory },
  });
  await program.stdout.until('ready\n').catch((error: unknown) => {
    throw new Error(`${name} did not join: ${program.stderr.text}`, { cause: error });
  });
  return {
    name,
    program,
    directory,
    async [Symbol.asyncDispose]() {
      await program[Symbol.asyncDispose]();
      await removeDirectory(directory);
    },
  };
}
