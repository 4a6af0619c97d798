// `partyline echo --probe`: the measurement as one screen for a person, or as one JSON object for a program, and a status
// that says which family works.

import { isIP } from 'node:net';
import { join } from 'node:path';
import { probe } from '../../client/probe.ts';
import type { ProbeFacts } from '../../client/probe/facts.ts';
import type { Trust } from '../../client/trust.ts';
import { findingsOf, isWorking } from '../../client/verdict.ts';
import { KNOWN_SERVERS_FILE, KnownServers } from '../../config/known-servers.ts';
import { ProbeHistory } from '../../config/probe-history.ts';
import { stateDirectory } from '../../config/state.ts';
import { formatHostPort } from '../../net/address.ts';
import { normaliseAddress } from '../../net/peer.ts';
import type { AddressFamily } from '../../net/race.ts';
import { INTERRUPTED, watchInterruption } from '../kit/interruption.ts';
import { jsonLine } from '../kit/json-line.ts';
import { trustFor } from '../kit/trust.ts';
import type { EchoIo } from './io.ts';
import { Live } from './live.ts';
import { lookOf } from './look.ts';
import type { EchoArguments, ProbeArguments, WatchArguments } from './options.ts';
import { probeObject } from './probe-json.ts';
import { textReport } from './report.ts';
import { NONE_WORKS, statusFor } from './status.ts';
import type { Teller } from './tell.ts';

export async function runProbe(given: EchoArguments, how: ProbeArguments, io: EchoIo): Promise<number> {
  if (how.from !== undefined) {
    const { runFrom } = await import('./from.ts');
    return await runFrom(given, { ...how, from: how.from }, io);
  }
  if (how.watch !== undefined) return await runWatch(given, { ...how, watch: how.watch }, io);
  const facts = await measure(given, how, io);
  const findings = findingsOf(facts);
  const report = given.json
    ? jsonLine(probeObject(facts, findings, new Date()))
    : textReport(facts, findings, lookOf(io));
  await new Promise((written) => io.stdout.write(report, written));
  return statusOf(facts);
}

async function runWatch(
  given: EchoArguments,
  how: ProbeArguments & { watch: WatchArguments },
  io: EchoIo,
): Promise<number> {
  const { watchProbe } = await import('./watch.ts');
  const { tell, everyMs, host } = how.watch;
  const interruption = watchInterruption();
  const { signal } = interruption;
  const complain = (line: string): void => void io.stderr.write(`partyline echo: ${line}\n`);
  const teller = tell.length === 0 ? undefined : await tellerFor(tell, { host, complain });
  // A server that is slow to answer keeps nobody from watching, nor from ending it.
  void teller?.check();
  const last = await watchProbe({
    everyMs,
    measure: () => measure(given, how, io, signal),
    history: new ProbeHistory(stateDirectory(io.environment), formatHostPort(given.host.toLowerCase(), given.port)),
    teller,
    json: given.json,
    write: (text) => new Promise((written) => io.stdout.write(text, () => written())),
    complain,
    signal: AbortSignal.any([signal, closingOf(io)]),
  });
  interruption.stop();
  if (last !== undefined) return statusOf(last);
  return interruption.name === undefined ? NONE_WORKS : INTERRUPTED[interruption.name];
}

/** Nobody reads any more: `partyline echo … | head`. */
function closingOf({ stdout }: EchoIo): AbortSignal {
  const closed = new AbortController();
  const abort = () => closed.abort();
  stdout.once('error', abort).once('close', abort);
  return closed.signal;
}

async function tellerFor(
  names: readonly string[],
  { host, complain }: { host: string; complain: (line: string) => void },
): Promise<Teller> {
  const [{ connectWith }, { Teller }] = await Promise.all([import('../kit/come-in.ts'), import('./tell.ts')]);
  return new Teller({ names, connect: () => connectWith({ command: 'echo', host }), complain });
}

async function measure(
  given: EchoArguments,
  how: ProbeArguments,
  io: EchoIo,
  signal?: AbortSignal,
): Promise<ProbeFacts> {
  const { host, port, name } = given;
  const tls = given.isTls ? trustOf(how, io) : undefined;
  const live = lookOf(io).isLive && !given.json ? new Live(io.stdout, () => lookOf(io)) : undefined;
  const onAbort = () => live?.clear();
  signal?.addEventListener('abort', onAbort);
  try {
    return await probe({
      ...how,
      host,
      port,
      name,
      tls,
      families: familiesAskedFor(given),
      lookup: io.lookup,
      clock: io.clock,
      onStage: (stage) => live?.stage(stage),
      onEcho: (family, tookMs) => live?.echo(family, tookMs),
    });
  } finally {
    signal?.removeEventListener('abort', onAbort);
    live?.clear();
  }
}

/**
 * A machine is no place to remember a key for good that somebody asked about once, and may have none: there nobody is met,
 * and one that is known has to be the one that it was. Nothing is told to whoever answers but echoes.
 */
function trustOf({ isForOthers }: ProbeArguments, io: EchoIo): Trust {
  const trust = trustFor('echo', io);
  if (!isForOthers) return trust;
  const known = new KnownServers(join(stateDirectory(io.environment), KNOWN_SERVERS_FILE));
  return { ...trust, meet: (server, fingerprint) => known.recall(server, fingerprint) ?? { met: 'again' } };
}

/** Both, unless an option or a literal address says otherwise. */
export function familiesAskedFor({ host, family }: EchoArguments): AddressFamily[] {
  if (family !== undefined) return [family];
  const literal = isIP(normaliseAddress(host));
  return literal === 4 || literal === 6 ? [literal] : [4, 6];
}

export function statusOf(facts: ProbeFacts): number {
  const all = [...facts.families.keys()];
  return statusFor(
    all,
    all.filter((family) => isWorking(family, facts)),
  );
}
