// The race against RFC 8305, clause by clause, on a clock that stands still: what a sentence of the RFC asks for, and what
// the race does.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CONNECTION_ATTEMPT_DELAY_MS, interleave, Race, type Candidate, type RaceStep } from './race.ts';
import type { Failure } from './reason.ts';

const v4 = (last: number): Candidate => ({ address: `192.0.2.${last}`, family: 4 });
const v6 = (last: number): Candidate => ({ address: `2001:db8::${last}`, family: 6 });
const names = (candidates: readonly Candidate[]) => candidates.map((candidate) => candidate.address).join(' ');

const why = (words: string): Failure => ({ why: words, kind: 'other' });

/** What a step tells to do, in a word that a test can compare. */
function say(steps: RaceStep[]): string {
  return steps.map((step) => (step.do === 'lost' ? 'lost' : `${step.do} ${step.index}`)).join(', ');
}

/** As it is once the name is resolved, at 0: the first attempt is under way. */
function aRace(...candidates: Candidate[]): Race {
  const race = new Race();
  assert.equal(say(race.add(candidates, 0)), 'connect 0');
  assert.equal(say(race.close()), '');
  return race;
}

/** What it does by itself, each millisecond up to and with that one. */
function pass(race: Race, from: number, to: number): string {
  const said: string[] = [];
  for (let now = from; now <= to; now++) {
    const steps = say(race.tick(now));
    if (steps !== '') said.push(`${now}: ${steps}`);
  }
  return said.join('; ');
}

test('section 4: the order of destination address selection decides which family is first', () => {
  assert.equal(names(interleave([v6(1), v4(1)])), names([v6(1), v4(1)]));
  assert.equal(names(interleave([v4(1), v6(1)])), names([v4(1), v6(1)]));
});

test('section 4: and the order within each family', () => {
  assert.equal(names(interleave([v4(2), v4(1)])), names([v4(2), v4(1)]));
  assert.equal(names(interleave([v6(3), v4(2), v6(1), v4(9)])), names([v6(3), v4(2), v6(1), v4(9)]));
});

test('section 4: whichever family is first in the list is followed by an address of the other one', () => {
  assert.equal(names(interleave([v6(1), v6(2), v6(3), v4(1)])), names([v6(1), v4(1), v6(2), v6(3)]));
  assert.equal(names(interleave([v4(1), v4(2), v6(1), v6(2)])), names([v4(1), v6(1), v4(2), v6(2)]));
});

test('sections 4 and 8: First Address Family Count is 1', () => {
  const order = interleave([v6(1), v6(2), v6(3), v4(1), v4(2)]);
  assert.deepEqual(
    order.map(({ family }) => family),
    [6, 4, 6, 4, 6],
  );
});

test('an address that is found twice is tried once', () => {
  assert.equal(names(interleave([v6(1), v4(1), v6(1)])), names([v6(1), v4(1)]));
  assert.deepEqual(interleave([]), []);
});

test('section 5: attempts are not made simultaneously, but one address at a time', () => {
  const race = aRace(v6(1), v4(1), v6(2));
  assert.equal(pass(race, 0, 249), '');
});

test('section 5: the Connection Attempt Delay is 250 ms', () => {
  const race = aRace(v6(1), v4(1), v6(2), v4(2));
  assert.equal(race.nextStartAtMs, 250);
  assert.equal(pass(race, 0, 1_000), '250: connect 1; 500: connect 2; 750: connect 3');
  assert.equal(race.nextStartAtMs, undefined);
});

test('sections 5 and 8: it has a lower bound, 100 ms, and an upper one, 2 s', () => {
  assert.ok(CONNECTION_ATTEMPT_DELAY_MS >= 100 && CONNECTION_ATTEMPT_DELAY_MS <= 2_000);
});

test('section 5: it counts from when the previous attempt began, whenever that was', () => {
  const race = aRace(v6(1), v4(1), v6(2));
  assert.equal(say(race.tick(400)), 'connect 1');
  assert.equal(race.nextStartAtMs, 650);
});

test('section 5: starting an attempt does not affect previous ones; an earlier one may still succeed', () => {
  const race = aRace(v6(1), v4(1), v6(2), v4(2));
  assert.equal(pass(race, 0, 1_000), '250: connect 1; 500: connect 2; 750: connect 3');
  assert.equal(say(race.connected(0, 1_001)), 'won 0, cancel 1, cancel 2, cancel 3');
});

test('section 5: once one succeeds, all others that have not are cancelled', () => {
  const race = aRace(v6(1), v4(1), v6(2));
  race.tick(250);
  assert.equal(say(race.connected(1, 260)), 'won 1, cancel 0');
  assert.deepEqual(race.attempts, [
    {
      ...v6(1),
      startedAtMs: 0,
      endedAtMs: 260,
      outcome: 'cancelled',
      reason: 'another address was faster',
      kind: 'other',
    },
    { ...v4(1), startedAtMs: 250, endedAtMs: 260, outcome: 'connected' },
  ]);
});

