import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ADDRESS,
  OURS,
  aProbe,
  failing,
  families,
  good,
  nameless,
  rounds,
  speechless,
  swept,
  unreached,
  type Given,
} from '../../test/kit/probe-facts.ts';
import type { AddressFamily, Attempt } from '../net/race.ts';
import type { AddressFacts, FamilyFacts, Rounds, Sweep } from './probe/facts.ts';
import { findingsOf, isWorking } from './verdict.ts';
import { sentenceOf } from './verdict/words.ts';

const verdict = (given: Given): string[] => {
  const facts = aProbe(given);
  return findingsOf(facts).map((finding) => sentenceOf(finding, facts));
};
/** What is said beside the usual of two families that work alike. */
const aside = (given: Given): string[] =>
  verdict({ v4: good(4), v6: good(6), ...given }).filter(
    (said) => said !== 'hub.example works over IPv4 and IPv6' && said !== 'both are equally fast',
  );
/** What is said of an IPv6 that does not work, where IPv4 does. */
const broken = (v6: FamilyFacts, given: Given = {}): string => {
  const [headline, trouble = '', ...more] = verdict({ v4: good(4), v6, ...given });
  assert.deepEqual([headline, more], ['hub.example works over IPv4 only', []]);
  assert.deepEqual(
    families.filter((family) => isWorking(family, aProbe({ v4: good(4), v6, ...given }))),
    [4],
  );
  return trouble;
};

test('where all is well there is little to say', () => {
  assert.deepEqual(verdict({ v4: good(4), v6: good(6) }), [
    'hub.example works over IPv4 and IPv6',
    'both are equally fast',
  ]);
  assert.deepEqual(verdict({ v6: good(6) }), ['hub.example works over IPv6']);
});

test('the faster family is told by the medians, where the difference can be felt', () => {
  const at = (ms: number) => good(6, { linked: { rounds: rounds({ times: [ms, ms, ms] }) } });
  assert.deepEqual(verdict({ v4: good(4), v6: at(20.9) })[1], 'both are equally fast');
  assert.deepEqual(verdict({ v4: good(4), v6: at(31.5) })[1], 'IPv4 is 11.5 ms faster');
  assert.deepEqual(verdict({ v4: good(4), v6: at(8) })[1], 'IPv6 is 12.0 ms faster');
});

test('a name that is missing is told from a family that is, and from a name service that does not answer', () => {
  const unknown = nameless('unknown', 'name does not resolve');
  assert.deepEqual(verdict({ v4: unknown, v6: unknown }), [
    'hub.example does not resolve: no such name, or it has no address',
  ]);
  assert.equal(broken(nameless('none', 'hub.example has no IPv6 address')), 'hub.example has no IPv6 address');
  assert.equal(
    broken(nameless('unanswered', 'the name service does not answer')),
    'IPv6 addresses of hub.example cannot be looked up: the name service does not answer',
  );
});

test('why a family does not connect says where the trouble is: there, on the way, or here', () => {
  assert.equal(
    broken(unreached(6, 'refused', 'connection refused')),
    'IPv6 resolves and the host answers, but nothing listens on port 7270 there (2001:db8::1: connection refused)',
  );
  assert.equal(
    broken(unreached(6, 'silent', 'no answer within 10 s')),
    'IPv6 resolves, but nobody answers: packets are dropped on the way or by a firewall (2001:db8::1: no answer within 10 s)',
  );
  assert.equal(
    broken(unreached(6, 'no-route', 'network unreachable')),
    'IPv6 resolves, but no way leads there (2001:db8::1: network unreachable)',
  );
  assert.equal(
    broken(unreached(6, 'no-route', 'network unreachable', false)),
    'IPv6 resolves, but this machine has no IPv6 address of its own to reach it from',
  );
  assert.equal(
    broken(unreached(6, 'other', 'not permitted')),
    'IPv6 resolves, but does not connect (2001:db8::1: not permitted)',
  );
  const different = [
    failing(6, 'refused', 'connection refused'),
    { ...failing(6, 'silent', 'timed out'), address: '::2' },
  ];
  assert.equal(
    broken(good(6, { addresses: different, link: undefined })),
    'IPv6 resolves, but does not connect (2001:db8::1: connection refused; ::2: timed out)',
  );
});

test('of a literal address nobody says that it resolves', () => {
  const said = (v6: FamilyFacts) => verdict({ host: '2001:db8::1', v6 })[1];
  assert.match(
    said(unreached(6, 'refused', 'connection refused')) ?? '',
    /^IPv6: the host answers, but nothing listens/,
  );
  assert.match(said(unreached(6, 'silent', 'timed out')) ?? '', /^IPv6: nobody answers: packets are dropped/);
  const hole = good(6, { linked: { sweep: swept(1_208, { bytes: 1_209, came: 'late' }) } });
  assert.match(said(hole) ?? '', /^IPv6 connects, but nothing larger than 1,208 bytes comes back/);
});

