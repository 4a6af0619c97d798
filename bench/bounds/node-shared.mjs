// The most that a chat server on plain Node sockets does here: nothing is parsed beyond need, checked, kept or bounded.
// What one turn of the event loop brings becomes one text, encoded once, and every receiver that did not speak in this
// turn gets the same bytes in one write. Run as `node node-shared.mjs PORT`.
//
// With a path after the port, what a turn brings is on disk before anybody gets it, in one synchronous write over a file
// of full size: the most that is left where every message is durable first.
import { constants, openSync, writeSync } from 'node:fs';
import { createServer } from 'node:net';

const SEND_ALL = 'send all ';
const SEND = 'send ';
const FILE_BYTES = 16_777_216;
/** @type {Map<string, import('node:net').Socket>} */
const sockets = new Map();
/** @type {{ from: string, text: string }[]} To everyone else. */
let turn = [];
/** @type {Map<string, string>} To one. */
let own = new Map();
let date = '';
const [port, path] = process.argv.slice(2);
const keep = path === undefined ? undefined : writerTo(path);

function refreshDate() {
  date = new Date().toISOString().slice(0, 19).replace('T', ' ');
}

/** @param {string} file */
function writerTo(file) {
  writeSync(openSync(file, 'w'), Buffer.alloc(FILE_BYTES));
  const descriptor = openSync(file, constants.O_RDWR | constants.O_DSYNC);
  let at = 0;
  return (/** @type {Uint8Array} */ bytes) => {
    if (at + bytes.length > FILE_BYTES) at = 0;
    at += writeSync(descriptor, bytes, 0, bytes.length, at);
  };
}

function flush() {
  const said = turn;
  const privately = own;
  turn = [];
  own = new Map();
  const speakers = new Set(said.map(({ from }) => from));
  const shared = Buffer.from(said.map(({ text }) => text).join(''), 'latin1');
  keep?.(Buffer.concat([shared, Buffer.from([...privately.values()].join(''), 'latin1')]));
  for (const [to, text] of privately) sockets.get(to)?.write(text, 'latin1');
  if (said.length === 0) return;
  for (const [name, socket] of sockets) {
    if (!speakers.has(name)) socket.write(shared);
  }
  for (const speaker of speakers) {
    const others = said.filter(({ from }) => from !== speaker).map(({ text }) => text);
    if (others.length > 0) sockets.get(speaker)?.write(others.join(''), 'latin1');
  }
}

/** @param {import('node:net').Socket} socket */
function serve(socket) {
  let name = '';
  let rest = '';
  socket.setEncoding('latin1');
  socket.on('error', () => {});
  socket.on('close', () => sockets.delete(name));
  socket.on('data', (/** @type {string} */ chunk) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (name === '') {
        name = line;
        sockets.set(name, socket);
      } else if (line.startsWith(SEND_ALL)) {
        if (turn.length + own.size === 0) setImmediate(flush);
        turn.push({ from: name, text: `${date}\n${name} (broadcasted) : ${line.slice(SEND_ALL.length)}\n` });
      } else if (line.startsWith(SEND)) {
        if (turn.length + own.size === 0) setImmediate(flush);
        const end = line.indexOf(' : ');
        const to = line.slice(SEND.length, end);
        own.set(to, `${own.get(to) ?? ''}${date}\n${name} (singlecasted) : ${line.slice(end + 3)}\n`);
      } else if (line === 'get_list') {
        socket.write(`${[...sockets.keys()].join(' ')}\n`);
      }
    }
  });
}

refreshDate();
setInterval(refreshDate, 1_000);
createServer({ noDelay: true }, serve).listen({ port: Number(port), host: '::', backlog: 4_096 });
