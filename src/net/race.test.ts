import assert from 'node:assert/strict';
import { test } from 'node:test';
import { interleave, Race, type Candidate, type RaceStep } from './race.ts';

const v4 = (last: number): Candidate => ({ address: `192.0.2.${last}`, family: 4 });
const v6 = (last: number): Candidate => ({ address: `2001:db8::${last}`, family: 6 });
const names = (candidates: readonly Candidate[]) => candidates.map((candidate) => candidate.address).join(' ');

/** What a step tells to do, in a word that a test can compare. */
function say(steps: RaceStep[]): string {
  return steps.map((step) => (step.do === 'lost' ? 'lost' : `${step.do} ${step.index}`)).join(', ');
}

test('the families take turns, the one the resolver prefers first (RFC 8305 section 4)', () => {
  assert.equal(names(interleave([v6(1), v6(2), v6(3), v4(1)])), names([v6(1), v4(1), v6(2), v6(3)]));
  assert.equal(names(interleave([v4(1), v4(2), v6(1), v6(2)])), names([v4(1), v6(1), v4(2), v6(2)]));
  assert.equal(names(interleave([v4(2), v4(1)])), names([v4(2), v4(1)]));
  assert.equal(names(interleave([v6(1), v4(1), v6(1)])), names([v6(1), v4(1)]));
  assert.deepEqual(interleave([]), []);
});

test('a slow address gets company after 250 ms and may still win (RFC 8305 section 5)', () => {
  const race = new Race([v6(1), v4(1)]);
  assert.equal(say(race.begin(0)), 'connect 0');
  assert.equal(race.nextStartAtMs, 250);
  assert.equal(say(race.tick(249)), '');
  assert.equal(say(race.tick(250)), 'connect 1');
  assert.equal(race.nextStartAtMs, undefined);
  assert.equal(say(race.connected(0, 260)), 'won 0, cancel 1');
  assert.deepEqual(race.attempts, [
    { ...v6(1), startedAtMs: 0, endedAtMs: 260, outcome: 'connected' },
    { ...v4(1), startedAtMs: 250, endedAtMs: 260, outcome: 'cancelled', reason: 'another address was faster' },
  ]);
});

test('a refusal starts the next address at once, and the delay counts from there', () => {
  const race = new Race([v6(1), v4(1), v6(2)]);
  race.begin(0);
  assert.equal(say(race.failed(0, 3, 'connection refused')), 'connect 1');
  assert.equal(race.nextStartAtMs, 253);
  assert.equal(say(race.tick(250)), '');
  assert.equal(say(race.tick(253)), 'connect 2');
});

test('the refusal of an earlier attempt does not hurry the next one', () => {
  const race = new Race([v6(1), v4(1), v6(2)]);
  race.begin(0);
  race.tick(250);
  assert.equal(say(race.failed(0, 300, 'connection refused')), '');
  assert.equal(race.nextStartAtMs, 500);
  assert.equal(say(race.tick(500)), 'connect 2');
});

test('nothing is cancelled before there is a winner, however many black holes come first', () => {
  const race = new Race([v6(1), v4(1), v6(2), v4(2)]);
  let said = say(race.begin(0));
  for (let now = 1; now <= 1_000; now++) {
    const steps = say(race.tick(now));
    if (steps !== '') said += `; ${now}: ${steps}`;
  }
  assert.equal(said, 'connect 0; 250: connect 1; 500: connect 2; 750: connect 3');
  assert.equal(say(race.connected(3, 1_001)), 'won 3, cancel 0, cancel 1, cancel 2');
});

test('once there is a winner no other address is tried, and late news changes nothing', () => {
  const race = new Race([v6(1), v4(1), v6(2)]);
  race.begin(0);
  race.tick(250);
  assert.equal(say(race.connected(1, 255)), 'won 1, cancel 0');
  assert.equal(race.nextStartAtMs, undefined);
  assert.equal(say(race.tick(10_000)), '');
  assert.equal(say(race.connected(0, 256)), '');
  assert.equal(say(race.failed(0, 257, 'connection refused')), '');
  assert.equal(say(race.stop(258, 'too late')), '');
});

test('when every address fails the race is lost, once, and each has its reason', () => {
  const race = new Race([v6(1), v4(1)]);
  race.begin(0);
  race.tick(250);
  assert.equal(say(race.failed(1, 260, 'connection refused')), '');
  assert.equal(say(race.failed(0, 900, 'no route to that host')), 'lost');
  assert.equal(say(race.failed(0, 901, 'again')), '');
  assert.deepEqual(
    race.attempts.map((attempt) => `${attempt.address}: ${attempt.reason}`),
    ['2001:db8::1: no route to that host', '192.0.2.1: connection refused'],
  );
});

test('stopping cancels what runs and starts nothing more', () => {
  const race = new Race([v6(1), v4(1), v6(2)]);
  race.begin(0);
  race.tick(250);
  assert.equal(say(race.stop(400, 'interrupted')), 'cancel 0, cancel 1, lost');
  assert.equal(race.nextStartAtMs, undefined);
  assert.deepEqual(
    race.attempts.map((attempt) => attempt.outcome),
    ['cancelled', 'cancelled'],
  );
});

test('a race without addresses is lost at once', () => {
  assert.equal(say(new Race([]).begin(0)), 'lost');
});
