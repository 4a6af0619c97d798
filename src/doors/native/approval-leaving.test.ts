// What becomes of a request for approval when whoever asked goes away, however that comes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { anApprovingHouse, REBOOT, until } from '../../../test/kit/approving-house.ts';
import { LOOPBACKS } from '../../../test/kit/server.ts';

for (const host of LOOPBACKS) {
  test(`at nc who just goes away, which looks like an end of input, takes the request along: ${host}`, async () => {
    await using house = await anApprovingHouse(host);
    const eve = await house.line(`login ${house.tokenOf('Eve')}`);
    const janaki = await house.line(`login ${house.tokenOf('Janaki')}`);
    janaki.type('run Server : reboot');
    await janaki.until('Waiting for approval');
    // As the kernel does when `nc` is killed: all was read, so that no reset is sent before somebody writes.
    janaki.socket.destroy();
    await until(async () => {
      eve.type('approve 1');
      return (await eve.barrier()).includes('request 1 was taken back');
    });
    assert.deepEqual(house.runner.requests, []);
  });

  test(`at nc who has ended their input, or wants to leave, is told what is still waited for: ${host}`, async () => {
    await using house = await anApprovingHouse(host);
    const eve = await house.line(`login ${house.tokenOf('Eve')}`);
    for (const [id, leave] of [
      [1, (caller: { socket: { end(): unknown } }) => caller.socket.end()],
      [2, (caller: { type(line: string): void }) => caller.type('quit')],
    ] as const) {
      const janaki = await house.line(`login ${house.tokenOf('Janaki')}`);
      janaki.type('run Server : reboot');
      await janaki.until('deny');
      leave(janaki);
      await janaki.until(`takes it back\nWaiting for request ${id}\n`);
      eve.type(`deny ${id}`);
      assert.equal(
        await janaki.heard.rest(),
        `error: Cannot run the command: request ${id} was denied by Eve\n`,
        'nothing else is said of it',
      );
    }
  });

  test(`a request that is being told to others when its connection goes is withdrawn: ${host}`, async (t) => {
    await using house = await anApprovingHouse(host);
    const eve = await house.as('Eve');
    const janaki = await house.line(`login ${house.tokenOf('Janaki')}`);
    const isHere = async (name: string) => JSON.stringify(await eve.ask('chat.list')).includes(`"${name}"`);
    const append = house.journal.append.bind(house.journal);
    const held: (() => void)[] = [];
    const holding = t.mock.method(house.journal, 'append', (...given: Parameters<typeof append>) => {
      held.push(() => append(...given));
    });
    janaki.type('run Server : reboot');
    await until(async () => (await eve.barrier(), held.length > 0));
    janaki.socket.resetAndDestroy();
    await until(async () => !(await isHere('Janaki')));
    holding.mock.restore();
    for (const letGo of held) letGo();
    await eve.barrier();
    assert.equal(await eve.ask('approval.show', { approval: 1 }), 'approval-over');
  });

  test(`what had been read and waited when a connection went is not done for nobody: ${host}`, async (t) => {
    await using house = await anApprovingHouse(host);
    const eve = await house.as('Eve');
    const janaki = await house.as('Janaki');
    await janaki.ask('chat.subscribe');
    const isHere = async () => JSON.stringify(await eve.ask('chat.list')).includes('"Janaki"');
    assert.ok(await isHere());
    const { promise: goOn, resolve: letGo } = Promise.withResolvers<void>();
    const runs = house.journal.runs.bind(house.journal);
    const reading = t.mock.method(house.journal, 'runs', async (...given: Parameters<typeof runs>) => {
      await goOn;
      return await runs(...given);
    });
    void janaki.ask('run.list');
    void janaki.ask('run.ask', REBOOT);
    await until(async () => (await eve.barrier(), reading.mock.callCount() === 1));
    janaki.cut();
    // What is read no further is known to be gone when something is written to it.
    await until(async () => (await eve.ask('chat.send', { to: ['Janaki'], text: 'hi' }), !(await isHere())));
    letGo();
    await eve.barrier();
    assert.deepEqual(await eve.ask('approval.list'), { approvals: [] });
    assert.deepEqual(
      house.told.filter(({ event }) => event === 'approval'),
      [],
    );
    assert.equal(await isHere(), false);
  });
}
