// A server of a test's own: the real program, on free ports of both loopbacks, with a data directory that goes with it.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newDirectory, removeDirectory } from './directory.ts';
import { partyline, type Program } from './program.ts';

/** Every end-to-end test runs over both. */
export const LOOPBACKS = ['127.0.0.1', '::1'] as const;

export interface TestServer extends AsyncDisposable {
  readonly program: Program;
  readonly pid: number;
  /** Of `tcp://localhost`, where every protocol is spoken. */
  readonly port: number;
  /** Of `echo://localhost`, RFC 862. */
  readonly echoPort: number;
  readonly directory: string;
  /** What a client of this server's owner needs in its environment. */
  readonly env: Readonly<Record<string, string>>;
  token(): Promise<string>;
}

export interface TestServerOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly directory?: string;
  /** Of the server that was here before; without it one that is free, which could be that very one. */
  readonly port?: number;
  /** How the program is started; without it as it is. */
  readonly launch?: typeof partyline;
}

export async function startServer({
  args = [],
  env = {},
  directory,
  port = 0,
  launch = partyline,
}: TestServerOptions = {}): Promise<TestServer> {
  const own = directory ?? newDirectory();
  const listen = ['--listen', `tcp://localhost:${port}`, '--listen', 'echo://localhost:0'];
  const program = launch(['serve', ...listen, '--data', own, ...args], { env });
  const remove = () => (directory === undefined ? removeDirectory(own) : Promise.resolve());
  const text = await program.stdout.until(/^ready$/m).catch(async (error: Error) => {
    await program[Symbol.asyncDispose]();
    await remove();
    throw new Error(`the server did not start: ${program.stderr.text}`, { cause: error });
  });
  return {
    program,
    pid: program.pid,
    port: portOf(text, 'tcp'),
    echoPort: portOf(text, 'echo'),
    directory: own,
    env: { PARTYLINE_DATA: own },
    token: async () => (await readFile(join(own, 'owner.token'), 'utf8')).trim(),
    async [Symbol.asyncDispose]() {
      await program[Symbol.asyncDispose]();
      await remove();
    },
  };
}

function portOf(text: string, scheme: string): number {
  const port = new RegExp(`^listening on ${scheme}://.*:(\\d+)$`, 'm').exec(text)?.[1];
  if (port === undefined) throw new Error(`no ${scheme} port in ${JSON.stringify(text)}`);
  return Number(port);
}

/** HOST:PORT as the command line takes it. */
export function at(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
