// What each method is an attempt at, in the words of a refusal: whoever is refused need not know what it is called here.

import type { MethodName } from '../../protocol/native/methods.ts';

export const ATTEMPTS: Readonly<Record<MethodName, string>> = {
  ping: 'Cannot answer',
  'rpc.discover': 'Cannot describe this server',
  'server.listening': 'Cannot say what listens',
  'owner.challenge': 'Cannot take this connection for the owner',
  'owner.prove': 'Cannot take this connection for the owner',
  'login.token': 'Cannot log in',
  'login.password': 'Cannot log in',
  'login.guest': 'Cannot come in',
  'login.code': 'Cannot log in',
  'chat.subscribe': 'Cannot subscribe',
  'chat.ack': 'Cannot acknowledge',
  'chat.send': 'Cannot send',
  'chat.list': 'Cannot list who is here',
  'chat.history': 'Cannot read the history',
  'chat.search': 'Cannot search',
  'group.join': 'Cannot join the group',
  'group.leave': 'Cannot leave the group',
  'group.list': 'Cannot list the groups',
  'account.invite': 'Cannot invite',
  'account.list': 'Cannot list the accounts',
  'account.revoke': 'Cannot revoke',
  'account.password': 'Cannot set the password',
  'token.create': 'Cannot make a token',
  'token.list': 'Cannot list the tokens',
  'token.remove': 'Cannot remove the token',
  'run.start': 'Cannot run the command',
  'run.cancel': 'Cannot cancel the command',
};
