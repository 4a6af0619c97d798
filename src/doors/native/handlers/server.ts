// What is asked of any server. `rpc.discover` describes the table itself and so is added where the table is.

import { ping } from '../../../protocol/native/methods/server.ts';
import { entry, type Entries } from '../entry.ts';

export const SERVER: Entries<'ping'> = {
  ping: entry(ping, {
    needs: 'nobody',
    summary: 'Answers, and does nothing else',
    answer: () => ({ result: {} }),
  }),
};
