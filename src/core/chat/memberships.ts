// Coming into a group and leaving it. For an account that lasts, and counts when the journal has it; what the journal cannot
// write is taken back.

import type { Command } from '../command.ts';
import type { Directory } from '../directory.ts';
import type { GroupChanged } from '../event.ts';
import type { Change, Journal } from '../journal.ts';
import type { GroupRefusal } from '../refusal.ts';
import type { Member } from '../session.ts';
import { MAX_GROUPS_OF_ONE, parseGroupName } from './group.ts';

type GroupCommand = Extract<Command, { type: 'join' | 'leave' }>;
export type GroupAnswer = GroupChanged | GroupRefusal;

export interface MembershipsWorld {
  readonly journal: Pick<Journal, 'record' | 'settle'>;
  readonly directory: Directory;
}

export class Memberships {
  readonly #world: MembershipsWorld;

  constructor(world: MembershipsWorld) {
    this.#world = world;
  }

  /** Carries it out, or changes nothing and says why. `done` is called once, in the order of the journal's answers. */
  change(member: Member, { type, group: given }: GroupCommand, done: (answer: GroupAnswer) => void): void {
    const { journal, directory } = this.#world;
    const settle = (answer: GroupAnswer) => journal.settle(() => done(answer));
    const group = parseGroupName(given);
    if ('refused' in group) return settle(group);
    const known = directory.group(group.key);
    const { name } = known ?? group;
    const isIn = known?.members.has(member) ?? false;
    if (type === 'join' ? isIn : !isIn) {
      if (type === 'join') return settle({ type: 'joined', group: name });
      return settle({ refused: known === undefined ? 'unknown-group' : 'not-in-group', name });
    }
    if (type === 'join' && directory.groupsOf(member).length >= MAX_GROUPS_OF_ONE) {
      return settle({ refused: 'too-many-groups', max: MAX_GROUPS_OF_ONE });
    }
    const answer: GroupChanged = { type: type === 'join' ? 'joined' : 'left', group: name };
    const turn = (to: 'in' | 'out') =>
      to === 'in' ? directory.addToGroup(group, member) : directory.removeFromGroup(group.key, member);
    turn(type === 'join' ? 'in' : 'out');
    if (member.account === undefined) return settle(answer);
    const change: Change =
      type === 'join'
        ? { type: 'group-joined', group: { name, key: group.key }, account: member.id }
        : { type: 'group-left', group: { key: group.key }, account: member.id };
    return journal.record([change], (recorded) => {
      if (recorded === undefined) return done(answer);
      turn(type === 'join' ? 'out' : 'in');
      return done({ refused: 'not-stored', reason: recorded.failed });
    });
  }
}
