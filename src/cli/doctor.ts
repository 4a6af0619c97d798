// `partyline doctor`: what this machine gives a server, and what is in its way.

import { lookup } from 'node:dns/promises';
import { existsSync } from 'node:fs';
import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import { stateDirectory } from '../config/state.ts';
import { RefusedError, UnreachableError } from '../client/mod.ts';
import { NATIVE, readTarget, type Target } from '../client/reach.ts';
import { glanceAtJournal } from '../journal/glance.ts';
import { formatUrl } from '../net/address.ts';
import { parseOnce, whyUnusable } from './kit/arguments.ts';
import {
  checkAddresses,
  checkClock,
  checkDirectory,
  checkFamilies,
  checkListening,
  checkNode,
  checkRuns,
  type Finding,
} from './doctor/checks.ts';
import { checkCertificate, findCertificate } from './doctor/certificate.ts';
import { comeInAsCommands } from './doctor/credential.ts';
import { JOURNAL_FILE } from './kit/journal.ts';
import { hostOf } from './kit/options.ts';
import { jsonLine } from './kit/json-line.ts';
import { bold, print, table } from './kit/print.ts';
import { FAILURE_STATUS, USAGE_STATUS } from './kit/status.ts';

export const HELP = `Look at what this machine gives a server, and what is in its way

Usage: partyline doctor [--data DIR]

  --data DIR    the server's directory (PARTYLINE_DATA, else the platform's state directory)
  --host HOST   the server that should answer (PARTYLINE_HOST, else localhost)
  --json        one JSON object a line: check, state, found, todo

It comes in at the server as every other command does, and says as whom, or why not and what is missing. Where a server listens
it tells its owner alone; to others, each address of HOST is tried. The certificate is the one that
is shown there, whoever's file it is in. Each line is ok, a warning or a
problem, with what to do. Status 1 if there is a problem.

Examples:
  partyline doctor
  partyline doctor --json | jq -r 'select(.state != "ok") | .todo'
`;

const LOOPBACKS = ['127.0.0.1', '::1'];

export async function doctor(args: string[]): Promise<number> {
  let values;
  try {
    ({ values } = parseOnce({
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
  const findings = [
    checkNode(process.version),
    ...(await checkFamilies()),
    checkAddresses(),
    ...(await checkServer({ host, target, directory, nowMs })),
    ...checkDirectory(directory),
    checkClock(directory, nowMs),
    checkJournal(directory),
    checkRuns(),
  ];
  if (values.json) await print(findings.map((finding) => jsonLine(finding)).join(''));
  else await print(shown(findings));
  return findings.some(({ state }) => state === 'problem') ? FAILURE_STATUS : 0;
}

interface Looking {
  readonly host: string;
  readonly target: Target;
  readonly directory: string;
  readonly nowMs: number;
}

/** Whether one answers, what listens, and the certificate that it shows. */
async function checkServer({ host, target, directory, nowMs }: Looking): Promise<Finding[]> {
  const addresses = await addressesOf(target.host);
  if (addresses.length === 0) {
    const found = `Cannot connect to ${host}: the name does not resolve here`;
    const todo = 'see how it is written and what the name service says, or give an address';
    return [{ check: 'server', state: 'problem', found, todo }, checkCertificate({ directory, nowMs })];
  }
  const asked = await askServer(host, directory);
  const tried = addresses.map((address) => formatUrl('tcp', address, target.port));
  const shown = await findCertificate(asked.urls ?? tried);
  // What is in plain text at a place may be TLS as well; what is not is TLS alone.
  const isTls = target.scheme === 'tls' || (asked.isPlain !== true && shown !== undefined);
  const places = isTls ? addresses.map((address) => formatUrl('tls', address, target.port)) : tried;
  // Who names one address has asked for one family.
  const isOfBothFamilies = asked.urls !== undefined || isIP(target.host) === 0;
  const listening = await checkListening({ urls: asked.urls ?? places, isOfBothFamilies });
  const { server, credential } = asked;
  const todo = asked.isUnreached === true ? todoFor(target, { isTls, listening }) : undefined;
  return [
    todo === undefined ? server : { ...server, todo },
    ...credential,
    ...listening,
    checkCertificate({ directory, nowMs, shown }),
  ];
}

interface Around {
  readonly isTls: boolean;
  readonly listening: readonly Finding[];
}

/** Nobody has answered as a server. */
function todoFor({ scheme, host, port }: Target, { isTls, listening }: Around): string {
  if (isTls && scheme !== 'tls') return `it speaks TLS: partyline doctor --host ${formatUrl('tls', host, port)}`;
  const isTaken = listening.some(({ state }) => state === 'ok');
  return isTaken ? 'see what listens there' : 'start one: partyline serve';
}

interface Asked {
  readonly server: Finding;
  /** None if nobody has answered. */
  readonly credential: readonly Finding[];
  /** Where it says that it listens; undefined: it is not there, or tells its owner alone. */
  readonly urls: readonly string[] | undefined;
  /** It has answered in plain text, or by TLS; undefined: it has not. */
  readonly isPlain?: boolean;
  /** Nobody has answered, where a refusal would be an answer. */
  readonly isUnreached?: boolean;
}

/** Whether a server answers there as one, whom commands come in as; and if we are its owner, where it listens. */
async function askServer(host: string, directory: string): Promise<Asked> {
  const check = 'server';
  try {
    await using asked = await comeInAsCommands(host, directory);
    const { client, finding } = asked;
    const found = `${client.server?.serverName ?? 'a server'} answers at ${host}`;
    const urls = client.identity?.role === 'owner' ? (await client.listening()).urls : undefined;
    const isPlain = client.server?.fingerprint === undefined;
    return { server: { check, state: 'ok', found }, credential: [finding], urls, isPlain };
  } catch (error) {
    if (!(error instanceof RefusedError || error instanceof UnreachableError)) throw error;
    const server: Finding = { check, state: 'warning', found: error.message };
    return { server, credential: [], urls: undefined, isUnreached: error instanceof UnreachableError };
  }
}

/** In both families; none: the name does not resolve. */
async function addressesOf(host: string): Promise<readonly string[]> {
  // By address, whatever the machine's list of hosts says: a server that listens on localhost has both.
  if (host.toLowerCase() === 'localhost') return LOOPBACKS;
  return (await lookup(host, { all: true }).catch(() => [])).map(addressOf);
}

function addressOf({ address }: { readonly address: string }): string {
  return address;
}

/** What stops a server from starting on it; all of it is looked at by `partyline verify`. */
function checkJournal(directory: string): Finding {
  const check = 'journal';
  const path = join(directory, JOURNAL_FILE);
  if (!existsSync(path)) return { check, state: 'ok', found: `none in ${directory}; the first start makes one` };
  const wrong = glanceAtJournal(path);
  if (wrong === undefined)
    return { check, state: 'ok', found: `a server can start on ${path}; partyline verify looks at all of it` };
  const todo =
    'partyline verify says what else is wrong; move it and its -log-N files away, then partyline restore puts a copy in its place';
  return { check, state: 'problem', found: `${path}: ${wrong}`, todo };
}

function shown(findings: readonly Finding[]): string {
  const lines = table(
    findings.map(({ state, check, found, todo }) => [state, check, todo === undefined ? found : `${found}: ${todo}`]),
  );
  return lines.replaceAll(/^(?:warning|problem)/gm, (state) => bold(state));
}
