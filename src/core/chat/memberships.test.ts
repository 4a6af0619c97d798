// What becomes of a membership that the journal cannot write, or not yet.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { anAccount } from '../../../test/contracts/journal.ts';
import { MemoryJournal } from '../../journal/memory.ts';
import { Directory } from '../directory.ts';
import type { Recorded } from '../journal.ts';
import { Memberships, type GroupAnswer } from './memberships.ts';

const FULL = { failed: 'the disk is full' };

/** Answers are given by the test, in the order in which they were asked for. */
function aPlace() {
  const directory = new Directory(new MemoryJournal().everything);
  for (const [id, name] of [
    [1, 'Bob'],
    [2, 'Eve'],
  ] as const) {
    directory.apply({ type: 'account-added', account: anAccount(id, name) });
  }
  const asked: ((answer: Recorded) => void)[] = [];
  const journal = {
    record: (_changes: unknown, done: (answer: Recorded) => void) => void asked.push(done),
    settle: (done: () => void) => void asked.push(done),
  };
  const memberships = new Memberships({ journal, directory });
  const member = (id = 1) => directory.byId(id) ?? assert.fail();
  const answers: string[] = [];
  return {
    directory,
    answers,
    ask(type: 'join' | 'leave', group = '#ops', id = 1) {
      const done = (answer: GroupAnswer) => void answers.push('refused' in answer ? answer.refused : answer.type);
      memberships.change(member(id), { type, group }, done);
    },
    answer: (...given: Recorded[]) => {
      for (const one of given) (asked.shift() ?? assert.fail('nothing was asked'))(one);
    },
    groups: (id = 1) => directory.groupsOf(member(id)).map(({ name }) => name),
  };
}

test('a join and a leave that both fail leave a member as the journal has it', () => {
  const place = aPlace();
  place.ask('join');
  place.ask('leave');
  place.answer(FULL, FULL);
  assert.deepEqual(place.groups(), []);
  place.ask('join');
  place.answer(undefined);
  place.ask('leave');
  place.ask('join');
  place.answer(FULL, FULL);
  assert.deepEqual(place.groups(), ['#ops']);
  assert.deepEqual(place.answers, [
    'groups-not-stored',
    'groups-not-stored',
    'joined',
    'groups-not-stored',
    'groups-not-stored',
  ]);
});

test('of several changes under way the last that is stored counts, whichever fail', () => {
  for (const [outcomes, expected] of [
    [[undefined, FULL, FULL], ['#ops']],
    [[undefined, undefined, FULL], []],
    [[FULL, undefined, FULL], []],
    [[FULL, FULL, undefined], ['#ops']],
    [[undefined, FULL, undefined], ['#ops']],
  ] as const) {
    const place = aPlace();
    for (const type of ['join', 'leave', 'join'] as const) place.ask(type);
    assert.deepEqual(place.groups(), ['#ops'], 'what was asked for last is so until the journal says otherwise');
    place.answer(...outcomes);
    assert.deepEqual(place.groups(), expected, JSON.stringify(outcomes));
  }
});

test('a group that its last member could not leave keeps its name as it was spelled first', () => {
  const place = aPlace();
  place.ask('join', '#Ops');
  place.ask('leave', '#OPS');
  place.answer(undefined, FULL);
  assert.deepEqual(place.groups(), ['#Ops']);
  place.ask('join', '#ops', 2);
  place.answer(undefined);
  assert.deepEqual(place.groups(2), ['#Ops']);
});
