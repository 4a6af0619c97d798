// `partyline serve`: from arguments to a running server, until a signal ends it.

import { resolve } from 'node:path';
import { stateDirectory } from '../config/state.ts';
import { ConsoleLog } from '../log/console.ts';
import { parseListen, type Listen } from '../net/listen.ts';
import { lookUpUser } from '../runner/user.ts';
import { startServer, type RunningServer } from '../server.ts';
import { namesAreUsable } from '../server/names.ts';
import type { ServerOptions } from '../server/options.ts';
import { parseOnce, whyUnusable } from './kit/arguments.ts';
import { onHangUp } from './kit/hang-up.ts';
import { USAGE_STATUS } from './kit/status.ts';
import { reasonOf } from '../reason.ts';

const DEFAULT_LISTEN = ['tcp://localhost:7270', 'echo://localhost:7007'];

export const HELP = `Start a server: echo, run and chat on one port, over IPv4 and IPv6

Usage: partyline serve [OPTION...]

  --name NAME      what the server is called (Server)
  --owner NAME     what its owner is called (owner)
  --listen URL     where to listen, repeatable (${DEFAULT_LISTEN.join(', ')})
                   tcp://HOST:PORT   every protocol, told apart by the first bytes
                   tls://HOST:PORT   the same inside TLS, and nothing in plain text
                   line:// http:// https:// echo://   that one alone; echo:// is RFC 862
                   HOST: a name or address, localhost (both loopbacks), * (every address)
                   PORT 0: one free port, the same for both families
                   beyond loopback plain text has to be asked for: tcp+insecure://*:7270
  --tls-cert FILE  certificate (PEM, with its chain) instead of the one made in DIR
  --tls-key FILE   its private key; SIGHUP reads both again
  --data DIR       where the server keeps its state (the platform's state directory)
  --open           let guests in from other machines
  --run-as USER    run commands as this user instead of as the server's own
  --keep-output BYTES  of each output of a command, in the records of runs: the first and the last (65536)
  --json           what happens as JSON, one object a line
  --verbose        also each connection's two lines, on stderr

Examples:
  partyline serve
  partyline serve --name Lab --listen tcp://localhost:0
  partyline serve --open --listen 'tls://*:7270'
`;

/** Bytes of an output in a record: twice as much is in memory while a command runs, and 256 may run. */
const MAX_KEPT_BYTES = 16_777_216;
/** Of the 5 s that stopping may take. */
const CLOSE_DEADLINE_MS = 4_500;
/** How long the last lines may take to leave; all of it within 5 s of the signal. */
const FLUSH_MS = 500;

export async function serve(args: string[]): Promise<number> {
  const read = readArguments(args);
  if ('wrong' in read) {
    process.stderr.write(`partyline serve: ${read.wrong}\n`);
    return USAGE_STATUS;
  }
  const runAs = read.runAs === undefined ? undefined : await lookUpUser(read.runAs);
  if (runAs !== undefined && 'reason' in runAs) return fail(runAs.reason);
  const ended = signalled();
  let server: RunningServer | undefined;
  // Before it says that it is ready: who hears that may send the signal.
  const hungUp = onHangUp(() => server?.reload());
  try {
    server = await startServer({ ...read.options, ...(runAs === undefined ? {} : { runAs }) });
  } catch (error) {
    return fail(reasonOf(error));
  }
  await Promise.race([ended, hungUp]);
  // Whatever holds on: an operator who stops a server gets it stopped.
  setTimeout(() => process.exit(0), CLOSE_DEADLINE_MS).unref();
  await server.close();
  await flushed();
  return 0;
}

function fail(reason: string): number {
  process.stderr.write(`partyline serve: ${reason}\n`);
  return 1;
}

function signalled(): Promise<void> {
  return new Promise((resolve) => {
    process.on('SIGINT', () => resolve());
    process.on('SIGTERM', () => resolve());
  });
}

async function flushed(): Promise<void> {
  const written = new Promise<void>((resolve) => process.stdout.write('', () => resolve()));
  const late = new Promise<void>((resolve) => setTimeout(resolve, FLUSH_MS).unref());
  await Promise.race([written, late]);
}

type Read = { options: Omit<ServerOptions, 'runAs'>; runAs: string | undefined } | { wrong: string };

function readArguments(args: string[]): Read {
  let values;
  try {
    ({ values } = parseOnce({
      args,
      options: {
        name: { type: 'string', default: 'Server' },
        owner: { type: 'string', default: 'owner' },
        listen: { type: 'string', multiple: true },
        data: { type: 'string' },
        open: { type: 'boolean', default: false },
        'run-as': { type: 'string' },
        'keep-output': { type: 'string' },
        'tls-cert': { type: 'string' },
        'tls-key': { type: 'string' },
        json: { type: 'boolean', default: false },
        verbose: { type: 'boolean', default: false },
      },
    }));
  } catch (error) {
    return { wrong: whyUnusable(error) };
  }
  const listen: Listen[] = [];
  for (const url of values.listen ?? DEFAULT_LISTEN) {
    const parsed = parseListen(url);
    if ('refused' in parsed) return { wrong: parsed.refused };
    listen.push(parsed);
  }
  const { name, owner } = values;
  const wrong = namesAreUsable(name, owner);
  if (wrong !== undefined) return { wrong };
  const kept = values['keep-output'];
  if (kept !== undefined && !(/^\d{1,8}$/.test(kept) && Number(kept) <= MAX_KEPT_BYTES)) {
    return { wrong: `--keep-output takes a number of bytes up to ${MAX_KEPT_BYTES}, not ${JSON.stringify(kept)}` };
  }
  const keptBytes = kept === undefined ? {} : { keptBytes: Number(kept) };
  const { 'tls-cert': cert, 'tls-key': key } = values;
  if ((cert === undefined) !== (key === undefined)) return { wrong: '--tls-cert and --tls-key need each other' };
  const tls = cert === undefined || key === undefined ? {} : { tls: { cert: resolve(cert), key: resolve(key) } };
  const log = new ConsoleLog({ json: values.json, verbose: values.verbose });
  const directory = resolve(values.data ?? stateDirectory());
  const options = { name, owner, listen, directory, isOpen: values.open, log, ...keptBytes, ...tls };
  return { options, runAs: values['run-as'] };
}
