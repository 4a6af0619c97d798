// One's own tokens.

import { tokenCreate, tokenList, tokenRemove } from '../../../protocol/native/methods/token.ts';
import { entry, sessionOf, type Asker, type Entries } from '../entry.ts';
import { newToken, removeToken } from '../promises.ts';
import { accountError, no, toTime } from '../translate.ts';

export const TOKEN: Entries<'token.create' | 'token.list' | 'token.remove'> = {
  'token.create': entry(tokenCreate, {
    needs: 'member',
    summary: 'Makes a token of one’s own, shown this once',
    answer: create,
  }),
  'token.list': entry(tokenList, {
    needs: 'member',
    summary: 'One’s own tokens, without their secrets',
    answer: list,
  }),
  'token.remove': entry(tokenRemove, {
    needs: 'member',
    summary: 'Ends one of one’s own tokens',
    answer: remove,
  }),
};

async function create(asker: Asker, { label }: { label: string }) {
  const made = await newToken(asker.house, sessionOf(asker).member, label);
  return 'refused' in made ? { error: accountError(made, 'Cannot make a token') } : { result: made };
}

function list(asker: Asker) {
  const { member } = sessionOf(asker);
  const tokens = asker.house.hub.directory.tokensOf(member);
  return {
    result: {
      tokens: tokens.map(({ id, label, createdAtMs }) => ({ id, label, since: toTime(createdAtMs) })),
      password: member.account?.password !== undefined,
    },
  };
}

async function remove(asker: Asker, { id }: { id: number }) {
  const attempt = `Cannot remove token ${id}`;
  const by = sessionOf(asker);
  const removed = await removeToken(asker.house, by, id);
  if (removed === 'removed') {
    const end = () => asker.ear.dismiss({ why: 'token-removed' });
    return by.token === id ? { result: {}, after: end } : { result: {} };
  }
  if (removed.refused === 'bad-secret') return no('bad-secret', `${attempt}: you have no such token`);
  return { error: accountError(removed, attempt) };
}
