// `partyline doctor`: what this machine gives a server, and what is in its way.

import { lookup } from 'node:dns/promises';
import { existsSync } from 'node:fs';
import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { stateDirectory } from '../config/state.ts';
import { connect, RefusedError, UnreachableError, type Client, type CredentialChoice } from '../client/mod.ts';
import { OWNER_TOKEN_FILE } from '../client/native.ts';
import { NATIVE, readTarget, type Target } from '../client/reach.ts';
import { formatUrl } from '../net/address.ts';
import { whyUnusable } from './arguments.ts';
import {
  checkAddresses,
  checkCertificate,
  checkClock,
  checkDirectory,
  checkFamilies,
  checkListening,
  checkNode,
  checkRuns,
  type Finding,
  type Listening,
} from './checks.ts';
import { hostOf } from './options.ts';
import { jsonLine } from './json-line.ts';
import { bold, print, table } from './print.ts';
import { FAILURE_STATUS, USAGE_STATUS } from './status.ts';
import { trustFor } from './trust.ts';

export const HELP = `Look at what this machine gives a server, and what is in its way

Usage: partyline doctor [--data DIR]

  --data DIR    the server's directory (PARTYLINE_DATA, else the platform's state directory)
  --host HOST   the server that should answer (PARTYLINE_HOST, else localhost)
  --json        one JSON object a line: check, state, found, todo

Where a server listens it tells its owner alone; to others, each address of HOST is tried. Each line is ok, a warning or a
problem, with what to do. Status 1 if there is a problem.

Examples:
  partyline doctor
  partyline doctor --json | jq -r 'select(.state != "ok") | .todo'
`;

const LOOPBACKS = ['127.0.0.1', '::1'];

export async function doctor(args: string[]): Promise<number> {
  let values;
  try {
    ({ values } = parseArgs({
      args,
      options: { data: { type: 'string' }, host: { type: 'string' }, json: { type: 'boolean', default: false } },
    }));
  } catch (error) {
    process.stderr.write(`partyline doctor: ${whyUnusable(error)}\n`);
    return USAGE_STATUS;
  }
  const directory = resolve(values.data ?? stateDirectory());
  const nowMs = Date.now();
  const host = hostOf(values.host);
  const target = readTarget(host, NATIVE);
  if ('wrong' in target) {
    process.stderr.write(`partyline doctor: ${target.wrong}\n`);
    return USAGE_STATUS;
  }
  const { server, urls } = await askServer(host, directory);
  const findings = [
    checkNode(process.version),
    ...(await checkFamilies()),
    checkAddresses(),
    server,
    ...(await checkListening(urls === undefined ? await placesOf(target) : { urls, isOfBothFamilies: true })),
    ...checkDirectory(directory),
    checkCertificate(directory, nowMs),
    checkClock(directory, nowMs),
    checkRuns(),
  ];
  if (values.json) await print(findings.map((finding) => jsonLine(finding)).join(''));
  else await print(shown(findings));
  return findings.some(({ state }) => state === 'problem') ? FAILURE_STATUS : 0;
}

interface Asked {
  readonly server: Finding;
  /** Where it says that it listens; undefined: it is not there, or tells its owner alone. */
  readonly urls: readonly string[] | undefined;
}

/** Whether a server answers there as one; and if we are its owner, where. */
async function askServer(host: string, directory: string): Promise<Asked> {
  const check = 'server';
  const ownerTokenFile = join(directory, OWNER_TOKEN_FILE);
  const asOwner: CredentialChoice = ({ isLoopback }) =>
    isLoopback && existsSync(ownerTokenFile) ? { ownerTokenFile } : 'none';
  try {
    await using client = await openAs(host, asOwner);
    const found = `${client.server?.serverName ?? 'a server'} answers at ${host}`;
    const urls = client.identity === undefined ? undefined : await client.listening();
    return { server: { check, state: 'ok', found }, urls };
  } catch (error) {
    if (!(error instanceof RefusedError || error instanceof UnreachableError)) throw error;
    const todo = 'start one: partyline serve';
    return { server: { check, state: 'warning', found: error.message, todo }, urls: undefined };
  }
}

/** A token in the directory may be that of another server: nobody comes in then. */
async function openAs(host: string, credential: CredentialChoice): Promise<Client> {
  const options = { host, reconnect: false, trust: trustFor('doctor') } as const;
  try {
    return await connect({ ...options, credential });
  } catch (error) {
    if (error instanceof RefusedError) return connect(options);
    throw error;
  }
}

/** Where a server of that name is looked for, in both families. */
async function placesOf(target: Target): Promise<Listening> {
  // By address, whatever the machine's list of hosts says: a server that listens on localhost has both.
  const isLocal = target.host.toLowerCase() === 'localhost';
  const addresses = isLocal ? LOOPBACKS : (await lookup(target.host, { all: true }).catch(() => [])).map(addressOf);
  const urls = addresses.map((address) => formatUrl('tcp', address, target.port));
  return { urls, isOfBothFamilies: isIP(target.host) === 0 };
}

function addressOf({ address }: { readonly address: string }): string {
  return address;
}

function shown(findings: readonly Finding[]): string {
  const lines = table(
    findings.map(({ state, check, found, todo }) => [state, check, todo === undefined ? found : `${found}: ${todo}`]),
  );
  return lines.replaceAll(/^(?:warning|problem)/gm, (state) => bold(state));
}
