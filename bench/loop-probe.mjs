// Loaded into a server by `--import`: whoever connects to its Unix socket and writes a byte is told for how many
// milliseconds at most its main loop was late since the byte before. Time and the loop are Node's own: perf_hooks.
import { rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

/** Of the timer that is late or not. */
const RESOLUTION_MS = 1;
const path = process.env['PARTYLINE_BENCH_PROBE'];
// Processes that the server starts are not measured.
delete process.env['PARTYLINE_BENCH_PROBE'];

if (isMainThread && path !== undefined) {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  rmSync(path, { force: true });
  createServer((socket) => {
    socket.on('data', () => {
      socket.write(`${Math.max(0, delay.max / 1e6 - RESOLUTION_MS)}\n`);
      delay.reset();
    });
  })
    .listen(path)
    .unref();
}