test('section 5: and any address that was not attempted yet is ignored', () => {
  const race = aRace(v6(1), v4(1), v6(2));
  race.tick(250);
  race.connected(1, 260);
  assert.equal(race.nextStartAtMs, undefined);
  assert.equal(pass(race, 260, 2_000), '');
});

test('section 5: what comes late, a second success, a failure, an address, changes nothing', () => {
  const race = aRace(v6(1), v4(1));
  race.tick(250);
  race.connected(1, 255);
  const before = race.attempts;
  assert.equal(say(race.connected(0, 256)), '');
  assert.equal(say(race.failed(0, 257, why('connection refused'))), '');
  assert.equal(say(race.add([v6(2), v4(2)], 258)), '');
  assert.equal(say(race.stop(259, why('too late'))), '');
  assert.deepEqual(race.attempts, before);
});

// The RFC does not say what a failure does: its bound is for attempts that are under way. RFC 9623, of the same
// algorithm: whoever fails before the delay is over is followed at once.

test('an attempt that fails is followed by the next at once, and the delay counts from there', () => {
  const race = aRace(v6(1), v4(1), v6(2));
  assert.equal(say(race.failed(0, 3, why('connection refused'))), 'connect 1');
  assert.equal(race.nextStartAtMs, 253);
  assert.equal(pass(race, 4, 300), '253: connect 2');
});

test('the failure of an attempt before the last one does not hurry the next', () => {
  const race = aRace(v6(1), v4(1), v6(2));
  race.tick(250);
  assert.equal(say(race.failed(0, 300, why('connection refused'))), '');
  assert.equal(pass(race, 300, 600), '500: connect 2');
});

test('section 3: newly received addresses are taken into the list and the attempts go on with them', () => {
  const race = new Race();
  assert.equal(say(race.add([v4(1), v4(2), v4(3)], 60)), 'connect 0');
  // The whole answer, with what is known already. IPv4 is preferred, and had its turn.
  assert.equal(say(race.add([v4(1), v4(2), v4(3), v6(1), v6(2)], 90)), '');
  race.close();
  let said = '';
  for (let now = 91; now <= 2_000; now++) {
    for (const step of race.tick(now)) if (step.do === 'connect') said += `${now}: ${step.to.address}; `;
  }
  assert.equal(said, '310: 2001:db8::1; 560: 192.0.2.2; 810: 2001:db8::2; 1060: 192.0.2.3; ');
});

test('section 3: an address that comes when all others have failed is tried at once', () => {
  const race = new Race();
  race.add([v4(1)], 60);
  assert.equal(say(race.failed(0, 70, why('connection refused'))), '');
  assert.equal(race.nextStartAtMs, undefined);
  assert.equal(say(race.add([v6(1), v4(1)], 80)), 'connect 1');
  assert.equal(say(race.close()), '');
  assert.equal(say(race.failed(1, 90, why('connection refused'))), 'lost');
});

test('section 3: or when the delay is over and none was left', () => {
  const race = new Race();
  race.add([v4(1)], 60);
  assert.equal(race.nextStartAtMs, undefined);
  assert.equal(say(race.add([v6(1)], 400)), 'connect 1');
});

test('as long as more addresses may come the race is not lost, and then it is', () => {
  const race = new Race();
  race.add([v4(1)], 60);
  assert.equal(say(race.failed(0, 70, why('connection refused'))), '');
  assert.equal(say(race.close()), 'lost');
  assert.equal(say(race.close()), '');
});

test('when every address fails the race is lost, once, and each has its reason', () => {
  const race = aRace(v6(1), v4(1));
  race.tick(250);
  assert.equal(say(race.failed(1, 260, why('connection refused'))), '');
  assert.equal(say(race.failed(0, 900, { why: 'no route to that host', kind: 'no-route' })), 'lost');
  assert.equal(say(race.failed(0, 901, why('again'))), '');
  assert.deepEqual(
    race.attempts.map((attempt) => 'kind' in attempt && `${attempt.address}: ${attempt.reason} (${attempt.kind})`),
    ['2001:db8::1: no route to that host (no-route)', '192.0.2.1: connection refused (other)'],
  );
});

test('stopping cancels what runs and starts nothing more', () => {
  const race = aRace(v6(1), v4(1), v6(2));
  race.tick(250);
  assert.equal(say(race.stop(400, why('interrupted'))), 'cancel 0, cancel 1, lost');
  assert.equal(race.nextStartAtMs, undefined);
  assert.deepEqual(
    race.attempts.map((attempt) => attempt.outcome),
    ['cancelled', 'cancelled'],
  );
});

test('a race without addresses is lost when it is closed', () => {
  const race = new Race();
  assert.equal(say(race.add([], 0)), '');
  assert.equal(say(race.close()), 'lost');
});
