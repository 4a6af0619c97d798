// One echo between two hosts, as a packet capture shows it (test/vectors/transcripts/wire-trace.txt): the name asked
// for in both families, the handshake, 36 bytes out and 36 back, and both sides closing.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Answer, Capture, type Packet, parsePacket, type Question, type Segment } from '../kit/capture.ts';
import { startServer, twoHosts } from '../kit/hosts.ts';
import { needs } from '../kit/needs.ts';
import { PARTYLINE } from '../kit/program.ts';

const PORT = 9999;
const TEXT = 'thirty-five characters, then the LF\n';
const TIMEOUT_MS = 60_000;

/** The part of a capture that is one connection, told by the client's end; only one that carried data counts. */
function conversationOf(packets: readonly Packet[]): { out: Segment[]; back: Segment[]; all: Segment[] } {
  const segments = packets.filter((packet) => packet.kind === 'segment');
  const client = segments.find(({ to, length }) => to.endsWith(`.${PORT}`) && length > 0)?.from;
  const all = segments.filter(({ from, to }) => from === client || to === client);
  return { out: all.filter(({ from }) => from === client), back: all.filter(({ to }) => to === client), all };
}

const isFin = ({ flags }: Segment): boolean => flags.includes('F');
const isSyn = ({ flags }: Segment): boolean => flags.includes('S');
const acknowledgesBytes = (segment: Segment): boolean =>
  !isSyn(segment) && segment.ack !== undefined && segment.ack >= 37;
const acknowledgesAll = (segment: Segment): boolean => !isSyn(segment) && segment.ack === 38;

/** Both FINs have been seen, and the acknowledgement of each (36 bytes and the FIN: 38). */
function isClosed(packets: readonly Packet[]): boolean {
  const { out, back } = conversationOf(packets);
  return [out, back].every((side) => side.some(isFin) && side.some(acknowledgesAll));
}

/**
 * What must be in every such exchange. TCP may join what the trace shows apart (an ACK with data, a FIN with data) and
 * close in either order.
 */
function assertConversation(packets: readonly Packet[]): void {
  const { out, back, all } = conversationOf(packets);
  const shown = all.map(({ from, flags, seq, ack }) => `${from} [${flags}] seq ${seq} ack ${ack}`).join('\n');
  const at = (side: readonly Segment[], is: (segment: Segment) => boolean, what: string): number => {
    const found = side.find(is);
    assert.ok(found !== undefined, `no ${what} in\n${shown}`);
    return all.indexOf(found);
  };
  const order = [
    at(out, ({ flags }) => flags === 'S', 'SYN'),
    at(back, ({ flags }) => flags === 'S.', 'SYN, ACK'),
    at(out, (segment) => !isSyn(segment) && segment.ack === 1, 'ACK of the handshake'),
    at(
      out,
      ({ flags, seq, length, ack }) => /P\./.test(flags) && seq === '1:37' && length === 36 && ack === 1,
      '36 bytes out',
    ),
    at(back, acknowledgesBytes, 'ACK of them'),
    at(back, ({ flags, seq, length }) => /P\./.test(flags) && seq === '1:37' && length === 36, '36 bytes back'),
    at(out, acknowledgesBytes, 'ACK of those'),
  ];
  assert.deepEqual(
    order,
    order.toSorted((a, b) => a - b),
    `out of order:\n${shown}`,
  );
  for (const segment of all) {
    assert.doesNotMatch(segment.flags, /R/, `a reset in\n${shown}`);
    assert.ok(segment.length === 0 || segment.seq === '1:37', `other bytes in\n${shown}`);
  }
  assert.ok(isClosed(packets), `not closed by both in\n${shown}`);
}

/** The records that a question of this type got, in any of its answers. */
function answersTo(packets: readonly Packet[], type: string, name: string): readonly string[] | undefined {
  const isAsked = (packet: Packet): packet is Question =>
    packet.kind === 'question' && packet.type === type && packet.name === name;
  const ids = new Set(packets.filter(isAsked).map(({ id }) => id));
  return packets.find((packet): packet is Answer => packet.kind === 'answer' && ids.has(packet.id))?.records;
}

