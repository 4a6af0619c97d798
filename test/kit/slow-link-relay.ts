// `node slow-link-relay.ts DEVICE MS`, on the router: makes the tunnel DEVICE and gives each packet that is routed into
// it back after MS milliseconds, in order, to be routed on. Prints `ready`, then a line for each: how long it was held,
// its bytes, and `syn` if it begins a connection. socat makes the device: a TUN is opened with an ioctl.

import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';

/** Timers are late by up to a millisecond and more: for the last of it the clock is watched. */
const WATCHED_MS = 2;
const TCP = 6;
const SYN = 0x02;
const ACK = 0x10;

interface Waiting {
  readonly packet: Buffer;
  readonly to: number;
  readonly cameAt: number;
}

const [device = '', lateByMs = ''] = process.argv.slice(2);
const late = Number(lateByMs);
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
    const heldMs = performance.now() - first.cameAt;
    if (heldMs < late) {
      const rest = late - heldMs;
      if (rest > WATCHED_MS) setTimeout(release, rest - WATCHED_MS);
      else setImmediate(release);
      return;
    }
    waiting.shift();
    socket.send(first.packet, first.to, '127.0.0.1');
    process.stdout.write(`${heldMs.toFixed(3)} ${first.packet.length} ${isSyn(first.packet) ? 'syn' : '-'}\n`);
  }
}

function isSyn(packet: Buffer): boolean {
  const isIpv4 = (packet[0] ?? 0) >> 4 === 4;
  const protocol = isIpv4 ? packet[9] : packet[6];
  const header = isIpv4 ? ((packet[0] ?? 0) & 15) * 4 : 40;
  const flags = packet[header + 13] ?? 0;
  return protocol === TCP && (flags & (SYN | ACK)) === SYN;
}
