// The most that a chat server on plain Node sockets does here: nothing is parsed beyond need, checked, kept or bounded.
// What one turn of the event loop brings becomes one text, encoded once, and every receiver that did not speak in this
// turn gets the same bytes in one write. Run as `node node-shared.mjs PORT`.
import { createServer } from 'node:net';

const SEND_ALL = 'send all ';
/** @type {Map<string, import('node:net').Socket>} */
const sockets = new Map();
/** @type {{ from: string, text: string }[]} */
let turn = [];
let date = '';

function refreshDate() {
  date = new Date().toISOString().slice(0, 19).replace('T', ' ');
}

function flush() {
  const said = turn;
  turn = [];
  const speakers = new Set(said.map(({ from }) => from));
  const shared = Buffer.from(said.map(({ text }) => text).join(''), 'latin1');
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
        if (turn.length === 0) setImmediate(flush);
        turn.push({ from: name, text: `${date}\n${name} (broadcasted) : ${line.slice(SEND_ALL.length)}\n` });
      } else if (line === 'get_list') {
        socket.write(`${[...sockets.keys()].join(' ')}\n`);
      }
    }
  });
}

refreshDate();
setInterval(refreshDate, 1_000);
createServer({ noDelay: true }, serve).listen({ port: Number(process.argv[2]), host: '::', backlog: 4_096 });
