// Machines in a group: the owner puts them in, and commands are run on all of them, over both families.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asOwner, newAccounts } from '../kit/accounts.ts';
import { Caller } from '../kit/caller.ts';
import { someMachines } from '../kit/machines.ts';
import { at, LOOPBACKS, startServer } from '../kit/server.ts';
import { refused, someone } from '../kit/someone.ts';

for (const host of LOOPBACKS) {
  test(`commands run on the machines of a group, and what is said there goes to people: ${host}`, async () => {
    await using server = await startServer();
    await using _machines = await someMachines(['web1', 'web2', 'db'], server, host);
    const owner = someone(server.directory, at(host, server.port));
    assert.deepEqual(await owner.json('groups', 'join', '#lab', 'web1', 'WEB2'), [
      { name: '#lab', state: 'joined', machine: 'web1' },
      { name: '#lab', state: 'joined', machine: 'WEB2' },
    ]);
    const onLab = ['run', at(host, server.port), '--on', '#lab', '--no-fold', '--', 'echo hi'];
    const both = await owner.run(onLab);
    assert.deepEqual([both.status, both.stdout.trimEnd().split('\n').sort()], [0, ['web1: hi', 'web2: hi']]);

    await using caller = await Caller.named('bob', host, server.port);
    caller.type('join #lab db');
    assert.equal(await caller.until('\n'), 'error: Cannot change the groups of a machine: only the owner may\n');
    caller.type(`login ${await server.token()}\nleave #lab web2`);
    await caller.until('connection ends\n');
    assert.equal(await caller.until('\n'), 'web2 has left #lab\n');
    const one = await owner.run(onLab);
    assert.deepEqual([one.status, one.stdout], [0, 'web1: hi\n']);
    caller.type('leave #lab db');
    assert.equal(await caller.until('\n'), 'error: Cannot change the groups of db: it is not in "#lab"\n');
    caller.type('leave #nowhere db');
    assert.equal(await caller.until('\n'), 'error: Cannot change the groups of db: there is no group "#nowhere"\n');
    caller.type('join #lab bob');
    const nobody = 'error: Cannot change the groups of "bob": no machine of that name has joined\n';
    assert.equal(await caller.until('\n'), nobody);

    // Whoever reads it is told, and a machine reads nothing.
    await using inGroup = await Caller.named('Vamshi', host, server.port);
    inGroup.type('join #lab');
    await inGroup.until('Joined #lab\n');
    caller.type('receipts on\nsend #lab : hello');
    assert.match(await caller.until(/Vamshi=.*\n/), /^Receipts are on\n\d+ Vamshi=delivered\n$/);
    const instead = '(run web1 : COMMAND, or partyline run --on web1 -- COMMAND); the message was sent to nobody';
    const unread = `Cannot send: "web1" is a machine, which runs commands and reads no messages ${instead}\n`;
    caller.type('send web1 Vamshi : hello');
    assert.equal(await caller.until('\n'), `error: ${unread}`);
    refused(await owner.run(['send', '--to', 'web1', 'hello']), /^partyline send: Cannot send: "web1" is a machine/);
    assert.equal((await owner.run(['revoke', 'web1'])).status, 0);
    refused(await owner.run(onLab), /matches no machine/, 255);
  });

  test(`whoever is not the owner changes no machine's groups: ${host}`, async () => {
    await using server = await startServer();
    await using _machines = await someMachines(['web1'], server, host);
    const [token = ''] = await newAccounts(['eve'], server);
    await using owner = await asOwner(server, host);
    await owner.join('#lab', 'web1');
    await using caller = await Caller.named(`login ${token}`, host, server.port);
    for (const change of ['join #other web1', 'leave #lab web1']) {
      caller.type(change);
      assert.equal(await caller.until('\n'), 'error: Cannot change the groups of a machine: only the owner may\n');
    }
    assert.deepEqual(await owner.groups(), [{ name: '#lab', members: ['web1'] }]);
    await owner.leave('#lab', 'web1');
    assert.deepEqual(await owner.groups(), []);
  });
}
