// Loaded into a server by `--import`: whoever connects to its Unix socket and writes a byte is told how many bytes the heap
// of the main thread has, once all has been collected that nobody can reach. Buffers are outside of it, what they are held by is not.
import { createServer } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread } from 'node:worker_threads';

const path = process.env['PARTYLINE_TEST_PROBE'];
// Processes that the server starts are not looked at.
delete process.env['PARTYLINE_TEST_PROBE'];
delete process.env['NODE_OPTIONS'];

if (isMainThread && path !== undefined) {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc');
  createServer((socket) => {
    socket.on('data', () => {
      gc();
      socket.write(`${process.memoryUsage().heapUsed}\n`);
    });
  })
    .listen(path)
    .unref();
}
