// Two machines on one link, and a server on one of them.

import type { TestContext } from 'node:test';
import { aDirectory } from './directory.ts';
import { connect, type Host, makeHosts, printed, type Process } from './namespace.ts';
import { NameServer } from './name-server.ts';
import { PARTYLINE } from './program.ts';

/** A server on one of the hosts, ready, with a data directory of its own unless `args` name another. */
export async function startServer(t: TestContext, host: Host, ...args: readonly string[]): Promise<Process> {
  const own = args.includes('--data') ? [] : ['--data', aDirectory(t)];
  const serve = host.start(PARTYLINE, 'serve', ...own, ...args);
  serve.stderr.resume();
  await printed(serve.stdout, /^ready$/m);
  return serve;
}

/** Interface of each host on the link. */
export const LINK = 'eth0';

/** The two hosts; names of example.com resolve on both: krishna1 has both families, krishna4 and krishna6 one each. */
export async function twoHosts(t: TestContext): Promise<{ server: Host; client: Host }> {
  const addresses = {
    server: { ipv4: '10.77.0.1', ipv6: 'fd77::1' },
    client: { ipv4: '10.77.0.2', ipv6: 'fd77::2' },
  };
  const { server, client } = makeHosts(t, addresses, addresses.server.ipv4);
  connect([server, LINK], [client, LINK]);
  for (const host of [server, client]) {
    host.take(LINK);
    host.ip(`link set ${LINK} up`);
  }
  await NameServer.start(t, server, {
    'krishna1.example.com': [server.ipv4, server.ipv6],
    'krishna4.example.com': [server.ipv4],
    'krishna6.example.com': [server.ipv6],
  });
  return { server, client };
}
