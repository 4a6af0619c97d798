// The owner's proof: each side shows that it knows the token, the server first.

import { newNonce, type Proven } from '../../../net/owner.ts';
import { ownerChallenge, ownerProve, ownerTicket } from '../../../protocol/native/methods/owner.ts';
import { entry, sessionOf, type Asker, type Entries, type Nonces } from '../entry.ts';
import { no, roleOf } from '../translate.ts';

export const OWNER: Entries<'owner.challenge' | 'owner.prove' | 'owner.ticket'> = {
  'owner.challenge': entry(ownerChallenge, {
    needs: 'nobody',
    summary: 'Asks the server to prove that it knows the owner token, and for a nonce to prove the same with',
    answer: challenge,
  }),
  'owner.prove': entry(ownerProve, {
    needs: 'nobody',
    summary: 'Proves that the owner asks: the connection is the owner’s account from then on',
    answer: prove,
  }),
  'owner.ticket': entry(ownerTicket, {
    needs: 'owner',
    summary: 'Gives what brings the owner in once more from this machine, by the line protocol, within seconds',
    answer: giveTicket,
  }),
};

/** The server proves first: a client that was led to somebody else stops here, having told nothing. */
function challenge(asker: Asker, { nonce }: { nonce: string }) {
  if (!asker.peer.isLoopback) return notLoopback();
  const nonces = { clientNonce: nonce, serverNonce: newNonce() };
  asker.challenge = nonces;
  const proof = asker.house.token.prove(proven(asker, 'server', nonces));
  return { result: { nonce: nonces.serverNonce, proof } };
}

/** One attempt for each challenge. */
function prove(asker: Asker, { proof }: { proof: string }) {
  const { house, peer } = asker;
  if (!peer.isLoopback) return notLoopback();
  if (asker.role !== 'nobody') return no('already-logged-in', 'Cannot log in: this connection has done so already');
  const nonces = asker.challenge;
  asker.challenge = undefined;
  if (nonces === undefined) return no('no-challenge', 'Cannot check the proof: owner.challenge comes first');
  const owner = house.hub.directory.owner();
  if (owner === undefined || !house.token.verify(proof, proven(asker, 'client', nonces))) {
    house.log.warn('wrong owner proof', { address: peer.address, port: peer.port });
    return no('wrong-proof', 'Cannot take this connection for the owner: the proof is wrong');
  }
  asker.ear.visit(owner);
  asker.comeIn();
  return { result: { name: owner.name, role: roleOf(owner) } };
}

/** Whoever came in by a token goes when that is removed, and gets nothing that would outlive it. */
function giveTicket(asker: Asker) {
  if (!asker.peer.isLoopback) return notLoopback();
  const { member, token } = sessionOf(asker);
  if (token !== undefined) return no('not-allowed', 'Cannot make a ticket of the owner: it takes the owner’s proof');
  return { result: { name: member.name, ticket: asker.house.token.newTicket(asker.house.clock()) } };
}

function proven({ peer }: Asker, by: Proven['by'], nonces: Nonces): Proven {
  return { by, ...nonces, address: peer.localAddress, port: peer.localPort };
}

function notLoopback() {
  return no('not-loopback', 'Cannot take this connection for the owner: the token counts from loopback only');
}
