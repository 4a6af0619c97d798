// Coming into a group and leaving it. For an account that lasts, and counts when the journal has it; what the journal cannot
// write is taken back.

import type { Command } from '../command.ts';
import type { Directory } from '../directory.ts';
import type { GroupChanged } from '../event.ts';
import type { Change, Journal } from '../journal.ts';
import type { GroupRefusal } from '../refusal.ts';
import { MAX_HOST_NAME_CODE_POINTS, parseName } from '../name.ts';
import type { Member, Session } from '../session.ts';
import { MAX_GROUPS_OF_ONE, parseGroupName } from './group.ts';

type GroupCommand = Extract<Command, { type: 'join' | 'leave' }>;
export type GroupAnswer = GroupChanged | GroupRefusal;
type Done = (answer: GroupAnswer) => void;

export interface MembershipsWorld {
  readonly journal: Pick<Journal, 'record' | 'settle'>;
  readonly directory: Directory;
}

/** Of one member in one group, while the journal has changes of it and has not answered. */
interface Open {
  /** What the journal has for good. */
  isIn: boolean;
  changes: number;
}

export class Memberships {
  readonly #world: MembershipsWorld;
  readonly #open = new Map<string, Open>();

  constructor(world: MembershipsWorld) {
    this.#world = world;
  }

  /** A machine has no mind of its own: the owner puts it into a group, and takes it out. */
  ofMachine(by: Session, command: GroupCommand & { readonly machine: string }, done: Done): void {
    const { journal, directory } = this.#world;
    const refuse = (refusal: GroupRefusal) => journal.settle(() => done(refusal));
    if (by.role !== 'owner') return refuse({ refused: 'group-owner-only' });
    const parsed = parseName(command.machine, { maxCodePoints: MAX_HOST_NAME_CODE_POINTS });
    const member = 'refused' in parsed ? undefined : directory.account(parsed.key);
    if (member?.account?.kind !== 'host' || member.account.revokedAtMs !== undefined) {
      return refuse({ refused: 'group-no-machine', name: command.machine });
    }
    const machine = member.name;
    return this.change(member, command, (answer) => done({ ...answer, machine }));
  }

  /** Carries it out, or changes nothing and says why. `done` is called once, in the order of the journal's answers. */
  change(member: Member, { type, group: given }: GroupCommand, done: Done): void {
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
    const turn = (isIn: boolean) =>
      isIn ? directory.addToGroup({ name, key: group.key }, member) : directory.removeFromGroup(group.key, member);
    turn(type === 'join');
    if (member.account === undefined) return settle(answer);
    const place = `${member.id} ${group.key}`;
    const open = this.#open.get(place) ?? { isIn, changes: 0 };
    this.#open.set(place, open);
    open.changes += 1;
    const change: Change =
      type === 'join'
        ? { type: 'group-joined', group: { name, key: group.key }, account: member.id }
        : { type: 'group-left', group: { key: group.key }, account: member.id };
    return journal.record([change], (recorded) => {
      open.changes -= 1;
      if (recorded === undefined) open.isIn = type === 'join';
      if (open.changes === 0) {
        this.#open.delete(place);
        // The one before it may have failed too: what counts is what is stored, not what was there when this one was asked for.
        turn(open.isIn);
      }
      return done(recorded === undefined ? answer : { refused: 'groups-not-stored', reason: recorded.failed });
    });
  }
}
