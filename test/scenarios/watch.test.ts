// A watch of a host that goes away and comes back: what it prints, whom it tells, and the status that it ends with.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { aDirectory } from '../kit/directory.ts';
import { freePort } from '../kit/listener.ts';
import { partyline } from '../kit/program.ts';
import { at, LOOPBACKS, startServer } from '../kit/server.ts';
import { someone } from '../kit/someone.ts';

/** An echo that can be taken away from its port, and be put there again. */
async function echoOn(host: string, port: number) {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket.on('error', () => {}).on('close', () => sockets.delete(socket)));
    socket.pipe(socket);
  }).listen(port, host);
  await once(server, 'listening');
  return {
    [Symbol.dispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

for (const host of LOOPBACKS) {
  test(`who watches a host hears when it goes and comes back, and so do those who are told: ${host}`, async (t) => {
    const directory = aDirectory(t);
    await using chat = await startServer({ directory });
    const owner = someone(directory, at(host, chat.port));
    const port = await freePort(host);
    const target = at(host, port);
    const family = `IPv${host.includes(':') ? 6 : 4}`;
    const env = { PARTYLINE_DATA: directory };
    const args = ['--every', '1', '--count', '1', '--tell', 'owner', '--host', at(host, chat.port)];
    const watch = () => partyline(['echo', target, '--probe', '--watch', ...args], { env });

    await using first = watch();
    using here = await echoOn(host, port);
    await first.stdout.until(/ (?:works over|takes no connections on port)/);
    await first.stdout.until(new RegExp(`  ${family} [\\d.]+ ms\n`));
    here[Symbol.dispose]();
    await first.stdout.until(
      `[CHANGED] ${host} takes no connections on port ${port}; ${family}: the host answers, but nothing listens on port ${port}`,
    );
    // It tells before it probes again.
    await first.stdout.until(new RegExp(`(?:${family} does not work\n[^]*){2}`));
    const [told] = await owner.json('history', '--limit', '1');
    assert.match(
      String(told?.['text']),
      new RegExp(`^\\[CHANGED\\] ${RegExp.escape(host)} takes no connections on port ${port}; ${family}: `),
    );
    first.kill('SIGINT');
    assert.equal(await first.ended, 3, 'as a probe that finds nothing');

    using _back = await echoOn(host, port);
    await using second = watch();
    await second.stdout.until(`[CHANGED] ${host} works over ${family}\n`);
    await second.stdout.until(new RegExp(`(?:${family} [\\d.]+ ms\n[^]*){2}`));
    const [again] = await owner.json('history', '--limit', '1');
    assert.equal(again?.['text'], `[CHANGED] ${host} works over ${family}`);
    second.kill('SIGTERM');
    assert.equal(await second.ended, 0);
    assert.equal(first.stderr.text + second.stderr.text, '');

    const others = args.map((arg) => (arg === 'owner' ? 'nosuch,owner' : arg));
    await using third = partyline(['echo', target, '--probe', '--watch', ...others], { env });
    await third.stderr.until(
      'partyline echo: There is nobody and no group named "nosuch"; nosuch, owner will not be told, and the watch goes on\n',
    );
    await third.stdout.until(`${host} works over ${family}\n`);
  });
}
