// The least that Node takes to carry a command's streams by TLS: pipe to pipe, and nothing else that a server does, or
// nothing but the digest that a record has of them.
//
//   node-tls.mjs serve PORT KEY CERTIFICATE PROGRAM [ARGUMENT...]    its input and output, for everyone who connects
//   node-tls.mjs PORT plain|sha256                                   standard input and output; what the server does with each byte

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:tls';

if (process.argv[2] === 'serve') serve(...process.argv.slice(3));
else ask(...process.argv.slice(2));

function serve(port, key, cert, program, ...given) {
  const identity = { key: readFileSync(key), cert: readFileSync(cert) };
  const options = { ...identity, ALPNProtocols: ['plain', 'sha256'], allowHalfOpen: true };
  const server = createServer(options, (socket) => {
    const { stdin, stdout } = spawn(program, given, { stdio: ['pipe', 'pipe', 'inherit'] });
    for (const stream of [socket, stdin]) stream.on('error', () => {});
    if (socket.alpnProtocol === 'sha256') {
      for (const source of [socket, stdout]) {
        const hash = createHash('sha256');
        source.on('data', (chunk) => hash.update(chunk));
      }
    }
    socket.pipe(stdin);
    stdout.pipe(socket);
  });
  server.on('tlsClientError', () => {});
  server.listen(Number(port), '127.0.0.1');
}

function ask(port, how) {
  const to = { port: Number(port), host: '127.0.0.1', allowHalfOpen: true };
  const socket = connect({ ...to, rejectUnauthorized: false, ca: [], ALPNProtocols: [how] }, () => {
    process.stdin.pipe(socket).pipe(process.stdout);
  });
}
