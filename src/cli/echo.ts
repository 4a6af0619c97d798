// `partyline echo`: what you type comes back. Proves that a server is reachable, by a name or as plain RFC 862.

import { converse, type Ended } from '../client/converse.ts';
import { EchoError, openEcho, type EchoConnection } from '../client/echo.ts';
import { DialError } from '../net/dial.ts';
import type { EchoIo } from './echo/io.ts';
import { readEchoArguments, type EchoArguments } from './echo/options.ts';
import { jsonView, plainView, terminalView, type EchoView } from './echo/view.ts';
import { jsonLine } from './kit/json-line.ts';
import { UNREACHED_STATUS, USAGE_STATUS } from './kit/status.ts';
import { trustFor } from './kit/trust.ts';

export const HELP = `Is a host reachable, over which family, and how well: what you send comes back, or is measured

Usage: partyline echo [HOST] [--name NAME] [-4|-6] [--raw] [--json]
       partyline echo [HOST] --probe [--count N] [--interval MS] [--size BYTES] [-4|-6] [--raw] [--json]
       partyline echo [HOST] --probe --connect [-4|-6] [--json]
       partyline echo [HOST] --probe --watch [--every SECONDS] [--tell NAMES [--host HOST]] [...]
       partyline echo TARGET --from MACHINES [--host HOST] [--yes] [--batch N] [--timeout SECONDS] [...]
       partyline echo --measure WISHES TARGET

HOST is [SCHEME://]HOST[:PORT], else PARTYLINE_HOST, else localhost. tcp:// is a Partyline server's port (as without a
scheme, default 7270), tls:// the same by TLS, echo:// plain RFC 862 (default 7007). It needs no account.

Without --probe each line that you type, or standard input as it is, goes to HOST and is shown when it comes back. A line
"close", or the end of the input, ends it. The console of the server shows your name and what you say.

  --name NAME      what the server knows you by (default: Client)
  -4, -6           only over IPv4, only over IPv6; without them over whichever connects first
  --raw            send no first line with the name, only bytes: for a plain RFC 862 server
  --json           one JSON object a line: what is connected, what comes back; with --probe the facts and the findings

  --probe          measure instead, over each family: the name, connecting, round trips, sizes; and say what is wrong
    --count N        round trips per family (default: 10)
    --interval MS    from one to the next (default: 100)
    --size BYTES     of each (default: 64)
    --connect        only connect, to whatever listens there, and send nothing
    --watch          again and again, until it is interrupted; says what is new
    --every SECONDS  from one probe to the next (default: 60)
    --tell NAMES     posts what is new in the chat: bob or bob,eve or #ops or all; repeatable
  --from MACHINES  probe TARGET from machines that have joined a server, and show what each finds: names, web[1-9], globs,
                   #groups, NAME=VALUE for labels, all, joined by commas, as in partyline run --on
    --yes            do not ask, where these are more than 10, or all
    --batch N        at most N machines at once (default: 32)
    --timeout SECONDS  of each machine (default: as long as a probe may take)
  --host HOST      the server of --tell and --from (default: PARTYLINE_HOST, else localhost)
  --measure WISHES  as --from runs it there: a probe as JSON, of which nothing is kept. WISHES is one word such as
                   count=10,interval=100,size=64,name=Client; also ipv4, ipv6, raw, connect

The status is 0, or 255 if it could not connect or the echo was cut off. With --probe it is 0 if every family asked for works
(both, unless -4, -6 or an address says otherwise), 1 of both only IPv4, 2 only IPv6, 3 none; of a watch that of its last
probe, and with --from of what works from all machines, or 255 if one of them has not measured. 64 if it was used wrongly.

Examples:
  partyline echo localhost --name Client
  echo hello | partyline echo ::1
  partyline echo echo://192.0.2.7 --raw < file > copy
  partyline echo hub.example --probe
  partyline echo hub.example --probe -6 --count 100 --size 1400 --json | jq .verdict
  partyline echo www.example:443 --probe --connect
  partyline echo hub.example --probe --watch --every 300 --tell '#ops'
  partyline echo db.internal:5432 --connect --from 'web*'
`;

