import assert from 'node:assert/strict';
import { once } from 'node:events';
import { BoundSocket, createServer, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { test, type TestContext } from 'node:test';
import type { FamilyProbe } from '../../client/probe.ts';
import type { AddressFamily, Candidate } from '../../net/race.ts';
import { verdictOf } from './probe.ts';
import { echo } from '../echo.ts';

const BOTH: Candidate[] = [
  { address: '::1', family: 6 },
  { address: '127.0.0.1', family: 4 },
];

const plainEcho = (socket: Socket): void => void socket.pipe(socket);
const sink = (socket: Socket) => void socket.resume().once('data', () => socket.end());
const louder = (socket: Socket) => void socket.on('data', (chunk) => socket.write(String(chunk).toUpperCase()));

/**
 * One port on both loopbacks: a server where there is something to accept with, else held without listening, so that
 * connecting there is refused.
 */
async function serve(t: TestContext, doors: { v4?: (socket: Socket) => void; v6?: (socket: Socket) => void }) {
  const bound = holdPort();
  for (const [held, accept] of [[bound.v4, doors.v4] as const, [bound.v6, doors.v6] as const]) {
    if (accept === undefined) {
      t.after(() => held.close());
      continue;
    }
    const { address, port } = held.address();
    held.close();
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('error', () => {});
      accept(socket);
    });
    server.listen(port, address);
    await once(server, 'listening');
    t.after(() => server.close());
  }
  return bound.port;
}

function holdPort(): { port: number; v4: BoundSocket; v6: BoundSocket } {
  for (let attempt = 0; attempt < 20; attempt++) {
    const v4 = new BoundSocket({ host: '127.0.0.1', port: 0 });
    const { port } = v4.address();
    try {
      return { port, v4, v6: new BoundSocket({ host: '::1', port }) };
    } catch {
      v4.close();
    }
  }
  return assert.fail('no port is free on both loopbacks');
}

async function run(args: string[], found: Candidate[] = BOTH): Promise<{ code: number; stdout: string }> {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const world = { stdin: new PassThrough(), stdout, stderr, environment: {}, lookup: async () => found };
  const code = await echo([...args, '--probe', '--count', '3', '--interval', '0'], world);
  assert.equal(stderr.read(), null);
  return { code, stdout: String(stdout.read()) };
}

async function json(args: string[], found?: Candidate[]) {
  const { code, stdout } = await run([...args, '--json'], found);
  assert.match(stdout, /^\{.*\}\n$/);
  const report: unknown = JSON.parse(stdout);
  assert.ok(report !== null && typeof report === 'object');
  return { code, report: new Map(Object.entries(report)) };
}

/** The shape of one family's part; the times themselves are nobody's promise but their order. */
function addressesIn(part: unknown): unknown {
  assert.ok(part !== null && typeof part === 'object' && 'addresses' in part && 'connectMs' in part && 'rtt' in part);
  assert.deepEqual(Object.keys(part), ['addresses', 'connectMs', 'rtt']);
  assert.ok(typeof part.connectMs === 'number' && part.connectMs >= 0);
  assert.ok(part.rtt !== null && typeof part.rtt === 'object');
  const { count, lost, ...times } = Object.fromEntries(Object.entries(part.rtt));
  assert.deepEqual([count, lost], [3, 0]);
  assert.deepEqual(Object.keys(times), ['min', 'p50', 'p95', 'p99', 'max']);
  const inOrder = Object.values(times).map(Number);
  assert.deepEqual(
    inOrder,
    [...inOrder].sort((a, b) => a - b),
  );
  return part.addresses;
}

test('where both families work the status is 0, and each is measured', async (t) => {
  const port = await serve(t, { v4: plainEcho, v6: plainEcho });
  const { code, report } = await json([`hub.example:${port}`]);
  assert.equal(code, 0);
  assert.deepEqual([report.get('host'), report.get('winner'), report.get('failures')], ['hub.example', 'ipv6', {}]);
  assert.deepEqual([addressesIn(report.get('ipv4')), addressesIn(report.get('ipv6'))], [['127.0.0.1'], ['::1']]);
  assert.match(String(report.get('verdict')), /^hub\.example works over IPv4 and IPv6; /);
});

test('where only IPv4 answers the status is 1', async (t) => {
  const port = await serve(t, { v4: plainEcho });
  const { code, report } = await json([`hub.example:${port}`]);
  assert.deepEqual([code, report.get('ipv6'), report.get('winner')], [1, null, 'ipv4']);
  assert.deepEqual(addressesIn(report.get('ipv4')), ['127.0.0.1']);
  assert.equal(report.get('verdict'), 'hub.example works over IPv4 only; not over IPv6: ::1: connection refused');
});

