// Whatever is asked, the answer fits a frame: what is longer comes in parts, and the connection lives.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aNativeHouse } from '../../../test/kit/native-house.ts';
import { at, LOOPBACKS } from '../../../test/kit/server.ts';
import { connect, type Client, type RunRecord } from '../../client/mod.ts';
import type { MemberKind } from '../../core/session.ts';
import { parseName } from '../../core/name.ts';
import type { Listener } from '../../core/session.ts';
import { MAX_HOSTS_OF_RUN } from '../../core/run/record.ts';
import { MAX_CONTROL_BYTES } from '../../protocol/native/limits.ts';

/** So many that a list of them, 100 bytes each, is longer than a frame. */
const MANY = 12_000;
/** JSON writes each of its characters in six bytes. */
const LONG_TEXT = '\u0001'.repeat(60_000);
const DEAF: Listener = {
  acknowledges: true,
  isFull: false,
  deliver() {},
  catchUp() {},
  behind() {},
  receipt() {},
  dismiss() {},
};

type House = Awaited<ReturnType<typeof aNativeHouse>>;

/** Comes in as an operator, over a WebSocket and over TCP in turn. */
async function withClients(host: string, work: (client: Client, house: House) => Promise<void>): Promise<void> {
  for (const scheme of ['tcp', 'ws'] as const) {
    await using house = await aNativeHouse(host, { receiptWaitMs: 0 });
    const { token } = await house.account('eve', 'operator');
    const port = scheme === 'tcp' ? house.native.port : house.web.port;
    let connections = 0;
    const onConnection = () => void (connections += 1);
    await using client = await connect({ host: `${scheme}://${at(host, port)}`, credential: { token }, onConnection });
    await work(client, house);
    assert.equal(connections, 1, 'the connection was lost');
  }
}

function named(text: string) {
  const parsed = parseName(text);
  return 'refused' in parsed ? assert.fail(text) : parsed;
}

function addAccounts({ hub }: House, kind: MemberKind): readonly string[] {
  const common = { role: 'member', kind, createdAtMs: 0, since: 0, invitedBy: 1, delivered: 0 } as const;
  return Array.from({ length: MANY }, (_, count) => {
    const { name, key } = named(`${kind}-${count}-${'x'.repeat(12)}`);
    const account = {
      ...common,
      id: hub.directory.nextAccountId(),
      name,
      key,
      password: undefined,
      revokedAtMs: undefined,
    };
    hub.directory.apply({ type: 'account-added', account });
    return name;
  });
}

for (const host of LOOPBACKS) {
  test(`accounts, machines, who is here and groups are as many as they are: ${host}`, async () => {
    await withClients(host, async (client, house) => {
      const { hub } = house;
      const people = addAccounts(house, 'person');
      const machines = addAccounts(house, 'host');
      const { accounts } = await client.accounts();
      assert.deepEqual(
        accounts.map(({ name }) => name).toSorted(),
        ['eve', 'owner', ...people, ...machines].toSorted(),
      );
      assert.deepEqual((await client.hosts()).map(({ name }) => name).toSorted(), machines.toSorted());
      for (const [count, name] of people.entries()) {
        const member = hub.directory.account(named(name).key) ?? assert.fail(name);
        const entrance = { listener: DEAF, outlet: { broadcast() {} }, isLoopback: true, family: 'ipv6' } as const;
        hub.enterAs(member, { ...entrance, atMs: count });
        hub.directory.addToGroup({ name: '#Everybody', key: '#everybody' }, member);
        if (count % 2 === 0) hub.directory.addToGroup({ name: '#half', key: '#half' }, member);
      }
      // In order of arrival, whatever they are called.
      assert.deepEqual(
        (await client.list()).map(({ name }) => name),
        people,
      );
      const groups = await client.groups();
      assert.deepEqual(
        groups.map(({ name, members }) => [name, members.toSorted()]),
        [
          ['#Everybody', people.toSorted()],
          ['#half', people.filter((_, count) => count % 2 === 0).toSorted()],
        ],
      );
      const sent = await client.send('#Everybody', 'hello');
      assert.ok(sent.to.size > 1_000 && sent.to.size + (sent.leftOut ?? 0) === MANY, `${sent.to.size} ${sent.leftOut}`);
    });
  });

  test(`history and search with the longest texts come in parts: ${host}`, async () => {
    await withClients(host, async (client) => {
      for (let count = 0; count < 9; count++) await client.send('eve', `word ${count} ${LONG_TEXT}`);
      const numbers = async (messages: AsyncIterable<{ readonly text: string }>) =>
        (await Array.fromAsync(messages)).map(({ text }) => text.slice(0, 6));
      const all = Array.from({ length: 9 }, (_, count) => `word ${count}`);
      assert.deepEqual(await numbers(client.history()), all);
      assert.deepEqual(await numbers(client.history({ limit: 5 })), all.slice(-5));
      assert.deepEqual(await numbers(client.history({ after: 2, limit: 5 })), all.slice(2, 7));
      const found: string[] = [];
      for (let before: number | undefined, more = true; more;) {
        const page = await client.search('word', { limit: 1_000, ...(before === undefined ? {} : { before }) });
        found.unshift(...page.messages.map(({ text }) => text.slice(0, 6)));
        before = page.before ?? page.messages[0]?.id;
        more = page.more;
      }
      assert.deepEqual(found, all);
    });
  });

  test(`runs on as many machines as a record takes, with the longest names, are listed and shown: ${host}`, async () => {
    await withClients(host, async (client, { records, hub }) => {
      const by = hub.directory.account(named('eve').key)?.id ?? assert.fail();
      const hosts = Array.from({ length: MAX_HOSTS_OF_RUN }, (_, count) => `${count}-${'x'.repeat(500)}`);
      for (let count = 0; count < 3; count++) {
        const result = { result: 'denied', status: null, reason: 'so it is' } as const;
        const setting = { cwd: undefined, env: [], hasTerminal: false };
        const starter = { by, byName: named('eve').name, address: host };
        records.refuse({
          run: records.newRun(),
          starter,
          hosts,
          command: { kind: 'shell', line: 'x' },
          setting,
          result,
        });
      }
      const runs: RunRecord[] = [];
      for (let before: number | undefined, more = true; more;) {
        const page = await client.runs(before === undefined ? {} : { before });
        runs.unshift(...page.runs);
        before = page.runs[0]?.id;
        more = page.more;
      }
      assert.equal(runs.length, 3);
      const run = runs[0] ?? assert.fail();
      assert.equal(run.hosts.length, run.results.length);
      assert.equal(run.hosts.length + (run.hostsLeftOut ?? 0), hosts.length);
      const shown = await client.showRun(run.id);
      assert.deepEqual([shown.hosts, shown.results.map((one) => one.host)], [hosts, hosts]);
    });
  });

  test(`names that no message could be told with are refused, however few they are: ${host}`, async () => {
    await withClients(host, async (client) => {
      const to = ['x'.repeat(MAX_CONTROL_BYTES / 2), 'eve'];
      await assert.rejects(client.send(to, 'hello'), { code: 'bad-params', message: /^Cannot send: to is not/ });
      // Each of them is named in the refusal, too.
      const nobody = Array.from({ length: 1_000 }, (_, count) => `${count}${'\u0001'.repeat(40)}`);
      await assert.rejects(client.send(nobody, 'hello'), { code: 'unknown-recipient' });
      assert.equal((await client.send('eve', 'hello')).id, 1);
    });
  });
}
