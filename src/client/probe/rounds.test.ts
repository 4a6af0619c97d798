import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { settled, stillClock } from '../../../test/kit/clock.ts';
import { listenOn } from '../../../test/kit/listener.ts';
import type { Clock } from '../../net/dial.ts';
import type { AddressFamily } from '../../net/race.ts';
import { EchoLink } from './echo-link.ts';
import { MIN_PATIENCE_MS, runRounds, Turns, type RoundsOptions } from './rounds.ts';

const HOSTS = { 4: '127.0.0.1', 6: '::1' } as const;
type Servers = Readonly<Record<AddressFamily, (socket: Socket) => void>>;

async function bothLinks(t: TestContext, clock: Clock, servers: Servers): Promise<Map<AddressFamily, EchoLink>> {
  const links = new Map<AddressFamily, EchoLink>();
  for (const family of [4, 6] as const) {
    const port = await listenOn(t, HOSTS[family], servers[family]);
    const socket = connect({ host: HOSTS[family], port, noDelay: true }).on('error', () => {});
    t.after(() => void socket.destroy());
    await once(socket, 'connect');
    links.set(family, new EchoLink({ socket, rest: new Uint8Array() }, clock));
  }
  return links;
}

const DEADLINE_MS = 5_000;
const HOW: RoundsOptions = { count: 5, intervalMs: 0, sizeBytes: 64, echoDeadlineMs: DEADLINE_MS };

test('both families are measured at once, in turns', async (t) => {
  const clock = stillClock();
  const order: AddressFamily[] = [];
  const echo = (family: AddressFamily) => (socket: Socket) =>
    void socket.on('data', (chunk) => {
      order.push(family);
      clock.pass(family);
      socket.write(chunk);
    });
  const links = await bothLinks(t, clock, { 4: echo(4), 6: echo(6) });
  const rounds = await runRounds(links, { ...HOW, clock });
  assert.deepEqual(order, [4, 6, 4, 6, 4, 6, 4, 6, 4, 6]);
  for (const family of [4, 6] as const) {
    const { count, changed, times } = rounds.get(family) ?? assert.fail();
    assert.deepEqual([count, changed, times], [5, 0, Array(5).fill(family)], 'none is in the time of the other');
  }
  assert.equal(clock.waiting, 0);
});

test('an echo goes when the interval since the last one has passed, the second family half of it later', async (t) => {
  const clock = stillClock();
  const sent: [AddressFamily, atMs: number][] = [];
  const startedAt = clock.now();
  const echo = (family: AddressFamily) => (socket: Socket) =>
    void socket.on('data', (chunk) => {
      sent.push([family, clock.now() - startedAt]);
      socket.write(chunk);
    });
  const links = await bothLinks(t, clock, { 4: echo(4), 6: echo(6) });
  let told = 0;
  const onEcho = () => {
    told++;
    // What is on the way comes to its end first.
    setImmediate(() => clock.pass(50));
  };
  await runRounds(links, { ...HOW, clock, count: 2, intervalMs: 100, onEcho });
  assert.deepEqual(sent, [
    [4, 0],
    [6, 50],
    [4, 100],
    [6, 150],
  ]);
  assert.equal(told, 4);
});

test('a family of which nothing comes back is given up, and does not hold up the other', async (t) => {
  const clock = stillClock();
  const seen: string[] = [];
  const links = await bothLinks(t, clock, {
    4: (socket) => void socket.pipe(socket),
    6: (socket) =>
      void socket.on('data', (chunk) => {
        seen.push(String(chunk).slice(0, 7));
        // The other waits for its turn by now, or has come to its end.
        clock.pass(seen.length === 1 ? MIN_PATIENCE_MS : DEADLINE_MS);
      }),
  });
  const told: string[] = [];
  const onEcho = (family: AddressFamily, tookMs: number | undefined) => {
    told.push(`${family} ${tookMs === undefined ? 'lost' : 'back'}`);
    if (told.length === 5) clock.pass(DEADLINE_MS);
  };
  const rounds = await runRounds(links, { ...HOW, clock, onEcho });
  assert.deepEqual(rounds.get(4)?.times.length, 5);
  assert.deepEqual(rounds.get(6)?.times, Array(5).fill(undefined));
  assert.deepEqual(seen, ['probe 0', 'probe 1', 'probe 2'], 'three in a row are enough');
  assert.deepEqual(told, [...Array(5).fill('4 back'), ...Array(3).fill('6 lost')]);
});

test('a connection that ends is told apart by how it does, and the rest of its echoes is lost', async (t) => {
  const clock = stillClock();
  const after = (count: number, end: (socket: Socket) => void) => (socket: Socket) => {
    let left = count;
    socket.on('data', (chunk) => (left-- > 0 ? void socket.write(chunk) : end(socket)));
  };
  const links = await bothLinks(t, clock, {
    4: after(2, (socket) => void socket.end()),
    6: after(1, (socket) => void socket.resetAndDestroy()),
  });
  const rounds = await runRounds(links, { ...HOW, clock });
  const shown = ([4, 6] as const).map((family) => {
    const { ended, times = [] } = rounds.get(family) ?? {};
    return [ended, times.map((time) => time !== undefined)];
  });
  assert.deepEqual(shown, [
    ['closed', [true, true, false, false, false]],
    ['reset', [true, false, false, false, false]],
  ]);
});

test('an echo that comes back changed is lost, and counted as changed', async (t) => {
  const clock = stillClock();
  const louder = (socket: Socket) => void socket.on('data', (chunk) => socket.write(String(chunk).toUpperCase()));
  const links = await bothLinks(t, clock, { 4: louder, 6: (socket) => void socket.pipe(socket) });
  const rounds = await runRounds(links, { ...HOW, clock, count: 2 });
  assert.deepEqual([rounds.get(4)?.changed, rounds.get(4)?.times], [2, [undefined, undefined]]);
  assert.equal(rounds.get(6)?.changed, 0);
});

test('turns are taken in the order in which they were asked for', async () => {
  const turns = new Turns(5_000, stillClock());
  const order: string[] = [];
  const take = (name: string) =>
    turns.take(async () => {
      order.push(`${name} begins`);
      await settled();
      order.push(`${name} ends`);
    });
  await Promise.all([take('a'), take('b'), take('c')]);
  assert.deepEqual(order, ['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
});
