// What is asked of any server. `rpc.discover` describes the table itself and so is added where the table is.

import { ping, serverListening } from '../../../protocol/native/methods/server.ts';
import { entry, type Entries } from '../entry.ts';

export const SERVER: Entries<'ping' | 'server.listening'> = {
  ping: entry(ping, {
    needs: 'nobody',
    summary: 'Answers, and does nothing else',
    answer: () => ({ result: {} }),
  }),
  'server.listening': entry(serverListening, {
    needs: 'owner',
    summary: 'Where the server listens: each address that it is bound to, and each name that it was told',
    answer: ({ house }) => ({ result: house.listening() }),
  }),
};
