// Accounts of a test's own, made as people make them: the owner invites, the invited one comes in with the code.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { connect, type Client } from '../../src/client/mod.ts';
import { at, type TestServer } from './server.ts';

export function asOwner(server: TestServer, host: string): Promise<Client> {
  const credential = { ownerTokenFile: join(server.directory, 'owner.token') };
  return connect({ host: at(host, server.port), credential });
}

/** New accounts, and a token of each that is nobody else's. */
export async function newAccounts(names: readonly string[], server: TestServer): Promise<string[]> {
  await using owner = await asOwner(server, '127.0.0.1');
  return await Promise.all(
    names.map(async (name) => {
      const { code } = await owner.invite(name);
      const host = `127.0.0.1:${server.port}`;
      await using client = await connect({ host, credential: { code, label: 'its own' } });
      assert.deepEqual(client.identity, { name, role: 'member' });
      return (await client.createToken('test')).token;
    }),
  );
}

export async function newAccount(name: string, server: TestServer): Promise<string> {
  const [token = ''] = await newAccounts([name], server);
  return token;
}
