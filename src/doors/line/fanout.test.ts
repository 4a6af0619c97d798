import assert from 'node:assert/strict';
import { Socket } from 'node:net';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Fanout, type Lane } from './fanout.ts';

/** A lane whose socket keeps what is written to it, write by write. */
class Ear implements Lane {
  readonly socket: Socket;
  readonly writes: (string | Uint8Array)[] = [];
  own: string | undefined = undefined;
  isListening = false;
  writtenCalls = 0;

  constructor() {
    this.socket = new Socket();
    this.socket.write = (chunk: string | Uint8Array): boolean => this.writes.push(chunk) > 0;
  }

  get heard(): string {
    return this.writes.map((chunk) => (typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString())).join('');
  }

  written(): void {
    this.writtenCalls++;
  }
}

/** One that listens already, with nothing under way. */
async function listener(fanout: Fanout): Promise<Ear> {
  const ear = new Ear();
  fanout.join(ear);
  await turn();
  ear.writtenCalls = 0;
  return ear;
}

test('what a turn brings for everyone is one write of one Buffer, the same for all', async () => {
  const fanout = new Fanout();
  const a = await listener(fanout);
  const b = await listener(fanout);
  const c = await listener(fanout);
  fanout.broadcast('one\n', []);
  fanout.broadcast('zwei: ü\n', []);
  assert.deepEqual(a.writes, [], 'nothing before the end of the turn');
  await turn();
  for (const ear of [a, b, c]) {
    assert.equal(ear.heard, 'one\nzwei: ü\n');
    assert.equal(ear.writes.length, 1);
    assert.equal(ear.writes[0], a.writes[0]);
    assert.equal(ear.writtenCalls, 1);
  }
  await turn();
  assert.equal(a.writes.length, 1, 'and nothing afterwards');
});

test('whoever has something of its own gets all of it in the order in which it was said', async () => {
  const fanout = new Fanout();
  const a = await listener(fanout);
  const b = await listener(fanout);
  fanout.broadcast('1 ', []);
  fanout.tell(a, 'for a ');
  fanout.broadcast('2 ', [b]);
  fanout.tell(b, 'for b ');
  fanout.broadcast('3 ', []);
  await turn();
  assert.equal(a.heard, '1 for a 2 3 ');
  assert.equal(b.heard, '1 for b 3 ');
  assert.deepEqual([a.writes.length, b.writes.length], [1, 1]);
});

test('who comes in hears what is said from then on, in this very turn', async () => {
  const fanout = new Fanout();
  const old = await listener(fanout);
  const fresh = new Ear();
  fanout.broadcast('before ', []);
  fanout.tell(fresh, 'welcome ');
  fanout.join(fresh);
  fanout.broadcast('after ', []);
  await turn();
  assert.equal(old.heard, 'before after ');
  assert.equal(fresh.heard, 'welcome after ');
});

test('who leaves hears what was said until then, and its own last words', async () => {
  const fanout = new Fanout();
  const stays = await listener(fanout);
  const leaves = await listener(fanout);
  fanout.broadcast('before ', []);
  fanout.leave(leaves);
  fanout.broadcast('after ', []);
  fanout.tell(leaves, 'goodbye ');
  await turn();
  fanout.broadcast('later ', []);
  await turn();
  assert.equal(stays.heard, 'before after later ');
  assert.equal(leaves.heard, 'before goodbye ');
  fanout.leave(leaves);
  await turn();
  assert.equal(leaves.heard, 'before goodbye ', 'leaving twice is leaving once');
});

test('who comes, goes and comes again within a turn hears what was said while it was here', async () => {
  const fanout = new Fanout();
  const ear = await listener(fanout);
  fanout.broadcast('1 ', []);
  fanout.leave(ear);
  fanout.broadcast('2 ', []);
  fanout.join(ear);
  fanout.broadcast('3 ', []);
  await turn();
  assert.equal(ear.heard, '1 3 ');
});

test('somebody with nothing to be told is called back at the end of the turn all the same', async () => {
  const fanout = new Fanout();
  const ear = new Ear();
  fanout.tell(ear, '');
  assert.equal(ear.writtenCalls, 0);
  await turn();
  assert.deepEqual([ear.writtenCalls, ear.writes.length], [1, 0]);
});

test('a turn that grows beyond a mebibyte is written out early, but never within a command', async () => {
  const fanout = new Fanout();
  const a = await listener(fanout);
  const b = await listener(fanout);
  const text = 'x'.repeat(600_000);
  fanout.broadcast(text, [b]);
  fanout.relieve();
  assert.equal(a.writes.length, 0, 'not yet much');
  fanout.broadcast(text, []);
  assert.equal(a.writes.length, 0, 'not before it is asked to');
  fanout.relieve();
  assert.equal(a.heard.length, 1_200_000);
  assert.equal(b.heard.length, 600_000);
  assert.deepEqual([a.writtenCalls, b.writtenCalls], [0, 0], 'nobody acts on it before the end of the turn');
  fanout.tell(a, 'y');
  await turn();
  assert.equal(a.heard.length, 1_200_001);
  assert.deepEqual([a.writtenCalls, b.writtenCalls], [1, 1]);
});

test('what somebody says when told of a turn comes after that turn, for everyone', async () => {
  const fanout = new Fanout();
  const ears = [await listener(fanout), await listener(fanout), await listener(fanout)];
  const [a, b, c] = ears;
  assert.ok(a && b && c);
  let once = true;
  a.written = () => {
    if (!once) return;
    once = false;
    fanout.tell(b, 'to b ');
    fanout.broadcast('to all ', [a]);
  };
  // First all are in the shared batch, then each has something of its own: b is written to after a in both.
  for (const own of [false, true]) {
    once = true;
    if (own) for (const ear of ears) fanout.tell(ear, 'own ');
    fanout.broadcast('turn ', []);
    await turn();
    await turn();
  }
  assert.equal(a.heard, 'turn own turn ');
  assert.equal(b.heard, 'turn to b to all own turn to b to all ');
  assert.equal(c.heard, 'turn to all own turn to all ');
});

test('who tells from within the call back is heard in the next turn', async () => {
  const fanout = new Fanout();
  const a = await listener(fanout);
  const b = await listener(fanout);
  let once = true;
  a.written = () => {
    if (once) fanout.broadcast('echo ', []);
    once = false;
  };
  fanout.broadcast('first ', []);
  await turn();
  await turn();
  assert.equal(a.heard, 'first echo ');
  assert.equal(b.heard, 'first echo ');
});