test('an echo by host name looks on the wire as it should, over either family', { timeout: TIMEOUT_MS }, async (t) => {
  if (!needs(t, ['ip', 'tcpdump', 'dnsmasq'], { root: true, netns: true })) return;
  const { server, client } = await twoHosts(t);
  await startServer(t, server, '--listen', `echo+insecure://*:${PORT}`);

  const both = { A: ['A 10.77.0.1'], AAAA: ['AAAA fd77::1'] };
  const exchanges: { host: string; flags: string[]; asked: Record<string, string[]>; over?: string }[] = [
    { host: 'krishna1.example.com', flags: [], asked: both },
    { host: 'krishna1.example.com', flags: ['-4'], asked: { A: both.A }, over: client.ipv4 },
    { host: 'krishna1.example.com', flags: ['-6'], asked: { AAAA: both.AAAA }, over: client.ipv6 },
    { host: 'krishna4.example.com', flags: [], asked: { A: both.A, AAAA: [] }, over: client.ipv4 },
    { host: 'krishna6.example.com', flags: [], asked: { A: [], AAAA: both.AAAA }, over: client.ipv6 },
  ];
  for (const { host, flags, asked, over } of exchanges) {
    await t.test(['echo', ...flags, host].join(' '), async () => {
      const capture = await Capture.start(client, `udp port 53 or tcp port ${PORT}`);
      const ended = await client.run(TEXT, PARTYLINE, 'echo', '--raw', ...flags, `${host}:${PORT}`);
      // A plain RFC 862 server has no name of its own: the host's stands for it.
      assert.deepEqual(ended, { status: 0, stdout: `Connected with ${host}\n${host} : ${TEXT}`, stderr: '' });
      await capture.until(isClosed);
      assertConversation(capture.packets);
      const from = conversationOf(capture.packets).out[0]?.from;
      if (over !== undefined) assert.ok(from?.startsWith(`${over}.`), `over ${from}`);
      for (const [type, records] of Object.entries(asked)) {
        assert.deepEqual(answersTo(capture.packets, type, host), records, `${type}? ${host}`);
      }
    });
  }
});

/** The lines of the trace that are not comment, with one client port, as tcpdump would print them today. */
const TRACE = [
  'IP6 fd77::2.59791 > fd77::1.53: 4711+ AAAA? krishna1.example.com. (38)',
  'IP6 fd77::1.53 > fd77::2.59791: 4711* 1/0/0 AAAA fd77::1 (66)',
  'IP6 fd77::2.38242 > fd77::1.9999: Flags [S], seq 2735, win 64800, options [mss 1440], length 0',
  'IP6 fd77::1.9999 > fd77::2.38242: Flags [S.], seq 99, ack 2736, win 64260, options [mss 1440], length 0',
  'IP6 fd77::2.38242 > fd77::1.9999: Flags [.], ack 1, win 507, length 0',
  'IP6 fd77::2.38242 > fd77::1.9999: Flags [P.], seq 1:37, ack 1, win 507, length 36',
  'IP6 fd77::1.9999 > fd77::2.38242: Flags [.], ack 37, win 502, length 0',
  'IP6 fd77::1.9999 > fd77::2.38242: Flags [P.], seq 1:37, ack 37, win 502, length 36',
  'IP6 fd77::1.9999 > fd77::2.38242: Flags [F.], seq 37, ack 37, win 502, length 0',
  'IP6 fd77::2.38242 > fd77::1.9999: Flags [.], ack 38, win 507, length 0',
  'IP6 fd77::2.38242 > fd77::1.9999: Flags [F.], seq 37, ack 38, win 507, length 0',
  'IP6 fd77::1.9999 > fd77::2.38242: Flags [.], ack 38, win 502, length 0',
];
const packetsOf = (lines: readonly string[]): Packet[] =>
  lines.map(parsePacket).filter((packet) => packet !== undefined);

test('the recorded trace passes, and each thing missing from it is noticed', () => {
  assertConversation(packetsOf(TRACE));
  assert.deepEqual(answersTo(packetsOf(TRACE), 'AAAA', 'krishna1.example.com'), ['AAAA fd77::1']);
  assert.equal(answersTo(packetsOf(TRACE), 'A', 'krishna1.example.com'), undefined);
  for (const essential of [2, 3, 5, 7, 8, 10, 11]) {
    assert.throws(() => assertConversation(packetsOf(TRACE.toSpliced(essential, 1))), `without line ${essential}`);
  }
  const reset = TRACE.with(8, 'IP6 fd77::1.9999 > fd77::2.38242: Flags [R.], seq 37, ack 37, win 502, length 0');
  assert.throws(() => assertConversation(packetsOf(reset)));
});
