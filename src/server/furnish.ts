// The doors of a server, and the front that shows connections to them.

import { Guesses } from '../core/guesses.ts';
import type { LocalRunner } from '../core/ports.ts';
import type { Rate } from '../core/rate.ts';
import type { RunPolicy } from '../core/run/policy.ts';
import type { Door } from '../doors/door.ts';
import { EchoDoor } from '../doors/echo/door.ts';
import { HttpDoor } from '../doors/http/door.ts';
import { LineDoor } from '../doors/line/door.ts';
import { NativeDoor } from '../doors/native/door.ts';
import type { House as NativeHouse } from '../doors/native/house.ts';
import { Front, type Arrival, type Wanted } from '../net/front.ts';
import type { OwnerToken } from '../net/owner.ts';
import type { TlsServer } from '../net/tls-server.ts';
import { ScryptPasswords } from '../secrets/password.ts';
import type { Core } from './core.ts';
import type { ServerOptions } from './options.ts';

/** Lines of a sender from beyond loopback: a person pasting a page passes, a flood is read more slowly. */
const LINE_RATE: Rate = { perSecond: 50, burst: 500 };
/** After the greeting a silent connection is looked at for this long before it counts as a person's. */
const SILENCE_MS = 60_000;

interface Furniture {
  readonly token: OwnerToken;
  readonly tls: TlsServer;
  readonly runner: LocalRunner;
  readonly policy: RunPolicy;
  readonly now: () => number;
  readonly core: Core;
  readonly listening: NativeHouse['listening'];
}

export function furnish(
  options: ServerOptions,
  { token, tls, runner, policy, now, core, listening }: Furniture,
): { doors: Door[]; front: Front } {
  const { name: serverName, log } = options;
  const clock = () => performance.now();
  const startedMs = clock();
  const { hub, accounts, approvals, journal, journalId, hosts, records, detachments } = core;
  const passwords = new ScryptPasswords();
  const guesses = new Guesses();
  const line = new LineDoor({
    hub,
    accounts,
    hosts,
    journal,
    records,
    passwords,
    guesses,
    owner: token,
    runner,
    policy,
    approvals,
    log,
    now,
    clock,
    rate: LINE_RATE,
  });
  const native = new NativeDoor({
    hub,
    accounts,
    hosts,
    journal,
    journalId,
    records,
    detachments,
    passwords,
    guesses,
    token,
    fingerprint: () => tls.fingerprint,
    runner,
    policy,
    approvals,
    log,
    listening,
    now,
    clock,
    rate: LINE_RATE,
  });
  const http = new HttpDoor({
    serverName,
    health: () => {
      const { health } = journal;
      const uptimeSeconds = Math.floor((clock() - startedMs) / 1000);
      const isWell = health.state === 'ok';
      const status = isWell ? 'ok' : 'failing';
      return {
        isWell,
        facts: { status, name: serverName, uptimeSeconds, ...(isWell ? {} : { journal: health.reason }) },
      };
    },
    hostNames: options.listen.map(({ host }) => host),
    onUpgrade: (upgrade) => void native.upgrade(upgrade),
  });
  const echo = new EchoDoor({ mode: 'named', serverName, log });
  const plainEcho = new EchoDoor({ mode: 'plain', serverName, log });
  const accept = (wanted: Wanted, { socket, peer, first }: Arrival): void => {
    switch (wanted) {
      case 'line':
        return line.accept(socket, peer, first);
      case 'native':
        return native.accept(socket, peer, first);
      case 'http':
        return http.accept(socket, peer, first);
      case 'echo':
        return echo.accept(socket, peer, first);
      case 'plain-echo':
        return plainEcho.accept(socket, peer, first);
    }
  };
  const front = new Front({ accept, greet: (socket) => line.greet(socket), tls, log, clock, silenceMs: SILENCE_MS });
  return { doors: [line, native, http, echo, plainEcho], front };
}
