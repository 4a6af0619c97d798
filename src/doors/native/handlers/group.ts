// Groups: members that are addressed together.

import { groupJoin, groupLeave, groupList } from '../../../protocol/native/methods/group.ts';
import { entry, sessionOf, type Asker, type Entries } from '../entry.ts';
import { pageOf } from '../page.ts';
import { handle } from '../promises.ts';
import { chatError } from '../translate.ts';

export const GROUP: Entries<'group.join' | 'group.leave' | 'group.list'> = {
  'group.join': entry(groupJoin, {
    needs: 'guest',
    summary: 'Is a member of the group from now on, or a machine is; the first one makes it',
    answer: (asker, given) => change(asker, { type: 'join', ...given }),
  }),
  'group.leave': entry(groupLeave, {
    needs: 'guest',
    summary: 'Is a member of the group no longer, or a machine is not',
    answer: (asker, given) => change(asker, { type: 'leave', ...given }),
  }),
  'group.list': entry(groupList, {
    needs: 'guest',
    summary: 'All groups and who is in them',
    answer: list,
  }),
};

async function change(asker: Asker, command: { type: 'join' | 'leave'; group: string; machine?: string }) {
  const changed = await handle(asker.house, sessionOf(asker), command);
  if ('refused' in changed) return { error: chatError(changed) };
  if (changed.type === 'receipt') throw new Error('A change of groups was answered as a message');
  const { group, machine } = changed;
  return { result: machine === undefined ? { group } : { group, machine } };
}

/** Members one by one, so that a group of any size has its place, on as many pages as it takes. */
function list({ house: { hub } }: Asker, { after }: { after?: string }) {
  const all = Array.from(hub.directory.groups, ({ name, key, members }) =>
    Array.from(members, (member) => ({ key: `${key} ${member.key}`, item: { name, member: member.name } })),
  );
  const { items, ...next } = pageOf(all.flat(), after);
  const groups = Map.groupBy(items, ({ name }) => name);
  return {
    result: {
      groups: Array.from(groups, ([name, members]) => ({ name, members: members.map(({ member }) => member) })),
      ...next,
    },
  };
}
