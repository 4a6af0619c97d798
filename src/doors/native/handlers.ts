// What a client may ask, and of whom it is taken: a table, denying by default. Nothing is done for a connection that
// lacks the role an entry names, and nothing that has no entry.

import type { MethodName } from '../../protocol/native/methods.ts';
import { rpcDiscover } from '../../protocol/native/methods/server.ts';
import { quote } from '../../protocol/text.ts';
import { describe } from './discover.ts';
import { entry, NEEDS, type Asker, type Entries, type Entry, type Reply } from './entry.ts';
import { ACCOUNT } from './handlers/account.ts';
import { APPROVAL } from './handlers/approval.ts';
import { CHAT } from './handlers/chat.ts';
import { DETACHED } from './handlers/detached.ts';
import { GROUP } from './handlers/group.ts';
import { HOST } from './handlers/host.ts';
import { LOGIN } from './handlers/login.ts';
import { OWNER } from './handlers/owner.ts';
import { PAST } from './handlers/past.ts';
import { RECORDS } from './handlers/records.ts';
import { RUN } from './handlers/run.ts';
import { SERVER } from './handlers/server.ts';
import { TOKEN } from './handlers/token.ts';
import { no, wordsForNeeds } from './translate.ts';

export const HANDLERS: Entries<MethodName> = {
  ...SERVER,
  'rpc.discover': entry(rpcDiscover, {
    needs: 'nobody',
    summary: 'The OpenRPC document of this server: its methods, and what each takes and gives',
    answer: ({ house }) => ({ result: describe(TABLE.values(), house.hub.serverName) }),
  }),
  ...OWNER,
  ...LOGIN,
  ...CHAT,
  ...PAST,
  ...GROUP,
  ...ACCOUNT,
  ...TOKEN,
  ...HOST,
  ...RUN,
  ...DETACHED,
  ...RECORDS,
  ...APPROVAL,
};

const TABLE = new Map<string, Entry>(Object.entries(HANDLERS));

/** The entry that answers, or why none does. */
export function entryFor({ role }: Pick<Asker, 'role'>, method: string): Entry | Extract<Reply, { error: object }> {
  const found = TABLE.get(method);
  if (found === undefined) return no('unknown-method', `There is no method ${quote(method)}`);
  const { needs } = found;
  if (NEEDS.indexOf(role) < NEEDS.indexOf(needs)) {
    return no('not-allowed', wordsForNeeds({ needs, role }, found.method.name));
  }
  return found;
}
