// The program itself, native clients and a person at nc: one chat, over sockets and WebSockets.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readOwnerToken } from '../../src/net/owner.ts';
import { accountInvite } from '../../src/protocol/native/methods/account.ts';
import { chatSend } from '../../src/protocol/native/methods/chat.ts';
import { loginCode } from '../../src/protocol/native/methods/login.ts';
import { Caller } from '../kit/caller.ts';
import { LOOPBACKS, startServer } from '../kit/server.ts';
import { Talker, TRANSPORTS } from '../kit/talker.ts';

for (const host of LOOPBACKS) {
  for (const over of TRANSPORTS) {
    test(`an invited account talks with nc, is cut, comes back after a restart and misses nothing: ${over} ${host}`, async () => {
      let token = '';
      await using server = await startServer();
      const { port, directory } = server;
      {
        await using owner = await Talker.connect(over, host, port);
        const proof = readOwnerToken(`${directory}/owner.token`);
        assert.ok(!('refused' in proof));
        await owner.becomeOwner(proof);
        const invited = accountInvite.parseResult(await owner.ask('account.invite', { name: 'Janaki' }));
        await using janaki = await Talker.connect(over, host, port);
        const came = await janaki.ask('login.code', { code: invited?.code, password: 'correct horse' });
        token = loginCode.parseResult(came)?.token ?? assert.fail(JSON.stringify(came));
        await using vamshi = await Caller.named('Vamshi', host, port);
        await janaki.ask('chat.subscribe');
        const sent = chatSend.parseResult(await janaki.ask('chat.send', { to: ['Vamshi'], text: 'hello' }));
        assert.deepEqual(sent?.to, new Map([['Vamshi', 'delivered']]), 'written to a line connection is delivered');
        await vamshi.until(/^Janaki \(singlecasted\) : hello$/m);
        vamshi.type('send Janaki : one');
        const { id, text } = await janaki.message();
        assert.equal(text, 'one');
        janaki.acknowledge(id);
        vamshi.type('send Janaki : two');
        assert.equal((await janaki.message()).text, 'two');
        janaki.cut();
        await janaki.closed();
        vamshi.type('send Janaki : three');
        await vamshi.barrier();
      }
      process.kill(server.pid, 'SIGTERM');
      assert.equal(await server.program.ended, 0);
      await using again = await startServer({ directory });
      await using janaki = await Talker.connect(over, host, again.port);
      assert.deepEqual(await janaki.ask('login.token', { token }), { name: 'Janaki', role: 'member' });
      await janaki.ask('chat.subscribe');
      assert.deepEqual([(await janaki.message()).text, (await janaki.message()).text], ['two', 'three']);
      await janaki.until('chat.live');
      assert.deepEqual(await janaki.barrier(), []);
    });
  }
}
