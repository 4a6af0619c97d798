import assert from 'node:assert/strict';
import { once } from 'node:events';
import { BoundSocket, createServer, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { test, type TestContext } from 'node:test';
import { stillClock, type StillClock } from '../../../test/kit/clock.ts';
import type { Candidate } from '../../net/race.ts';
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

const FEW = ['--count', '3', '--interval', '0'];

interface World {
  readonly found?: Candidate[] | undefined;
  /** A terminal of so many columns. */
  readonly columns?: number;
  readonly environment?: Record<string, string>;
  readonly clock?: StillClock;
}

/** No time passes unless a test says so: whatever the machine does, nothing is late. */
async function run(args: string[], { found = BOTH, columns, environment = {}, clock = stillClock() }: World = {}) {
  const stdout = Object.assign(new PassThrough(), columns === undefined ? {} : { isTTY: true, columns });
  const written: Buffer[] = [];
  stdout.on('data', (chunk: Buffer) => written.push(chunk));
  const stderr = new PassThrough();
  const world = { stdin: new PassThrough(), stdout, stderr, environment, lookup: async () => found, clock };
  const code = await echo(['--probe', ...(args.includes('--connect') ? [] : FEW), ...args], world);
  assert.equal(stderr.read(), null);
  return { code, stdout: Buffer.concat(written).toString() };
}

async function json(args: string[], world: World = {}) {
  const { code, stdout } = await run([...args, '--json'], world);
  assert.match(stdout, /^\{.*\}\n$/);
  const report: unknown = JSON.parse(stdout);
  assert.ok(report !== null && typeof report === 'object');
  return { code, report: new Map(Object.entries(report)) };
}

/** The shape of one family's part; the times themselves are nobody's promise but their order. */
function addressesIn(part: unknown): unknown {
  assert.ok(part !== null && typeof part === 'object' && 'addresses' in part && 'connectMs' in part && 'rtt' in part);
  assert.deepEqual(Object.keys(part).slice(0, 3), ['addresses', 'connectMs', 'rtt']);
  assert.ok(typeof part.connectMs === 'number' && part.connectMs >= 0);
  assert.ok(part.rtt !== null && typeof part.rtt === 'object');
  const { count, lost, jitter, ...times } = Object.fromEntries(Object.entries(part.rtt));
  assert.deepEqual([count, lost], [3, 0]);
  assert.deepEqual(Object.keys(times), ['min', 'p50', 'p95', 'p99', 'max']);
  assert.ok(typeof jitter === 'number' && jitter >= 0);
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
  assert.equal(report.get('verdict'), 'hub.example works over IPv4 and IPv6; both are equally fast');
});

test('where only IPv4 answers the status is 1', async (t) => {
  const port = await serve(t, { v4: plainEcho });
  const { code, report } = await json([`hub.example:${port}`]);
  assert.deepEqual([code, report.get('ipv6'), report.get('winner')], [1, null, 'ipv4']);
  assert.deepEqual(addressesIn(report.get('ipv4')), ['127.0.0.1']);
  assert.equal(
    report.get('verdict'),
    'hub.example works over IPv4 only; IPv6 resolves and the host answers, but nothing listens on port ' +
      `${port} there (::1: connection refused)`,
  );
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
  assert.match(
    String(refused.report.get('verdict')),
    /^hub\.example takes no connections on port \d+; IPv4 resolves .* \(127\.0\.0\.1: connection refused\); IPv6 resolves .* \(::1: connection refused\)$/,
  );
  const { code, report } = await json([`hub.example:${await serve(t, { v4: sink, v6: sink })}`, '--raw']);
  assert.equal(code, 3);
  assert.equal(
    report.get('verdict'),
    'hub.example connects over IPv4 and IPv6, but does not work; ' +
      'IPv4 connects, but no echo comes back: the other end closes; IPv6 connects, but no echo comes back: the other end closes',
  );
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
  const { code, report } = await json([`hub.example:${port}`], { found: [{ address: '127.0.0.1', family: 4 }] });
  assert.equal(code, 1);
  assert.equal(report.get('verdict'), 'hub.example works over IPv4 only; hub.example has no IPv6 address');
});

test('large echoes come back whole, however they are cut on the way', async (t) => {
  const port = await serve(t, { v6: plainEcho });
  assert.equal((await json([`[::1]:${port}`, '--size', '1048576'])).code, 0);
  assert.equal((await json([`[::1]:${port}`, '--size', '1'])).code, 0);
});

test('a stall that was not for the size leaves no other trace: what comes after it has a connection of its own', async (t) => {
  const clock = stillClock();
  let isFirst = true;
  const stalling = (socket: Socket): void => {
    let isStuck = false;
    const mayStall = isFirst;
    isFirst = false;
    socket.on('data', (chunk) => {
      isStuck ||= mayStall && chunk.length > 1_000;
      // Longer than an echo is waited for.
      if (isStuck) clock.pass(2_000);
      else socket.write(chunk);
    });
    socket.on('end', () => socket.end());
  };
  const port = await serve(t, { v4: stalling });
  const { code, report } = await json([`127.0.0.1:${port}`, '--raw'], { clock });
  assert.deepEqual([code, report.get('verdict')], [0, '127.0.0.1 works over IPv4']);
});

