// `partyline echo TARGET --from MACHINES` where two machines see the same server differently: one of them over IPv4 alone.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { aDirectory } from '../kit/directory.ts';
import { startServer } from '../kit/hosts.ts';
import { type Host, printed } from '../kit/namespace.ts';
import { aPath } from '../kit/path.ts';
import { PARTYLINE } from '../kit/program.ts';

const PORT = 7270;
const TARGET = 'both.example.com';
const TIMEOUT_MS = 60_000;

test('each machine says what it sees, and the status what works from both', { timeout: TIMEOUT_MS }, async (t) => {
  const path = await aPath(t, { ipv6: 'rejected' });
  if (path === undefined) return;
  const { server, client } = path;
  const data = aDirectory(t);
  await startServer(t, server, '--data', data, '--listen', `tcp+insecure://*:${PORT}`);
  const owner = (...words: readonly string[]) => server.run('', 'env', `PARTYLINE_DATA=${data}`, PARTYLINE, ...words);
  const join = async (name: string, from: Host, host: string): Promise<void> => {
    const { stdout } = await owner('invite', name, '--as', 'host', '--json');
    const { code } = JSON.parse(stdout);
    await joined(t, from, ['join', host, '--code', String(code)]);
  };
  await join('near', server, 'localhost');
  await join('far', client, TARGET);

  const { status, stdout, stderr } = await owner('echo', TARGET, '--from', 'near,far', '--count', '3');
  assert.equal(status, 1, stdout + stderr);
  const lines = stdout
    .replaceAll(/\d+\.\d{3}/g, 'N')
    .replaceAll(/ +/g, ' ')
    .split('\n');
  assert.deepEqual(lines.slice(0, 5), [
    `Probing ${TARGET} port ${PORT} from 2 machines`,
    'From IPv4 p50 IPv6 p50',
    'far N ms no route',
    'near N ms N ms',
    `Verdict ${TARGET} works over IPv4 from both, over IPv6 not from far`,
  ]);
  assert.match(lines[5] ?? '', /^ far: IPv6 resolves, but no way leads there \(2001:db8:2::2: /);
  const statuses = await Promise.all(
    [['near'], ['far'], ['far', '-6'], ['near,far', '-4']].map(async ([from = '', ...more]) => {
      const words = ['echo', TARGET, '--from', from, '--count', '3', '--interval', '0', '--json', ...more];
      return (await owner(...words)).status;
    }),
  );
  assert.deepEqual(statuses, [0, 1, 3, 0]);
});

async function joined(t: TestContext, host: Host, args: readonly string[]): Promise<void> {
  const machine = host.start('env', `PARTYLINE_DATA=${aDirectory(t)}`, PARTYLINE, ...args);
  machine.stderr.resume();
  await printed(machine.stdout, /^ready$/m);
}
