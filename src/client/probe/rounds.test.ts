import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { listenOn } from '../../../test/kit/listener.ts';
import type { AddressFamily } from '../../net/race.ts';
import { EchoLink } from './echo-link.ts';
import { runRounds, Turns, type RoundsOptions } from './rounds.ts';

const HOSTS = { 4: '127.0.0.1', 6: '::1' } as const;
type Servers = Readonly<Record<AddressFamily, (socket: Socket) => void>>;

async function bothLinks(t: TestContext, servers: Servers): Promise<Map<AddressFamily, EchoLink>> {
  const links = new Map<AddressFamily, EchoLink>();
  for (const family of [4, 6] as const) {
    const port = await listenOn(t, HOSTS[family], servers[family]);
    const socket = connect({ host: HOSTS[family], port, noDelay: true }).on('error', () => {});
    t.after(() => void socket.destroy());
    await once(socket, 'connect');
    links.set(family, new EchoLink({ socket, rest: new Uint8Array() }));
  }
  return links;
}

const HOW: RoundsOptions = { count: 5, intervalMs: 0, sizeBytes: 64, echoDeadlineMs: 5_000 };

test('both families are measured at once, in turns', async (t) => {
  const order: AddressFamily[] = [];
  const echo = (family: AddressFamily) => (socket: Socket) =>
    void socket.on('data', (chunk) => {
      order.push(family);
      socket.write(chunk);
    });
  const links = await bothLinks(t, { 4: echo(4), 6: echo(6) });
  const rounds = await runRounds(links, HOW);
  assert.deepEqual(order, [4, 6, 4, 6, 4, 6, 4, 6, 4, 6]);
  for (const family of [4, 6] as const) {
    const { count, changed, times } = rounds.get(family) ?? assert.fail();
    assert.deepEqual([count, changed, times.length], [5, 0, 5]);
    assert.ok(times.every((time) => time !== undefined && time > 0));
  }
});

test('a family of which nothing comes back is given up, and does not hold up the other', async (t) => {
  let lostOfSix = 0;
  const seen: string[] = [];
  const links = await bothLinks(t, {
    4: (socket) => void socket.pipe(socket),
    6: (socket) =>
      void socket.on('data', (chunk) => {
        lostOfSix++;
        seen.push(String(chunk).slice(0, 7));
      }),
  });
  const told: [AddressFamily, boolean][] = [];
  const onEcho = (family: AddressFamily, tookMs: number | undefined) => void told.push([family, tookMs !== undefined]);
  const rounds = await runRounds(links, { ...HOW, echoDeadlineMs: 500, onEcho });
  assert.ok((rounds.get(4)?.times ?? []).every((time) => time !== undefined));
  assert.deepEqual(rounds.get(6)?.times, Array(5).fill(undefined));
  assert.deepEqual([lostOfSix, seen], [3, ['probe 0', 'probe 1', 'probe 2']], 'three in a row are enough');
  assert.equal(told.filter(([family, isBack]) => family === 4 && isBack).length, 5);
  // Held up by each that is lost, the fifth of IPv4 would come behind the third of IPv6.
  const last = (wanted: AddressFamily) => told.findLastIndex(([family]) => family === wanted);
  assert.ok(last(4) < last(6), JSON.stringify(told));
});

test('a connection that ends is told apart by how it does, and the rest of its echoes is lost', async (t) => {
  const after = (count: number, end: (socket: Socket) => void) => (socket: Socket) => {
    let left = count;
    socket.on('data', (chunk) => (left-- > 0 ? void socket.write(chunk) : end(socket)));
  };
  const links = await bothLinks(t, {
    4: after(2, (socket) => void socket.end()),
    6: after(1, (socket) => void socket.resetAndDestroy()),
  });
  const rounds = await runRounds(links, HOW);
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
  const louder = (socket: Socket) => void socket.on('data', (chunk) => socket.write(String(chunk).toUpperCase()));
  const links = await bothLinks(t, { 4: louder, 6: (socket) => void socket.pipe(socket) });
  const rounds = await runRounds(links, { ...HOW, count: 2 });
  assert.deepEqual([rounds.get(4)?.changed, rounds.get(4)?.times], [2, [undefined, undefined]]);
  assert.equal(rounds.get(6)?.changed, 0);
});

test('turns are taken in the order in which they were asked for', async () => {
  const turns = new Turns(5_000);
  const order: string[] = [];
  const take = (name: string) =>
    turns.take(async () => {
      order.push(`${name} begins`);
      await new Promise((resolve) => setImmediate(resolve));
      order.push(`${name} ends`);
    });
  await Promise.all([take('a'), take('b'), take('c')]);
  assert.deepEqual(order, ['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
});
