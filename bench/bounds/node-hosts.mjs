// The least that Node takes to have one command run on many machines: plain TCP, a line there and a line back, and nothing
// that a command could be given, say, or be ended by.
//
//   node-hosts.mjs relay PORT       passes on what is asked to all hosts, and what they say
//   node-hosts.mjs host PORT        starts /bin/sh -c true when told, and says its status
//   node-hosts.mjs ask PORT HOW     how is `spawn`, Node's own, or `posix_spawn`, as the runner process does it; ends when
//                                   all have said theirs, with status 0 if all were 0

import { spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { connect, createServer } from 'node:net';

const SHELL = '/bin/sh';
const GIVEN = ['-c', 'true'];
const [what, port, how] = process.argv.slice(2);

if (what === 'relay') relay();
else if (what === 'host') await host();
else ask();

function relay() {
  /** @type {Set<import('node:net').Socket>} */
  const hosts = new Set();
  let tell = (/** @type {string} */ _said) => {};
  const server = createServer({ noDelay: true }, (socket) => {
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
  });
  server.listen(Number(port), '127.0.0.1', 4_096);
}

async function host() {
  const { findQuickStarts } = await import('../../src/runner/libc.ts');
  const quick = await findQuickStarts();
  const nothing = openSync('/dev/null', 'r+');
  const env = { PATH: process.env['PATH'] ?? '' };
  const socket = toRelay();
  const tell = (/** @type {number | null} */ status) => socket.write(`${status}\n`);
  socket.write('host\n');
  eachLine(socket, (line) => {
    if (line === 'spawn') return spawn(SHELL, GIVEN, { stdio: 'ignore', detached: true, env }).on('exit', tell);
    const born = quick?.start({ file: SHELL, args: GIVEN, env, ends: [nothing, nothing, nothing] });
    return born?.onExit((ending) => tell(ending.kind === 'code' ? ending.code : -1)) ?? socket.destroy();
  });
  socket.on('close', () => process.exit());
  process.stdout.write('ready\n');
}

function ask() {
  const socket = toRelay();
  let left = -1;
  socket.write(`${how}\n`);
  eachLine(socket, (line) => {
    if (left === -1) left = Number(line);
    else if (line === '0') left -= 1;
    else process.exitCode = 1;
    if (left === 0 || process.exitCode === 1) socket.destroy();
  });
}

function toRelay() {
  return connect({ port: Number(port), host: '127.0.0.1', noDelay: true }).on('error', () => process.exit(1));
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