test('where neither family connects, the host does not answer, or takes no connections if an address refuses', () => {
  assert.deepEqual(
    verdict({
      v4: unreached(4, 'refused', 'connection refused'),
      v6: unreached(6, 'refused', 'connection refused'),
    })[0],
    'hub.example takes no connections on port 7270',
  );
  const silent = { v4: unreached(4, 'silent', 'timed out'), v6: unreached(6, 'silent', 'timed out') };
  assert.equal(verdict(silent)[0], 'hub.example does not answer');
  assert.equal(
    verdict({ ...silent, v6: unreached(6, 'refused', 'connection refused') })[0],
    'hub.example takes no connections on port 7270',
  );
});

test('where there is no address of what was asked for, nothing was tried', () => {
  const none = nameless('none', 'hub.example has no IPv6 address');
  assert.deepEqual(verdict({ v6: none }), ['hub.example was not tried over IPv6', 'hub.example has no IPv6 address']);
});

test('what says nothing at all in plain text may take TLS alone, which is said once', () => {
  const mute = (family: AddressFamily): FamilyFacts => {
    const failed = {
      at: 'echo',
      kind: 'other',
      why: 'it closed the connection without an answer',
      isMute: true,
    } as const;
    return { ...speechless(family, 'echo', ''), addresses: [{ address: ADDRESS[family], connectMs: 20, failed }] };
  };
  const both = { v4: mute(4), v6: mute(6) };
  const hint = 'if that port takes TLS alone it is tls://hub.example:7270';
  assert.deepEqual(verdict(both).slice(3), [hint]);
  assert.ok(!verdict({ v4: speechless(4, 'echo', 'it answered "x"') }).includes(hint));
});

test('something that connects and is no echo is told from nothing', () => {
  assert.deepEqual(verdict({ v4: speechless(4, 'echo', 'it answered "SSH-2.0-x"'), v6: speechless(6, 'tls', 'x') }), [
    'hub.example connects over IPv4 and IPv6, but does not work',
    'IPv4 connects, but nobody there speaks ECHO: it answered "SSH-2.0-x"',
    'IPv6 connects, but TLS does not come about: x',
  ]);
  const silent: AddressFacts = {
    address: ADDRESS[6],
    connectMs: 20,
    failed: { at: 'tls', kind: 'silent', why: 'it made no TLS handshake within 10 s; nothing was sent' },
  };
  assert.match(
    broken(good(6, { addresses: [silent], link: undefined })),
    /it made no TLS handshake within 10 s; nothing was sent; so it is where large packets get lost, which without TLS/,
  );
  const none = rounds({ times: [undefined, undefined, undefined] });
  assert.equal(
    broken(good(6, { linked: { rounds: none, sweep: undefined } })),
    'IPv6 connects, but no echo comes back',
  );
  assert.equal(
    broken(good(6, { linked: { rounds: { ...none, ended: 'reset' }, sweep: undefined } })),
    'IPv6 connects, but no echo comes back: the connection is reset',
  );
});

test('with --connect a connection is enough', () => {
  const connects = (family: AddressFamily) => good(family, { link: undefined });
  assert.deepEqual(verdict({ wants: 'connect', v4: connects(4), v6: connects(6) }), [
    'hub.example port 7270 connects over IPv4 and IPv6; nothing was sent',
    'both are equally fast',
  ]);
  assert.deepEqual(
    verdict({ wants: 'connect', v4: connects(4), v6: unreached(6, 'refused', 'connection refused') })[0],
    'hub.example port 7270 connects over IPv4 only; nothing was sent',
  );
});

