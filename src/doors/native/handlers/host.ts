// Machines: how one joins and comes back, which there are, and which a target means.

import type { Manner } from '../../../core/run/grant.ts';
import type { HostState } from '../../../core/hosts.ts';
import type { Member } from '../../../core/session.ts';
import { countedAs } from '../../../net/limits.ts';
import { keptOfKey, verifyMachine } from '../../../net/machine.ts';
import { newNonce } from '../../../net/owner.ts';
import {
  hostChallenge,
  hostJoin,
  hostList,
  hostProve,
  hostResolve,
  whyNoLabels,
} from '../../../protocol/native/methods/host.ts';
import { entry, type Asker, type Entries } from '../entry.ts';
import type { WireCommand } from '../../../protocol/native/methods/run.ts';
import { lookUpFor, refusedRun } from './run.ts';
import { pageOf } from '../page.ts';
import { acceptInvitation } from '../promises.ts';
import { accountError, no } from '../translate.ts';
import { refusalOfSecrets, wrongSecret } from './login.ts';

export const HOST: Entries<'host.join' | 'host.challenge' | 'host.prove' | 'host.list' | 'host.resolve'> = {
  'host.join': entry(hostJoin, {
    needs: 'nobody',
    summary: 'Gives a machine the name that it was invited under; its key counts for it from then on',
    holds: true,
    answer: join,
  }),
  'host.challenge': entry(hostChallenge, {
    needs: 'nobody',
    summary: 'Asks for a nonce for a machine to sign',
    answer: challenge,
  }),
  'host.prove': entry(hostProve, {
    needs: 'nobody',
    summary: 'Shows that a machine holds the key it joined with: the connection is the machine’s from then on',
    answer: prove,
  }),
  'host.list': entry(hostList, {
    needs: 'member',
    summary: 'The machines that have joined, connected or not',
    answer: list,
  }),
  'host.resolve': entry(hostResolve, {
    needs: 'member',
    summary: 'Which machines a target means, for whoever may run something there',
    answer: resolve,
  }),
};

async function join(asker: Asker, { code, key }: { code: string; key: string }) {
  const { accounts, now } = asker.house;
  const refused = refusalOfSecrets(asker);
  if (refused !== undefined) return { error: refused };
  const bearer = accounts.bearerOf(code, now());
  if (bearer?.kind !== 'invited') {
    return wrongSecret(asker, 'Cannot join: the code is not valid any more, or never was', 'wrong code');
  }
  const member = await acceptInvitation(asker.house, bearer.invite, { key: keptOfKey(key) });
  return 'refused' in member ? { error: accountError(member, 'Cannot join') } : { result: { name: member.name } };
}

function challenge(asker: Asker, { nonce }: { nonce: string }) {
  const refused = refusalOfSecrets(asker);
  if (refused !== undefined) return { error: refused };
  const nonces = { clientNonce: nonce, serverNonce: newNonce() };
  asker.challenge = nonces;
  return { result: { nonce: nonces.serverNonce, fingerprint: asker.house.fingerprint() } };
}

/** One attempt for each challenge. */
function prove(
  asker: Asker,
  { key, proof, labels }: { key: string; proof: string; labels: ReadonlyMap<string, string> },
) {
  const { peer, house } = asker;
  const refused = refusalOfSecrets(asker);
  if (refused !== undefined) return { error: refused };
  const wrong = whyNoLabels(labels);
  if (wrong !== undefined) return no('bad-params', `Cannot join: ${wrong}`);
  const nonces = asker.challenge;
  asker.challenge = undefined;
  if (nonces === undefined) return no('no-challenge', 'Cannot check the proof: host.challenge comes first');
  const server = peer.isEncrypted ? undefined : { address: peer.localAddress, port: peer.localPort };
  const member = verifyMachine(key, proof, { ...nonces, server }) ? machineOf(asker, key) : undefined;
  if (member === undefined) {
    return wrongSecret(
      asker,
      'Cannot join: no machine has joined with this key, or it was revoked; partyline invite NAME --as host makes a code, for --code',
      'wrong machine',
    );
  }
  house.guesses.cameIn({ name: member.key, from: countedAs(peer) });
  const begin = asker.becomeMachine(member, labels);
  if (begin === undefined) return no('closing', 'Cannot join: the connection is closing');
  return { result: { name: member.name }, after: begin };
}

function machineOf({ house: { hub } }: Asker, key: string): Member | undefined {
  const member = hub.directory.bearerOf(keptOfKey(key))?.member;
  return member?.account?.kind === 'host' && member.account.revokedAtMs === undefined ? member : undefined;
}

function list({ house }: Asker, { after }: { after?: string }) {
  const all = Array.from(house.hosts.all(), (host) => {
    const { member, machine, labels, seenAtMs } = host;
    const { rttMs } = machine ?? {};
    const item = {
      name: member.name,
      state: stateOf(host),
      family: machine?.family ?? null,
      rttMs: rttMs === undefined ? null : Math.round(rttMs * 1_000) / 1_000,
      labels: Object.fromEntries(labels),
      lastSeen: seenAtMs === undefined ? null : new Date(seenAtMs).toISOString(),
    };
    return { key: member.key, item };
  });
  const { items: hosts, ...next } = pageOf(all, after);
  return { result: { hosts, ...next } };
}

interface Meant extends Manner {
  readonly targets: string;
  readonly command?: WireCommand;
  readonly dryRun?: boolean;
}

function resolve(asker: Asker, { targets, command, cwd, hasTerminal = false, dryRun: isLook = false }: Meant) {
  const wanted = { command, setting: { cwd, env: [], hasTerminal } };
  const looked = lookUpFor(asker, targets, { ...wanted, isLook });
  const isNeeded = 'refused' in looked && looked.refused === 'needs-approval';
  const found = isNeeded ? looked.places : looked;
  if ('refused' in found) return refusedRun(asker, found, wanted);
  const hosts = found.places.map(
    ({ name, runner }) => ({ name, state: runner === undefined ? 'offline' : 'online' }) as const,
  );
  return { result: { hosts, isOneName: found.isOneName, ...(isNeeded ? { needsApproval: true } : {}) } };
}

function stateOf({ machine }: HostState): 'online' | 'offline' {
  return machine === undefined ? 'offline' : 'online';
}
