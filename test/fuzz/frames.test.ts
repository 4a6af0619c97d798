// The native protocol under frames of chance: no end of it ever throws, nothing grows without bound, and a connection that
// broke the rules is closed with a reason, before a login and after it.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { FrameDecoder } from '../../src/protocol/native/decoder.ts';
import { MAX_CONTROL_BYTES, MAX_DATA_BYTES } from '../../src/protocol/native/limits.ts';
import { NativeLink } from '../../src/protocol/native/link.ts';
import type { Role } from '../../src/protocol/native/connection.ts';
import { byHand } from '../kit/by-hand.ts';
import { hasProc, openDescriptors, residentBytes, until } from '../kit/proc.ts';
import { outcomeOf, partyline } from '../kit/program.ts';
import { Random, seedOf } from '../kit/random.ts';
import { at, LOOPBACKS, startServer, type TestServer } from '../kit/server.ts';
import { conversation, mutated } from './frames.ts';

const PREFACE = { client: 'PARTYLINE/1\n', server: 'PARTYLINE/1 Server\n' } as const;
/** Conversations with one end in memory, and with a real server: before a login, and after one. */
const IN_MEMORY = 6_000;
const BEFORE_LOGIN = 150;
const AFTER_LOGIN = 60;
/** What the server may have become larger by; it is far from it when nothing is left behind. */
const MAX_GROWTH_BYTES = 128 * 1_048_576;

/** An end that does what it is asked, as wrongly as it may be asked: accepts streams, writes, consumes, answers some. */
function drive(link: NativeLink, random: Random): { failed: boolean; bytes: number } {
  const { connection } = link;
  const told = { failed: false, bytes: 0 };
  for (const event of link.takeEvents()) {
    assert.ok(!told.failed, `${event.type} after the last event`);
    if (event.type === 'failed' || event.type === 'unusable') {
      told.failed = true;
      assert.ok(event.reason.length > 0 && event.reason.length < 300, event.reason);
    }
    if (event.type === 'data') connection.consume(event.stream, event.bytes.length);
    if (event.type === 'request') {
      const streams = [random.int(12), random.int(12)].sort((a, b) => a - b);
      if (connection.refusalToAccept(streams) === undefined) {
        for (const stream of streams) connection.accept(stream, random.pick(['in', 'out', 'both']));
        connection.write(streams[0] ?? 0, new Uint8Array(random.int(3 * MAX_DATA_BYTES)));
      }
      if (random.int(3) > 0) connection.respond(event.id, {});
    }
    for (const bytes of link.takeOutput()) told.bytes += bytes.length;
  }
  for (const bytes of link.takeOutput()) told.bytes += bytes.length;
  return told;
}

for (const role of ['server', 'client'] as const satisfies readonly Role[]) {
  test(`a ${role} survives any frames, says why it ends, and says no more than it was made to`, (t) => {
    const random = new Random(seedOf(t));
    let failures = 0;
    for (let count = 0; count < IN_MEMORY; count++) {
      const link = new NativeLink(role, { serverName: 'Server' });
      if (random.int(2) === 0) link.trust();
      const other = role === 'server' ? 'client' : 'server';
      const bytes = Buffer.concat([Buffer.from(PREFACE[other]), mutated(random, conversation(random))]);
      let [hasFailed, output] = [false, 0];
      for (let from = 0; from < bytes.length;) {
        const to = from + 1 + random.int(random.pick([3, 100, 70_000]));
        link.receive(bytes.subarray(from, to));
        from = to;
        const told = drive(link, random);
        assert.ok(!(hasFailed && told.bytes > 0), 'something was said after the end');
        hasFailed ||= told.failed;
        output += told.bytes;
      }
      if (hasFailed) failures++;
      assert.equal(link.connection.isOver, hasFailed);
      // A refusal for each few bytes, and what was written to streams.
      assert.ok(output < 100 * bytes.length + 24 * MAX_DATA_BYTES, `${output} bytes for ${bytes.length}`);
    }
    // Some break the rules and some do not.
    assert.ok(failures > IN_MEMORY / 10 && failures < IN_MEMORY * 0.95, `${failures} of ${IN_MEMORY} failed`);
  });
}

/** The reason that the server gave, if it did; everything that it says is frames, to its end. */
async function stranger(
  bytes: Uint8Array,
  { host, port }: { host: string; port: number },
): Promise<string | undefined> {
  const socket = connect({ host, port, allowHalfOpen: true });
  socket.on('error', () => {});
  await once(socket, 'connect');
  const decoder = new FrameDecoder(MAX_CONTROL_BYTES);
  let head = '';
  let reason: string | undefined;
  socket.on('data', (chunk: Buffer) => {
    let rest = chunk;
    if (!head.endsWith('\n')) {
      const end = chunk.indexOf(0x0a) + 1 || chunk.length;
      head += chunk.toString('latin1', 0, end);
      rest = chunk.subarray(end);
    }
    decoder.receive(rest);
    for (let frame = decoder.next(); frame !== undefined; frame = decoder.next()) {
      assert.notEqual(frame.kind, 'malformed');
      if (frame.kind === 'malformed') return;
      const [, why] = /"connection\.closing","params":\{"reason":"(.+?)"/.exec('text' in frame ? frame.text : '') ?? [];
      reason ??= why;
    }
  });
  socket.end(bytes);
  if (!socket.closed) await once(socket, 'close');
  assert.match(head, /^PARTYLINE\/1 Server\n$/);
  return reason;
}

async function assertServes(server: TestServer, host: string): Promise<void> {
  await using run = partyline(['run', at(host, server.port), '--', 'echo hi'], { env: server.env });
  assert.deepEqual(await outcomeOf(run), { status: 0, stdout: 'hi\n', stderr: '' });
}

/** One line each; no stack of a bug. */
const TOLD =
  /^(?:warn (?:native connection broke the rules|wrong [a-z ]+|command not allowed|password not checked) .*)?$/;

test('a server under frames of chance, before a login and after it, goes on as before', async (t) => {
  if (!hasProc(t)) return;
  const random = new Random(seedOf(t));
  await using server = await startServer();
  for (const host of LOOPBACKS) await assertServes(server, host);
  const [descriptors, resident] = [openDescriptors(server.pid), residentBytes(server.pid)];
  for (const host of LOOPBACKS) {
    const reasons = new Set<string | undefined>();
    for (let count = 0; count < BEFORE_LOGIN; count += 10) {
      const all = Array.from({ length: 10 }, () => mutated(random, conversation(random)));
      const told = all.map((bytes) =>
        stranger(Buffer.concat([Buffer.from(PREFACE.client), bytes]), { host, port: server.port }),
      );
      for (const reason of await Promise.all(told)) reasons.add(reason);
    }
    assert.ok(!reasons.has(undefined), 'each was told why its connection was closed');
    for (let count = 0; count < AFTER_LOGIN; count++) {
      await using hand = await byHand(host, server);
      await hand.becomeOwner();
      const { socket } = hand.caller;
      socket.end(mutated(random, conversation(random)));
      reasons.add(await hand.caller.closed());
    }
    assert.ok(reasons.size > 5, [...reasons].join('; '));
    await assertServes(server, host);
  }
  await until(() => openDescriptors(server.pid) <= descriptors + 8, `about ${descriptors} descriptors are open again`);
  const grown = residentBytes(server.pid) - resident;
  assert.ok(grown < MAX_GROWTH_BYTES, `grew by ${grown} bytes`);
  for (const line of server.program.stderr.text.split('\n')) assert.match(line, TOLD);
});
