// The least that Node takes to have one command run on many machines, in two ways. Bare: plain TCP, a line there and a line
// back, and nothing that a command could be given, say, or be ended by. And `piped`, with what a run must have here: each
// machine has a TLS connection to a key that it knows, both outputs are read to their ends, and the environment has a mark.
//
//   node-hosts.mjs relay PORT TLS_PORT KEY CERTIFICATE    passes on what is asked to all hosts, and what they say
//   node-hosts.mjs host PORT TLS_PORT CERTIFICATE         starts /bin/sh -c true when told, and says its status
//   node-hosts.mjs ask PORT HOW                           how is `spawn`, Node's own, or `posix_spawn`, as the runner process
//                                                         does it; ends when all have said theirs, with status 0 if all
//                                                         were 0
//   node-hosts.mjs ask TLS_PORT piped CERTIFICATE         by `posix_spawn`; with `--use-openssl-ca`, which spares Node to read
//                                                         Mozilla's certificates

import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { connect, createServer } from 'node:net';

const HOST = '127.0.0.1';
const SHELL = '/bin/sh';
const GIVEN = ['-c', 'true'];
const BACKLOG = 4_096;
const O_CLOEXEC = 0o2_000_000;
const INT_BYTES = 4;
const READ_BYTES = 65_536;
const [what, port, ...given] = process.argv.slice(2);

if (what === 'relay') await relayAll(given);
else if (what === 'host') await host(given);
else await ask(given);

/** @param {string[]} given */
async function relayAll([tlsPort, key, cert]) {
  const tls = await import('node:tls');
  const secret = { key: readFileSync(key), cert: readFileSync(cert), noDelay: true };
  createServer({ noDelay: true }, relay()).listen(Number(port), HOST, BACKLOG);
  tls
    .createServer(secret, relay())
    .on('tlsClientError', () => {})
    .listen(Number(tlsPort), HOST, BACKLOG);
}

function relay() {
  /** @type {Set<import('node:net').Socket>} */
  const hosts = new Set();
  let tell = (/** @type {string} */ _said) => {};
  return (/** @type {import('node:net').Socket} */ socket) => {
    socket.on('error', () => {}).on('close', () => hosts.delete(socket));
    eachLine(socket, (line) => {
      if (line === 'host') hosts.add(socket.on('end', () => hosts.delete(socket)));
      else if (hosts.has(socket)) tell(line);
      else {
        tell = (said) => socket.write(`${said}\n`);
        socket.write(`${hosts.size}\n`);
        for (const each of hosts) each.write(`${line}\n`);
      }
    });
  };
}

/** @param {string[]} given */
async function host([tlsPort, cert]) {
  const { findQuickStarts } = await import('../../src/runner/libc.ts');
  const quick = await findQuickStarts();
  const pipe = await findPipe();
  const nothing = openSync('/dev/null', 'r+');
  const env = { PATH: process.env['PATH'] ?? '' };
  let runs = 0;
  /** @type {Record<string, (tell: (status: number | null) => void) => unknown>} */
  const ways = {
    spawn: (tell) => spawn(SHELL, GIVEN, { stdio: 'ignore', detached: true, env }).on('exit', tell),
    posix_spawn: (tell) => {
      const born = quick?.start({ file: SHELL, args: GIVEN, env, ends: [nothing, nothing, nothing] });
      born?.onExit((ending) => tell(ending.kind === 'code' ? ending.code : -1));
    },
    piped: (tell) => {
      const [[out, outEnd], [err, errEnd]] = [pipe(), pipe()];
      const marked = { ...env, PARTYLINE_RUN: `${process.pid}-${++runs}` };
      const born = quick?.start({ file: SHELL, args: GIVEN, env: marked, ends: [nothing, outEnd, errEnd] });
      closeSync(outEnd);
      closeSync(errEnd);
      born?.onExit((ending) => {
        const said = readToEnd(out) + readToEnd(err);
        tell(ending.kind === 'code' && said === 0 ? ending.code : -1);
      });
    },
  };
  for (const socket of [await toRelay(port), await toRelay(tlsPort, cert)]) {
    eachLine(socket, (line) => ways[line]?.((status) => socket.write(`${status}\n`)));
    socket.on('close', () => process.exit()).write('host\n');
  }
  process.stdout.write('ready\n');
}

/** Makes pipe(2)s: Node has none by itself. Each is the end to read and the one to write. */
async function findPipe() {
  const { dlopen } = await import('node:ffi');
  const { functions } = dlopen(null, { pipe2: { arguments: ['buffer', 'int32'], return: 'int32' } });
  const ends = Buffer.alloc(2 * INT_BYTES);
  return () => {
    if (functions.pipe2(ends, O_CLOEXEC) !== 0) throw new Error('Cannot make a pipe');
    return [ends.readInt32LE(), ends.readInt32LE(INT_BYTES)];
  };
}

const bytes = Buffer.alloc(READ_BYTES);

/** How many bytes there are. The command is over, and with it whoever could write more. */
function readToEnd(/** @type {number} */ end) {
  let length = 0;
  for (let more = 1; more > 0; length += more) more = readSync(end, bytes);
  closeSync(end);
  return length;
}

/** @param {string[]} given */
async function ask([how, cert]) {
  const socket = await toRelay(port, cert);
  let left = -1;
  socket.write(`${how}\n`);
  eachLine(socket, (line) => {
    if (left === -1) left = Number(line);
    else if (line === '0') left -= 1;
    else process.exitCode = 1;
    if (left === 0 || process.exitCode === 1) socket.destroy();
  });
}

/**
 * By TLS where there is a certificate, whose key the other end must have.
 *
 * @param {string} at
 * @param {string} [cert]
 * @returns {Promise<import('node:net').Socket>}
 */
async function toRelay(at, cert) {
  const socket = connect({ port: Number(at), host: HOST, noDelay: true }).on('error', () => process.exit(1));
  if (cert === undefined) return socket;
  // It takes a while to load, and who speaks plainly has no need of it.
  const tls = await import('node:tls');
  const { X509Certificate } = await import('node:crypto');
  const inside = tls.connect({ socket, rejectUnauthorized: false, ca: [], minVersion: 'TLSv1.3' });
  inside.on('error', () => process.exit(1));
  await new Promise((resolve) => inside.once('secureConnect', resolve));
  const { fingerprint256 } = new X509Certificate(readFileSync(cert));
  if (inside.getPeerX509Certificate()?.fingerprint256 !== fingerprint256) process.exit(1);
  return inside;
}

/**
 * @param {import('node:net').Socket} socket
 * @param {(line: string) => void} take
 */
function eachLine(socket, take) {
  let rest = '';
  socket.setEncoding('latin1').on('data', (/** @type {string} */ chunk) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) take(line);
  });
}
