import assert from 'node:assert/strict';
import { connect, Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { stillClock } from '../../../test/kit/clock.ts';
import { freePort, listenOn } from '../../../test/kit/listener.ts';
import { until } from '../../../test/kit/proc.ts';
import { CONNECTION_ATTEMPT_DELAY_MS, type Candidate } from '../../net/race.ts';
import { CONNECT_DEADLINE_MS, reachAll, type ReachOptions } from './reach.ts';

/** What stands for an address of the world: a server here, a port without one, or nobody who would answer. */
type Stand = ((socket: Socket) => void) | 'refuses' | 'silent';

const echo = (socket: Socket): void => void socket.pipe(socket);
const other = (socket: Socket): void => void socket.resume().write('220 mail.example\r\n');

const four = (last: number): Candidate => ({ address: `192.0.2.${last}`, family: 4 });
const six = (last: number): Candidate => ({ address: `2001:db8::${last}`, family: 6 });
const HOW = { host: 'hub.example', port: 7270, name: 'Client', wants: 'echo', answerDeadlineMs: 5_000 } as const;

async function aNetwork(t: TestContext, stands: [Candidate, Stand][]) {
  const ports = new Map<string, number | undefined>();
  const connections = new Map<string, number>();
  for (const [{ address, family }, stand] of stands) {
    const host = family === 4 ? '127.0.0.1' : '::1';
    if (stand === 'silent') ports.set(address, undefined);
    else if (stand === 'refuses') ports.set(address, await freePort(host));
    else {
      const accept = (socket: Socket) => {
        connections.set(address, (connections.get(address) ?? 0) + 1);
        stand(socket);
      };
      ports.set(address, await listenOn(t, host, accept));
    }
  }
  const dialled: string[] = [];
  const sockets: Socket[] = [];
  const clock = stillClock();
  const dial: NonNullable<ReachOptions['connect']> = ({ address, family }, _port, allowHalfOpen) => {
    dialled.push(address);
    const port = ports.get(address);
    if (port === undefined) return new Socket();
    const socket = connect({ host: family === 4 ? '127.0.0.1' : '::1', port, allowHalfOpen });
    sockets.push(socket);
    return socket;
  };
  const order = stands.map(([candidate]) => candidate);
  const reach = async (how: Partial<ReachOptions> = {}) => {
    const reached = await reachAll(order, { ...HOW, connect: dial, clock, ...how });
    t.after(() => reached.addresses.forEach(({ connection }) => connection?.socket.destroy()));
    return reached;
  };
  const hasDialled = (count: number) => until(() => dialled.length === count, `${count} addresses are dialled`);
  return { reach, dialled, hasDialled, connections, sockets, clock };
}

test('every address is connected to, each once: the winner of the race keeps its connection', async (t) => {
  const { reach, dialled, connections } = await aNetwork(t, [
    [six(1), echo],
    [four(1), echo],
    [six(2), echo],
  ]);
  const { race, winner, addresses } = await reach();
  assert.deepEqual(
    [winner, race.map(({ address, outcome }) => [address, outcome])],
    [6, [['2001:db8::1', 'connected']]],
  );
  assert.deepEqual(dialled.toSorted(), ['192.0.2.1', '2001:db8::1', '2001:db8::2']);
  assert.deepEqual([...connections.values()], [1, 1, 1]);
  for (const { facts, connection } of addresses) {
    assert.ok(connection !== undefined && (facts.connectMs ?? -1) >= 0, facts.address);
    assert.equal(connection.server.kind, 'plain');
  }
});

test('what the race has found out is not tried again, and each failure has its reason', async (t) => {
  const { reach, dialled } = await aNetwork(t, [
    [six(1), 'refuses'],
    [four(1), echo],
    [six(2), 'refuses'],
  ]);
  const { race, winner, addresses } = await reach();
  assert.deepEqual([winner, race.map(({ outcome }) => outcome)], [4, ['failed', 'connected']]);
  assert.deepEqual(dialled, ['2001:db8::1', '192.0.2.1', '2001:db8::2']);
  const refused = { at: 'connect', kind: 'refused', why: 'connection refused' };
  assert.deepEqual(
    addresses.map(({ facts }) => facts.failed),
    [refused, undefined, refused],
  );
});

test('an address of which nobody answers is waited for, though another has won the race', async (t) => {
  const { reach, hasDialled, clock } = await aNetwork(t, [
    [six(1), 'silent'],
    [four(1), echo],
  ]);
  const reached = reach({ wants: 'connect' });
  await hasDialled(1);
  clock.pass(CONNECTION_ATTEMPT_DELAY_MS);
  await hasDialled(3);
  clock.pass(CONNECT_DEADLINE_MS);
  const { race, winner, addresses } = await reached;
  assert.deepEqual([winner, race.map(({ outcome }) => outcome)], [4, ['cancelled', 'connected']]);
  assert.deepEqual(addresses[0]?.facts.failed, { at: 'connect', kind: 'silent', why: 'no answer within 10 s' });
  assert.equal(addresses[1]?.facts.failed, undefined);
});

test('where nobody answers at all, nobody is waited for twice', async (t) => {
  const { reach, dialled, hasDialled, clock } = await aNetwork(t, [
    [six(1), 'silent'],
    [four(1), 'silent'],
  ]);
  const reached = reach();
  await hasDialled(1);
  clock.pass(CONNECTION_ATTEMPT_DELAY_MS);
  await hasDialled(2);
  clock.pass(CONNECT_DEADLINE_MS);
  const { winner, addresses } = await reached;
  assert.equal(winner, undefined);
  assert.deepEqual(dialled, ['2001:db8::1', '192.0.2.1']);
  assert.deepEqual(
    addresses.map(({ facts }) => facts.failed?.kind),
    ['silent', 'silent'],
  );
});

test('what answers and is no echo says what it is; where only connecting was wanted it is as good as any', async (t) => {
  const heard: string[] = [];
  const { reach } = await aNetwork(t, [
    [six(1), (socket) => other(socket.on('data', (chunk) => heard.push(String(chunk))))],
    [four(1), echo],
  ]);
  const wanted = await reach({ wants: 'connect' });
  assert.deepEqual([wanted.addresses.map(({ facts }) => facts.failed), heard], [[undefined, undefined], []]);
  const { winner, addresses } = await reach();
  assert.equal(winner, 6, 'it did connect first');
  assert.deepEqual(addresses[0]?.facts.failed, { at: 'echo', kind: 'other', why: 'it answered "220 mail.example"' });
  assert.ok(addresses[1]?.connection !== undefined);
});

test('who answers is not silent, whatever it says', async (t) => {
  const late = (socket: Socket): void => void socket.resume().write('421 no answer within 5 s\r\n');
  const { reach } = await aNetwork(t, [[six(1), late]]);
  const { addresses } = await reach();
  const why = 'it answered "421 no answer within 5 s"';
  assert.deepEqual(addresses[0]?.facts.failed, { at: 'echo', kind: 'other', why });
  const half = await aNetwork(t, [[six(1), (socket) => void socket.resume().write('220 ')]]);
  const halfReached = half.reach();
  await until(() => half.sockets[0]?.bytesRead === 4, 'what was said has been read');
  half.clock.pass(5_000);
  const [only] = (await halfReached).addresses;
  assert.deepEqual(only?.facts.failed, { at: 'echo', kind: 'other', why: 'only "220 " within 5 s' });
});

test('an echo server that says nothing is given up after its time', async (t) => {
  const { reach } = await aNetwork(t, [[six(1), (socket) => void socket.resume()]]);
  const { addresses } = await reach({ answerDeadlineMs: 20, clock: undefined });
  assert.deepEqual(addresses[0]?.facts.failed, {
    at: 'echo',
    kind: 'silent',
    why: 'no answer within 0.02 s',
    isMute: true,
  });
  assert.equal(addresses[0]?.connection, undefined);
});