test('a path-MTU black hole is named, with the packet that still passes and the way on which larger ones are lost', () => {
  const hole = (more: Partial<Sweep> = {}, fails = 1_209) =>
    good(6, { linked: { sweep: swept(1_208, { bytes: fails, came: 'late', received: 0 }, more) } });
  const said =
    'IPv6 resolves and connects, but nothing larger than 1,208 bytes comes back: path-MTU black hole on IPv6';
  assert.equal(broken(hole()), `${said} (a packet of 1,280 bytes passes, a larger one is lost without a word)`);
  assert.equal(
    broken(hole({ lostOn: 'way-back' })),
    `${said} (a packet of 1,280 bytes passes, a larger one is lost without a word, on the way back)`,
  );
  assert.equal(
    broken(hole({ lostOn: 'way-there' }, 1_280)),
    `${said} (on the way there)`,
    'the border is not known to the byte',
  );
  assert.match(broken(hole(), { isTls: true }), /a packet of 1,302 bytes passes/);
  const [, finding] = findingsOf(aProbe({ v4: good(4), v6: hole({ lostOn: 'way-back' }) }));
  assert.deepEqual(finding, {
    code: 'black-hole',
    family: 6,
    passesBytes: 1_208,
    failsBytes: 1_209,
    packetBytes: 1_280,
    lostOn: 'way-back',
  });
  const v4 = good(4, { linked: { sweep: swept(1_348, { bytes: 1_349, came: 'late', received: 0 }) } });
  assert.match(
    verdict({ v4, v6: good(6) })[1] ?? '',
    /nothing larger than 1,348 bytes comes back: path-MTU black hole on IPv4 \(a packet of 1,400/,
  );
});

test('a black hole is found where even the rounds were too large for it', () => {
  const linked = {
    rounds: rounds({ times: [undefined, undefined, undefined], sizeBytes: 4_096 }),
    sweep: swept(1_208, { bytes: 1_209, came: 'late' }),
  };
  assert.match(broken(good(6, { linked })), /path-MTU black hole on IPv6/);
});

test('large echoes that fail in another way are no black hole', () => {
  const failing = (fails: Sweep['fails'], more: Partial<Sweep> = {}) =>
    broken(good(6, { linked: { sweep: swept(1_280, fails, more) } }));
  const nothing = 'IPv6 resolves and connects, but nothing larger than 1,280 bytes comes back whole';
  assert.equal(failing({ bytes: 1_281, came: 'late', received: 0 }, { comesInPieces: false }), nothing);
  assert.equal(failing({ bytes: 4_096, came: 'late', received: 1_024 }), `${nothing}, of 4,096 bytes only 1,024`);
  assert.equal(
    failing({ bytes: 1_400, came: 'reset' }),
    'IPv6 echoes 1,280 bytes; at 1,400 bytes the connection is reset',
  );
  assert.equal(
    failing({ bytes: 1_400, came: 'closed' }),
    'IPv6 echoes 1,280 bytes; at 1,400 bytes the other end closes',
  );
  const rewritten = 'IPv6 connects, but the bytes come back changed: somebody on the way or at the end rewrites them';
  assert.equal(failing({ bytes: 256, came: 'changed' }), rewritten);
  assert.equal(broken(good(6, { linked: { rounds: rounds({ times: [1, undefined], changed: 1 }) } })), rewritten);
});

test('losses are told: whole ones, those that TCP hides, and a connection that breaks', () => {
  const v4 = (given: Partial<Rounds>) => good(4, { linked: { rounds: rounds(given) } });
  assert.deepEqual(aside({ v4: v4({ times: [20, undefined, 20] }) }), ['IPv4 lost 1 of 3 echoes']);
  assert.deepEqual(aside({ v4: v4({ times: [20, 251.5, 20] }) }), [
    '1 of 3 echoes over IPv4 took up to 231.5 ms longer than usual, as when a packet is lost and sent again',
  ]);
  assert.deepEqual(aside({ v4: v4({ times: [20, 219, 20] }) }), []);
  assert.deepEqual(aside({ v4: v4({ times: [20, undefined, undefined], ended: 'reset' }) }), [
    'over IPv4 the connection is reset after 1 of 3 echoes',
  ]);
});

test('an address of several that cannot be used is told', () => {
  const addresses = [
    { address: ADDRESS[6], connectMs: 20 },
    { ...failing(6, 'refused', 'connection refused'), address: '2001:db8::2' },
  ];
  assert.deepEqual(aside({ v6: good(6, { addresses }) }), [
    '1 of 2 IPv6 addresses cannot be used (2001:db8::2: connection refused)',
  ]);
});

test('a record that comes late, and what the race costs, are told', () => {
  const named = (family: AddressFamily, tookMs: number) =>
    good(family, { name: { tookMs, addresses: [ADDRESS[family]] } });
  assert.deepEqual(aside({ v4: named(4, 10), v6: named(6, 130) }), ['AAAA records come 120.0 ms later than A records']);
  assert.deepEqual(aside({ v4: named(4, 130), v6: named(6, 10) }), ['A records come 120.0 ms later than AAAA records']);
  assert.deepEqual(aside({ v4: named(4, 10), v6: named(6, 59) }), []);
  const unanswered = nameless('unanswered', 'no answer within 10 s');
  const v6 = { ...unanswered, name: { ...unanswered.name, tookMs: 10_000 } };
  assert.equal(broken(v6), 'IPv6 addresses of hub.example cannot be looked up: no answer within 10 s');
  const attempt = (family: AddressFamily, startedAtMs: number, outcome: Attempt['outcome']): Attempt => ({
    address: ADDRESS[family],
    family,
    startedAtMs,
    endedAtMs: 280,
    ...(outcome === 'connected' ? { outcome } : { outcome, reason: 'another address was faster', kind: 'other' }),
  });
  const race = [attempt(6, 0, 'cancelled'), attempt(4, 250.4, 'connected')];
  assert.deepEqual(aside({ race, winner: 4 }), [
    'every new connection loses 250.4 ms to IPv6, which is tried first, before IPv4 wins',
  ]);
  assert.deepEqual(aside({ race: [attempt(6, 0, 'failed'), attempt(4, 3, 'connected')], winner: 4 }), []);
  assert.deepEqual(aside({ race: [attempt(6, 0, 'cancelled'), attempt(6, 250, 'connected')], winner: 6 }), [
    'every new connection loses 250.0 ms to addresses that do not answer at once',
  ]);
});

test('an end that does not answer to our FIN is told', () => {
  for (const [ending, said] of [
    ['cuts', 'over IPv4 the other end owes an echo and ends when we have ended'],
    ['resets', 'over IPv4 the connection is reset when we have ended'],
    ['silent', 'over IPv4 nothing comes back any more when we have ended'],
    ['stays-open', 'over IPv4 the other end does not end when we have ended'],
  ] as const) {
    assert.deepEqual(aside({ v4: good(4, { linked: { ending } }) }), [said]);
  }
});

const seen = (address: string, port = 50_000) => ({
  server: { kind: 'partyline', name: 'Hub', seenAs: { address, port } } as const,
});

test('whose address the server sees otherwise is behind a NAT', () => {
  assert.deepEqual(aside({ v4: good(4, { linked: seen('203.0.113.7', 1_024) }) }), [
    'a NAT (or a proxy) is on the way over IPv4: 198.51.100.5 here is 203.0.113.7 there',
  ]);
  assert.deepEqual(aside({ v6: good(6, { linked: seen('2001:db8:ff::5') }) }), [
    'a NAT (or a proxy) is on the way over IPv6: 2001:db8:9::5 here is 2001:db8:ff::5 there',
  ]);
  assert.deepEqual(aside({ v4: good(4, { linked: seen(OURS[4], 1_024) }) }), [
    'a NAT changes the port over IPv4: 50000 here is 1024 there',
  ]);
  const linkLocal = { local: { address: 'fe80::5%eth0', port: 50_000 }, ...seen('fe80::5%en1') };
  assert.deepEqual(aside({ v6: good(6, { linked: linkLocal }) }), [], 'a zone is each machine’s own word');
  assert.deepEqual(aside({ v4: good(4, { linked: { server: { kind: 'plain' } } }) }), []);
  assert.deepEqual(aside({ v4: good(4, { linked: seen('nonsense') }) }), []);
});

test('IPv6 that arrives as IPv4 is NAT64, by the address or by what the server sees', () => {
  const address = '64:ff9b::c000:221';
  const addresses = [{ address, connectMs: 20, embeds: '192.0.2.33' }];
  const linked = { address, ...seen('203.0.113.9', 4_711) };
  assert.deepEqual(aside({ v6: good(6, { addresses, linked }) }), [
    'what looks like IPv6 goes through NAT64 and arrives as IPv4: 64:ff9b::c000:221 stands for 192.0.2.33; the server sees 203.0.113.9',
  ]);
  assert.deepEqual(aside({ v6: good(6, { addresses, linked: { address, server: { kind: 'plain' } } }) }), [
    'what looks like IPv6 goes through NAT64 and arrives as IPv4: 64:ff9b::c000:221 stands for 192.0.2.33',
  ]);
  assert.deepEqual(aside({ v6: good(6, { linked: seen('203.0.113.9') }) }), [
    'what looks like IPv6 goes through NAT64 and arrives as IPv4; the server sees 203.0.113.9',
  ]);
});

test('IPv4 that is translated here, or arrives as IPv6, is told', () => {
  const clat = { local: { address: '192.0.0.4', port: 50_000 } };
  assert.deepEqual(aside({ v4: good(4, { linked: { ...clat, server: { kind: 'plain' } } }) }), [
    'IPv4 of this machine is translated before it leaves (464XLAT or DS-Lite: 192.0.0.4)',
  ]);
  assert.deepEqual(aside({ v4: good(4, { linked: seen('64:ff9b::c633:6405') }) }), [
    'IPv4 arrives there as IPv6: the server sees 64:ff9b::c633:6405, which stands for 198.51.100.5',
  ]);
});
