// A native door in a house of a test's own: a hub on a journal in memory, a runner that does what the test says, and
// listeners on one loopback, for sockets and for WebSockets; and for lines, since what is counted is counted for all doors.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { Accounts } from '../../src/core/accounts.ts';
import type { Passwords } from '../../src/core/credentials.ts';
import { Guesses } from '../../src/core/guesses.ts';
import { Hosts } from '../../src/core/hosts.ts';
import { Hub } from '../../src/core/hub.ts';
import { Detachments } from '../../src/core/run/detachments.ts';
import { Approvals } from '../../src/core/run/approvals.ts';
import { NO_POLICY, type Policy } from '../../src/core/run/policy.ts';
import type { Rate } from '../../src/core/rate.ts';
import { Records } from '../../src/core/run/records.ts';
import type { Member, Role } from '../../src/core/session.ts';
import { DetachedRuns } from '../../src/detached/detached-runs.ts';
import { HttpDoor } from '../../src/doors/http/door.ts';
import { LineDoor } from '../../src/doors/line/door.ts';
import { NativeDoor } from '../../src/doors/native/door.ts';
import { acceptInvitation, newToken } from '../../src/doors/native/promises.ts';
import { MemoryJournal } from '../../src/journal/memory.ts';
import type { ConsoleEvent } from '../../src/log/log.ts';
import { peerOf, type Peer } from '../../src/net/peer.ts';
import { hashSecret, newCode, newDetachKey, newToken as newSecret } from '../../src/secrets/code.ts';
import { newDigest, sha256 } from '../../src/secrets/digest.ts';
import { removeDirectory } from './directory.ts';
import { recordUnapproved } from '../../src/doors/shared/asking.ts';
import { announceApproval } from '../../src/doors/shared/words-approval.ts';
import { Caller as LineCaller } from './caller.ts';
import { Caller, FakeRunner, PATIENCE_MS, TOKEN } from './native.ts';
import { Talker, type Over } from './talker.ts';

/** Passwords that cost nothing. */
const PASSWORDS: Passwords = {
  hash: (password) => Promise.resolve({ stored: `hash of ${password}` }),
  verify: (text, stored) => Promise.resolve(stored === `hash of ${text}` ? 'right' : 'wrong'),
  needsRehash: () => false,
};

export interface NativeHouseOptions {
  readonly roleTimeoutMs?: number;
  readonly receiptWaitMs?: number;
  readonly isLoopback?: boolean;
  readonly isEncrypted?: boolean;
  readonly isOpen?: boolean;
  readonly rate?: Rate;
  readonly policy?: Policy;
  readonly isServerOpen?: boolean;
  readonly clock?: () => number;
}