test('with --connect nothing is sent, and to connect is enough', async (t) => {
  const heard: string[] = [];
  const listener = (socket: Socket) => void socket.on('data', (chunk) => heard.push(String(chunk))).resume();
  const port = await serve(t, { v4: listener, v6: listener });
  const { code, report } = await json([`hub.example:${port}`, '--connect']);
  assert.deepEqual([code, report.get('winner')], [0, 'ipv6']);
  assert.equal(
    report.get('verdict'),
    `hub.example port ${port} connects over IPv4 and IPv6; nothing was sent; both are equally fast`,
  );
  assert.deepEqual(heard, []);
  const only = await json([`hub.example:${await serve(t, { v6: listener })}`, '--connect']);
  assert.deepEqual([only.code, only.report.get('ipv4')], [2, null]);
});

test('every fact is in the object', async (t) => {
  const port = await serve(t, { v4: plainEcho });
  const { report } = await json([`hub.example:${port}`]);
  const [v4, failures, names, race, findings] = ['ipv4', 'failures', 'names', 'race', 'findings'].map((key) =>
    JSON.parse(JSON.stringify(report.get(key))),
  );
  assert.deepEqual([v4.server, v4.seenAs, v4.ending, v4.sizes.passes], [{ kind: 'plain' }, null, 'answers', 16_384]);
  assert.deepEqual([v4.local.address, v4.times.length, v4.connects[0].address], ['127.0.0.1', 3, '127.0.0.1']);
  assert.deepEqual(failures.ipv6.connects, [
    {
      address: '::1',
      connectMs: null,
      tlsMs: null,
      failed: { at: 'connect', kind: 'refused', why: 'connection refused' },
    },
  ]);
  assert.deepEqual([names.ipv4.addresses, names.ipv6.addresses], [['127.0.0.1'], ['::1']]);
  assert.deepEqual(
    race.map((one: { family: string; outcome: string }) => [one.family, one.outcome]),
    [
      ['ipv6', 'failed'],
      ['ipv4', 'connected'],
    ],
  );
  assert.deepEqual(
    findings.map((one: { code: string; family?: string }) => [one.code, one.family]),
    [
      ['works', undefined],
      ['refused', 'ipv6'],
    ],
  );
  assert.match(String(report.get('at')), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
});

const withoutNumbers = (text: string) =>
  text
    .replaceAll(/\d+\.\d{3}/g, 'N')
    .replaceAll(/port \d+/g, 'port P')
    .split('\n');

test('for a person it is a screen that ends with the verdict', async (t) => {
  const port = await serve(t, { v4: plainEcho, v6: plainEcho });
  const { stdout } = await run([`hub.example:${port}`]);
  const lines = withoutNumbers(stdout).map((line) => line.replace(/\[[ =]{24}\]/, '[=]').replace(/ +N/g, ' N'));
  const measured = (address: string) => [
    '3 echoes of 64 bytes, 0 lost; ms: min N, p50 N, p95 N, p99 N, max N, jitter N',
    'Up to 16,384 bytes at once come back unchanged, in N ms',
    'After our FIN it sends what it owes, and its own',
    `Here ${address} port P; a plain server does not say how it sees that`,
  ];
  const indented = (label: string, all: string[]) => all.map((line, at) => (at === 0 ? label : '').padEnd(9) + line);
  assert.deepEqual(lines, [
    'Probing hub.example port P',
    ...indented('Name', ['A N ms  127.0.0.1', 'AAAA N ms  ::1']),
    ...indented('Race', ['N ms  [=]  ::1  wins at N ms']).map((line) => line.replace(/ +N/, ' N')),
    ...indented('Connect', ['127.0.0.1 N ms', '::1 N ms']),
    ...indented('IPv4', measured('127.0.0.1')),
    ...indented('IPv6', measured('::1')),
    ...indented('Verdict', ['hub.example works over IPv4 and IPv6', 'Both are equally fast']),
    '',
  ]);
});

test('on a terminal there is a row of characters for the times, which the locale can show', async (t) => {
  const port = await serve(t, { v4: plainEcho, v6: plainEcho });
  const row = async (world: World) => {
    const { stdout } = await run([`hub.example:${port}`], { columns: 80, ...world });
    const [, shown = ''] = stdout.split('Probing');
    return withoutNumbers(shown).find((line) => /^ {9}\S{3}$/.test(line)) ?? '';
  };
  assert.match(await row({ environment: { LANG: 'C.UTF-8' } }), /^ {9}[▁▂▃▄▅▆▇█]{3}$/);
  assert.match(await row({ environment: { LANG: 'en_US.ISO-8859-1' } }), /^ {9}[_.:=+*#-]{3}$/);
  assert.equal(await row({ environment: { TERM: 'dumb' } }), '');
});

test('on a terminal of few columns lines are cut between words, and NO_COLOR is kept to', async (t) => {
  const port = await serve(t, { v4: plainEcho });
  const { stdout } = await run([`hub.example:${port}`], { columns: 40, environment: { NO_COLOR: '1' } });
  const [, shown = ''] = stdout.split('Probing');
  assert.ok(!shown.includes('\u001b'));
  for (const line of shown.split('\n').slice(1)) assert.ok(line.length < 40, line);
  const { stdout: bold } = await run([`hub.example:${port}`], { columns: 40 });
  assert.ok(bold.includes('\u001b[1mVerdict  \u001b[0mhub'));
});