test('where only IPv6 answers the status is 2', async (t) => {
  const port = await serve(t, { v6: plainEcho });
  const { code, report } = await json([`hub.example:${port}`]);
  assert.deepEqual([code, report.get('ipv4'), report.get('winner')], [2, null, 'ipv6']);
  assert.deepEqual(addressesIn(report.get('ipv6')), ['::1']);
});

test('where nothing answers, or nothing echoes, the status is 3', async (t) => {
  const refused = await json([`hub.example:${await serve(t, {})}`]);
  assert.deepEqual([refused.code, refused.report.get('winner')], [3, null]);
  assert.equal(
    refused.report.get('verdict'),
    'hub.example does not answer (IPv4: 127.0.0.1: connection refused; IPv6: ::1: connection refused)',
  );
  const { code, stdout } = await run([`hub.example:${await serve(t, { v4: sink, v6: sink })}`, '--raw']);
  assert.equal(code, 3);
  assert.match(stdout, /IPv4 {2}127\.0\.0\.1 was connected, but no echo came back\n/);
});

test('a server that changes bytes does not count as one that echoes', async (t) => {
  const port = await serve(t, { v4: louder });
  assert.equal((await run([`127.0.0.1:${port}`, '--raw'])).code, 3);
});

test('a literal address, -4 and -6 ask for one family', async (t) => {
  const port = await serve(t, { v4: plainEcho });
  assert.equal((await json([`127.0.0.1:${port}`])).code, 0);
  assert.equal((await json([`[::1]:${port}`])).code, 3);
  assert.equal((await json([`[::ffff:127.0.0.1]:${port}`])).code, 0);
  const four = await json([`hub.example:${port}`, '-4']);
  assert.deepEqual([four.code, four.report.get('ipv6'), four.report.get('winner')], [0, null, 'ipv4']);
  assert.equal((await json([`hub.example:${port}`, '-6'])).code, 3);
});

test('a name without an address of a family says so', async (t) => {
  const port = await serve(t, { v4: plainEcho });
  const { code, report } = await json([`hub.example:${port}`], [{ address: '127.0.0.1', family: 4 }]);
  assert.equal(code, 1);
  assert.equal(
    report.get('verdict'),
    'hub.example works over IPv4 only; not over IPv6: hub.example has no IPv6 address',
  );
});

test('large echoes come back whole, however they are cut on the way', async (t) => {
  const port = await serve(t, { v6: plainEcho });
  assert.equal((await json([`[::1]:${port}`, '--size', '1048576'])).code, 0);
  assert.equal((await json([`[::1]:${port}`, '--size', '1'])).code, 0);
});

test('for a person it is a few lines that end with the verdict', async (t) => {
  const port = await serve(t, { v4: plainEcho, v6: plainEcho });
  const { stdout } = await run([`hub.example:${port}`]);
  const lines = stdout.replaceAll(/\d+\.\d{3}/g, 'N').split('\n');
  assert.deepEqual(lines.slice(0, 6), [
    `Probing hub.example port ${port}`,
    'IPv4  127.0.0.1, connected in N ms',
    '      3 echoes, 0 lost; ms: min N, p50 N, p95 N, p99 N, max N',
    'IPv6  ::1, connected in N ms',
    '      3 echoes, 0 lost; ms: min N, p50 N, p95 N, p99 N, max N',
    'Race  won by IPv6',
  ]);
  assert.match(lines[6] ?? '', /^hub\.example works over IPv4 and IPv6; /);
});

const works = (p50: number, lost: number): FamilyProbe => ({
  works: true,
  addresses: [],
  connectMs: 1,
  rtt: { count: 10, lost, min: p50, p50, p95: p50, p99: p50, max: p50 },
});
const verdict = (v4: FamilyProbe, v6: FamilyProbe): string =>
  verdictOf('hub', {
    winner: 4,
    families: new Map<AddressFamily, FamilyProbe>([
      [4, v4],
      [6, v6],
    ]),
  });

test('the verdict tells the faster family and what was lost', () => {
  assert.equal(verdict(works(20, 0), works(20.9, 0)), 'hub works over IPv4 and IPv6; both are equally fast');
  assert.equal(verdict(works(20, 0), works(31.5, 0)), 'hub works over IPv4 and IPv6; IPv4 is 11.5 ms faster');
  assert.equal(
    verdict(works(40, 2), works(31.5, 0)),
    'hub works over IPv4 and IPv6; IPv4 lost 2 of 10 echoes; IPv6 is 8.5 ms faster',
  );
});