export async function aNativeHouse(host: string, options: NativeHouseOptions = {}) {
  const { roleTimeoutMs = PATIENCE_MS, receiptWaitMs = PATIENCE_MS, isLoopback = true, isEncrypted = false } = options;
  const { clock = () => performance.now(), isOpen = false } = options;
  const runner = new FakeRunner();
  const told: ConsoleEvent[] = [];
  const warned: string[] = [];
  const log = {
    tell: (event: ConsoleEvent) => void told.push(event),
    info() {},
    warn: (message: string) => void warned.push(message),
  };
  const journal = new MemoryJournal();
  const { everything } = journal;
  const { journalId } = everything;
  const hub = new Hub({ serverName: 'Server', ownerName: 'owner', journal, everything, clock, isOpen });
  let detachments: Detachments | undefined;
  const accounts = new Accounts({
    journal,
    hub,
    secrets: { newCode, newToken: newSecret, hash: hashSecret },
    onRevoked: (member) => detachments?.revoked(member),
  });
  const now = () => Date.parse('2026-01-02T03:04:05.678Z');
  await new Promise((done) => accounts.ensureOwner('owner', { nowMs: now(), done }));
  const records = new Records(
    { journal, newDigest, now, onUnwritten: (reason) => void warned.push(reason) },
    everything.runs,
  );
  const directory = join(tmpdir(), `partyline-test-${newDetachKey()}`);
  const detached = new DetachedRuns({
    runner,
    directory,
    onTrouble: (reason) => void warned.push(reason),
    atOnceMs: 1,
  });
  detachments = new Detachments(
    {
      journal,
      records,
      newKey: newDetachKey,
      runnerAt: () => detached,
      isRevoked: () => false,
      isOwn: () => true,
    },
    everything.runs,
  );
  const waits = { roleTimeoutMs, receiptWaitMs };
  const rate = options.rate === undefined ? {} : { rate: options.rate };
  const guesses = new Guesses();
  const approvals = new Approvals({
    hash: sha256,
    now,
    clock,
    start: everything.start,
    onEvent: (event) => {
      log.tell(announceApproval(event));
      recordUnapproved(event, records);
    },
  });
  const shared = {
    hub,
    accounts,
    hosts: new Hosts({ directory: hub.directory, journal }),
    journal,
    records,
    passwords: PASSWORDS,
    guesses,
    runner,
    policy: { current: options.policy ?? NO_POLICY, isServerOpen: options.isServerOpen ?? false },
    approvals,
    log,
    now,
    clock,
    ...rate,
  };
  const listening = () => ({ urls: ['tcp://127.0.0.1:7270', 'tcp://[::1]:7270'], names: [] });
  const house = {
    ...shared,
    journalId,
    detachments,
    token: TOKEN,
    listening,
    fingerprint: () => `sha256//${'A'.repeat(43)}=`,
  };
  const door = new NativeDoor({ ...house, ...waits });
  const line = new LineDoor({ ...shared, owner: TOKEN });
  const http = new HttpDoor({
    serverName: 'Server',
    health: () => ({ isWell: true, facts: {} }),
    hostNames: [],
    onUpgrade: (upgrade) => void door.upgrade(upgrade),
  });
  const openings: AsyncDisposable[] = [];
  const listen = async (accept: (socket: Socket, peer: Peer) => void) => {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
      socket.on('error', () => {});
      const peer = peerOf(socket);
      if (peer !== undefined) accept(socket, { ...peer, isLoopback, isEncrypted });
    }).listen(0, host);
    await once(server, 'listening');
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a TCP server that listens has such an address
    return { server, port: (server.address() as AddressInfo).port };
  };
  const none = new Uint8Array(0);
  const native = await listen((socket, peer) => door.accept(socket, peer, none));
  const web = await listen((socket, peer) => http.accept(socket, peer, none));
  const lines = await listen((socket, peer) => line.accept(socket, peer, none));

  return {
    runner,
    records,
    door,
    told,
    warned,
    hub,
    approvals,
    /** A test may replace what is in force, as a reload does. */
    policy: shared.policy,
    journal,
    native,
    web,
    async call() {
      const { port } = native;
      const socket = connect({ host, port, allowHalfOpen: true });
      await once(socket, 'connect');
      const caller = new Caller(socket, { address: host, port });
      openings.push({ [Symbol.asyncDispose]: async () => void socket.destroy() });
      return caller;
    },
    async talk(over: Over = 'TCP') {
      const talker = await Talker.connect(over, host, over === 'TCP' ? native.port : web.port);
      openings.push(talker);
      return talker;
    },
    /** Somebody at `nc`, nameless yet. */
    async nc() {
      const caller = await LineCaller.connect(host, lines.port);
      openings.push(caller);
      return caller;
    },
    /** A guest who has come in and subscribed. */
    async guest(name: string, over: Over = 'TCP') {
      const talker = await this.talk(over);
      assert.deepEqual(await talker.ask('login.guest', { name }), { name, role: 'guest' });
      await talker.ask('chat.subscribe');
      await talker.until('chat.live');
      return talker;
    },
    /** An account with a token and the password `password of NAME`. */
    async account(name: string, role: Exclude<Role, 'guest' | 'owner'> = 'member'): Promise<{ token: string }> {
      const owner = hub.directory.owner() ?? assert.fail();
      const outlet = { broadcast() {} };
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- nobody speaks to a visit that only invites
      const listener = {} as never;
      const by = hub.visit(owner, { listener, outlet, isLoopback, family: 'ipv4', atMs: now() });
      const code = await new Promise<string>((resolve) => {
        accounts.invite(
          by,
          { name, role },
          {
            nowMs: now(),
            done: (answer) => resolve('refused' in answer ? assert.fail(answer.refused) : answer.code),
          },
        );
      });
      const bearer = accounts.bearerOf(code, now());
      assert.ok(bearer?.kind === 'invited');
      const inHouse = { ...house, ...waits };
      const member = await acceptInvitation(inHouse, bearer.invite, { password: `hash of password of ${name}` });
      assert.ok(!('refused' in member));
      const made = await newToken(inHouse, member satisfies Member, 'test');
      return 'refused' in made ? assert.fail(made.refused) : made;
    },
    async [Symbol.asyncDispose]() {
      for (const opening of openings) await opening[Symbol.asyncDispose]();
      for (const { server } of [native, web, lines]) server.close();
      await Promise.all([door, http, line].map((one) => one.close(AbortSignal.abort())));
      await removeDirectory(directory);
    },
  };
}
