// `node late-link-relay.ts DEVICE MS`, on the router: makes the tunnel DEVICE, says `ready`, and gives each packet that
// is routed into it back after MS milliseconds, never sooner, in order, to be routed on. socat makes the device: a TUN is
// opened with an ioctl.

import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';

/** Timers are late by up to a millisecond and more: for the last of it the clock is watched. */
const WATCHED_MS = 2;

interface Waiting {
  readonly packet: Buffer;
  readonly to: number;
  readonly cameAt: number;
}

const [device = '', late = ''] = process.argv.slice(2);
const lateByMs = Number(late);
const waiting: Waiting[] = [];
const socket = createSocket('udp4');
socket.bind(0, '127.0.0.1');
await once(socket, 'listening');
socket.on('message', (packet, { port }) => {
  waiting.push({ packet, to: port, cameAt: performance.now() });
  if (waiting.length === 1) release();
});
const tunnel = `TUN,tun-name=${device},tun-type=tun,iff-no-pi,iff-up`;
const socat = spawn('socat', ['-d', '-d', tunnel, `UDP4:127.0.0.1:${socket.address().port}`], { stdio: 'pipe' });
socat.stderr.setEncoding('utf8').on('data', (text: string) => {
  if (text.includes('starting data transfer loop')) process.stdout.write('ready\n');
});
socat.once('exit', () => process.exit(1));

function release(): void {
  for (let first = waiting[0]; first !== undefined; first = waiting[0]) {
    const restMs = first.cameAt + lateByMs - performance.now();
    if (restMs > 0) {
      if (restMs > WATCHED_MS) setTimeout(release, restMs - WATCHED_MS);
      else setImmediate(release);
      return;
    }
    waiting.shift();
    socket.send(first.packet, first.to, '127.0.0.1');
  }
}