const EX_OK = 0;

/** Runs the command and returns its exit status. */
export async function echo(args: string[], io: EchoIo = processIo()): Promise<number> {
  // A closed pipe is no news: `partyline echo … | head` ends quietly.
  io.stdout.on('error', () => {});
  const read = readEchoArguments(args, io.environment['PARTYLINE_HOST'] || 'localhost');
  switch (read.asks) {
    case 'help':
      io.stdout.write(HELP);
      return EX_OK;
    case 'wrong':
      say(io, `${read.why}; see partyline echo --help`);
      return USAGE_STATUS;
    case 'echo': {
      const { probe } = read.given;
      if (probe === undefined) return await talk(read.given, io);
      const { runProbe } = await import('./echo/probe.ts');
      return await runProbe(read.given, probe, io);
    }
  }
}

async function talk(given: EchoArguments, io: EchoIo): Promise<number> {
  let connection: EchoConnection;
  try {
    connection = await openEcho({ ...given, tls: given.isTls ? trustFor('echo', io) : undefined, lookup: io.lookup });
  } catch (error) {
    if (!(error instanceof DialError || error instanceof EchoError)) throw error;
    say(io, error.message);
    return UNREACHED_STATUS;
  }
  const { server } = connection;
  const serverName = server.kind === 'partyline' ? server.name : given.host;
  const view = viewFor(given, io, serverName);
  const isDialogue = io.stdin.isTTY === true && io.stdout.isTTY === true && !given.json;
  const prompt = (): void => void (isDialogue && view.isAtLineStart && io.stdout.write(`${given.name ?? 'Client'} : `));

  io.stdout.write(given.json ? connectedLine(connection, serverName) : `Connected with ${serverName}\n`);
  const { stdin: input, stdout: output } = io;
  const ended = await converse({ connection, input, output, show: view.show, onQuiet: prompt });
  io.stdin.destroy();
  const isLeftAtPrompt = isDialogue && view.isAtLineStart && !(ended.why === 'done' && ended.by === 'close');
  const sums = given.json && 'sent' in ended ? jsonLine({ event: 'closed', ...ended }) : '';
  const last = view.end() + sums + (isLeftAtPrompt ? '\n' : '');
  if (last !== '') await new Promise((written) => io.stdout.write(last, written));
  return status(ended, serverName, io);
}

function viewFor(given: EchoArguments, io: EchoIo, serverName: string): EchoView {
  if (given.json) return jsonView();
  const label = `${serverName} : `;
  return io.stdout.isTTY === true ? terminalView(label) : plainView(label);
}

function connectedLine({ server, address, port, family }: EchoConnection, serverName: string): string {
  const seenAs = server.kind === 'partyline' ? server.seenAs : null;
  const fields = { server: serverName, kind: server.kind, address, port, family: `ipv${family}`, seenAs };
  return jsonLine({ event: 'connected', ...fields });
}

function status(ended: Ended, serverName: string, io: EchoIo): number {
  switch (ended.why) {
    case 'done':
    case 'output-closed':
      return EX_OK;
    case 'input-failed':
      say(io, `Cannot read standard input: ${ended.reason}`);
      return UNREACHED_STATUS;
    case 'cut': {
      const owed = ended.sent - ended.received;
      const bytes = owed === 1 ? '1 byte' : `${owed} bytes`;
      say(io, `${serverName} closed the connection${owed > 0 ? ` and still owes ${bytes} of the echo` : ''}`);
      return owed > 0 ? UNREACHED_STATUS : EX_OK;
    }
  }
}

function say(io: EchoIo, text: string): void {
  io.stderr.write(`partyline echo: ${text}\n`);
}

function processIo(): EchoIo {
  return { stdin: process.stdin, stdout: process.stdout, stderr: process.stderr, environment: process.env };
}
