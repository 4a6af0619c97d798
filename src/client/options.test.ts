import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeChat, StillWorld } from '../../test/kit/fake-chat.ts';
import { Client } from './client.ts';
import { connect } from './mod.ts';
import { mustKnow } from './options.ts';

/** The compiler looks for options that there are not in literals alone. */
function mistaken<Options extends object>(options: Options): Options {
  return options;
}

test('an option that a call does not have is a mistake, and nothing is done', async () => {
  const server = new FakeChat();
  const world = new StillWorld();
  const credential = { token: 'pl_x' };
  const client = await Client.open({ transport: server.transport, credential, reconnect: {}, world });
  const before = server.asked.length;
  const message = /^run\(\) has no option "timeout"; it has command, .*timeoutMs/;
  const command = 'sleep 9';
  assert.throws(() => client.run(mistaken({ command, timeout: 9 })), { name: 'TypeError', message });
  assert.throws(() => client.runMany(mistaken({ on: 'all', command, bach: 1 })), /runMany\(\) has no option "bach"/);
  assert.throws(() => client.detach(mistaken({ command, stdin: 'x' })), /detach\(\) has no option "stdin"/);
  assert.throws(() => client.attach(1, mistaken({ host: 0, since: 1 })), /attach\(\) has no option "since"/);
  assert.throws(() => client.messages(mistaken({ after: 1, acknowledged: 'by-hand' })), /messages\(\) has no option/);
  assert.throws(() => client.history(mistaken({ limit: 1, max: 1 })), /history\(\) has no option "max"/);
  assert.throws(
    () => client.search('x', mistaken({ limit: 1, after: 1 })),
    /search\(\) has no option "after"; it has before, limit$/,
  );
  assert.throws(() => client.runs(mistaken({ limit: 1, after: 1 })), /runs\(\) has no option "after"/);
  assert.throws(
    () => client.invite('bob', mistaken({ role: 'member' as const, as: 'host' })),
    /invite\(\) has no option "as"; it has role, kind$/,
  );
  await assert.rejects(
    client.send('bob', 'hi', mistaken({ key: 'k', id: 'k' })),
    /send\(\) has no option "id"; it has key$/,
  );
  await assert.rejects(client.share(1, 'bob', mistaken({ key: 'k', id: 'k' })), /share\(\) has no option "id"/);
  assert.throws(() => connect(mistaken({ host: 'localhost', token: 'x' })), /connect\(\) has no option "token"/);
  assert.equal(server.asked.length, before);
  await client.close();
});

test('what an object has from its prototype is no option of a call', () => {
  assert.throws(() => mustKnow('runs', { constructor: 1 }), /no option "constructor"/);
  mustKnow('runs', { before: undefined, limit: 1 });
});
