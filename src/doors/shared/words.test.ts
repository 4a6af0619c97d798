import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseName } from '../../core/name.ts';
import type { GroupRefusal } from '../../core/refusal.ts';
import { isAboutGroups, wordsForGroup } from './words.ts';

test('a refused change of groups says whose they are, whatever the reason', () => {
  const parsed = parseName('web1');
  const machine = 'refused' in parsed ? assert.fail() : parsed.name;
  for (const [refusal, reason, reasonOfMachine] of [
    [{ refused: 'bad-group', name: 'lab', why: 'no-hash' }, '"lab" is no name of a group: it begins with #'],
    [{ refused: 'unknown-group', name: '#lab' }, 'there is no group "#lab"'],
    [{ refused: 'not-in-group', name: '#lab' }, 'you are not in "#lab"', 'it is not in "#lab"'],
    [{ refused: 'too-many-groups', max: 100 }, 'you are in 100 already', 'it is in 100 already'],
    [{ refused: 'groups-not-stored', reason: 'the disk is full' }, 'the disk is full; nothing was changed'],
  ] as const satisfies (readonly [GroupRefusal, string, string?])[]) {
    assert.ok(isAboutGroups(refusal));
    assert.equal(wordsForGroup(refusal), `Cannot change your groups: ${reason}`);
    const words = `Cannot change the groups of web1: ${reasonOfMachine ?? reason}`;
    assert.equal(wordsForGroup({ ...refusal, machine }), words);
  }
});
