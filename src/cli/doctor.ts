// `partyline doctor`: what this machine gives a server, and what is in its way.

import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { stateDirectory } from '../config/state.ts';
import { connect, RefusedError, UnreachableError } from '../client/mod.ts';
import { whyUnusable } from './arguments.ts';
import {
  checkAddresses,
  checkCertificate,
  checkClock,
  checkDirectory,
  checkFamilies,
  checkNode,
  checkRuns,
  type Finding,
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

Each line is ok, a warning or a problem, with what to do. Status 1 if there is a problem.

Examples:
  partyline doctor
  partyline doctor --json | jq -r 'select(.state != "ok") | .todo'
`;

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
  const findings = [
    checkNode(process.version),
    ...(await checkFamilies()),
    checkAddresses(),
    await checkServer(hostOf(values.host)),
    ...checkDirectory(directory),
    checkCertificate(directory, nowMs),
    checkClock(directory, nowMs),
    checkRuns(),
  ];
  if (values.json) await print(findings.map((finding) => jsonLine(finding)).join(''));
  else await print(shown(findings));
  return findings.some(({ state }) => state === 'problem') ? FAILURE_STATUS : 0;
}

/** Whether a server answers there as one. */
async function checkServer(host: string): Promise<Finding> {
  const check = 'server';
  try {
    await using client = await connect({ host, reconnect: false, trust: trustFor('doctor') });
    return { check, state: 'ok', found: `${client.server?.serverName ?? 'a server'} answers at ${host}` };
  } catch (error) {
    if (!(error instanceof RefusedError || error instanceof UnreachableError)) throw error;
    return { check, state: 'warning', found: error.message, todo: 'start one: partyline serve' };
  }
}

function shown(findings: readonly Finding[]): string {
  const lines = table(
    findings.map(({ state, check, found, todo }) => [state, check, todo === undefined ? found : `${found}: ${todo}`]),
  );
  return lines.replaceAll(/^(?:warning|problem)/gm, (state) => bold(state));
}
