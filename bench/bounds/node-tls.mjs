// The least that Node takes to carry a command's output by TLS: pipe to pipe, and nothing else that a server does.
//
//   node-tls.mjs serve PORT KEY CERTIFICATE PROGRAM [ARGUMENT...]    the program's output, to everyone who connects
//   node-tls.mjs read PORT                                           to standard output

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:tls';

const [what, port, key, cert, program, ...given] = process.argv.slice(2);
if (what === 'serve') {
  const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (socket) => {
    socket.on('error', () => {});
    spawn(program, given, { stdio: ['ignore', 'pipe', 'inherit'] }).stdout.pipe(socket);
  });
  server.on('tlsClientError', () => {});
  server.listen(Number(port), '127.0.0.1');
} else {
  connect({ port: Number(port), host: '127.0.0.1', rejectUnauthorized: false, ca: [] }).pipe(process.stdout);
}
