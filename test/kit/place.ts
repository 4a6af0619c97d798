// Where a command runs: on a server itself, or on a machine that has joined it. What holds for one holds for the other.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { aMachine, type Machine } from './machine.ts';
import { outcomeOf, partyline, type Outcome, type Program } from './program.ts';
import { at, startServer, type TestServer, type TestServerOptions } from './server.ts';

export const WHERE = ['server', 'machine'] as const;
export type Where = (typeof WHERE)[number];

export interface Place extends AsyncDisposable {
  readonly server: TestServer;
  readonly machine: Machine | undefined;
  /** As `HOST` in what is said of it. */
  readonly name: string;
  /** Whose runner it is. */
  readonly program: Program;
  /** Where that has its pipes and its mark. */
  readonly pipes: string;
  /** `partyline run` there, on its way; the arguments are those after the host. */
  run(args: readonly string[], env?: Readonly<Record<string, string>>): Program;
  outcome(args: readonly string[], input?: string | Uint8Array): Promise<Outcome>;
}

/** A server, and if need be a machine. */
export async function aPlace(where: Where, host: string, options: TestServerOptions = {}): Promise<Place> {
  const server = await startServer(options);
  const machine = where === 'machine' ? await aMachine('web1', server, host) : undefined;
  const name = machine?.name ?? 'Server';
  const on = machine === undefined ? [] : ['--on', machine.name];
  const run: Place['run'] = (args, env = {}) =>
    partyline(['run', at(host, server.port), ...on, ...args], { env: { ...server.env, ...env } });
  return {
    server,
    machine,
    name,
    program: machine?.program ?? server.program,
    pipes: machine === undefined ? join(server.directory, 'pipes') : join(machine.directory, 'host-pipes'),
    run,
    async outcome(args, input = '') {
      await using program = run(args);
      return await outcomeOf(program, input);
    },
    async [Symbol.asyncDispose]() {
      await machine?.[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** Of the runner processes that have, or had, their pipes there. */
export function marksIn(pipes: string): string[] {
  return readdirSync(pipes).flatMap((name) => (name.startsWith('mark-') ? [name.slice('mark-'.length)] : []));
}
