// The library against the real server: the examples of docs/guide/library.md as they stand there, and what it promises
// when the server is killed.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect, type Client } from '../../src/client/mod.ts';
import { asOwner, newAccount } from '../kit/accounts.ts';
import { aDirectory } from '../kit/directory.ts';
import { someMachines } from '../kit/machines.ts';
import { writePolicy } from '../kit/policy.ts';
import { outcomeOf, partyline, ROOT, start } from '../kit/program.ts';
import { at, LOOPBACKS, startServer, type TestServer } from '../kit/server.ts';

const NODE = join(ROOT, 'node_modules/.bin/node');

function examplesIn(text: string): string[] {
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map((match) => match[1] ?? '');
}

/** A service that starts twice, and then no more. */
function aService(directory: string): string {
  const path = join(directory, 'restart');
  const started = join(directory, 'started');
  const script = `echo "$1" >> ${started}; [ "$(wc -l < ${started})" -lt 3 ] || { echo "$1 does not start" >&2; exit 1; }`;
  writeFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o700 });
  return path;
}

function policyWith(restart: string): string {
  const rule = '[[allow]]\nwho = ["bob"]\non = "all"\nrun = ["sort"]\nshell = true\nverbs = ["restart"]\n';
  const approved = '[[allow]]\nwho = ["bob"]\non = "all"\nrun = ["true"]\napprove = ["owner"]\n';
  return `${rule}${approved}\n[verb.restart]\ncommand = ["${restart}", "{service}"]\nservice = ["nginx"]\n`;
}

/** What whoever may approve is told of in the chat. */
async function approveNext(owner: Client): Promise<void> {
  for await (const { text } of owner.messages()) {
    const [request] = await owner.approvals();
    if (request === undefined) continue;
    assert.match(text, /asks to run the program true on web1/);
    await owner.approve(request.approval, request.hash);
    return;
  }
}

for (const host of LOOPBACKS) {
  test(`the examples of the guide run as they stand there: ${host}`, async (t) => {
    const directory = aDirectory(t);
    writePolicy(directory, policyWith(aService(directory)));
    await using server = await startServer({ directory });
    await using _machines = await someMachines(
      Array.from({ length: 10 }, (_, index) => `web${index + 1}`),
      server,
      host,
    );
    const token = await newAccount('bob', server);
    const [send, bot, read, back, inShort, inStreams, restart, second, leave, wrong, ...others] = examplesIn(
      readFileSync(join(ROOT, 'docs/guide/library.md'), 'utf8'),
    );
    assert.deepEqual(others, []);
    assert.equal(bot, readFileSync(join(ROOT, 'examples/bot.ts'), 'utf8'));
    const run = async (example = '') => {
      const given = `const host = ${JSON.stringify(at(host, server.port))};\nconst token = ${JSON.stringify(token)};\n`;
      const file = join(directory, 'example.ts');
      writeFileSync(file, given + example.replaceAll('../src/', `${ROOT}/src/`));
      const { status, stdout, stderr } = await outcomeOf(start(NODE, [file]));
      assert.equal(status, 0, stderr);
      return stdout;
    };
    assert.equal(await run(send), '1 stored\n');
    await using owner = await asOwner(server, host);
    await owner.send('bob', 'one');
    await owner.send('bob', 'two');
    assert.equal(await run(read), 'owner one\nowner two\n');
    assert.equal(await run(read), '');
    assert.equal(await run(back), '1 the backup is done\n2 one\n3 two\n1 false undefined\n');
    assert.equal(await run(inShort), 'exited 0 HELLO\n\n');
    assert.equal(await run(inStreams), "web1\nweb2\n{ result: 'exited', status: 0 }\n");
    assert.equal(
      await run(restart),
      'web1 exited 0\nweb2 exited 0\nweb3 exited 1\nstopped at web3: nginx does not start\n',
    );
    const [waited] = await Promise.all([run(second), approveNext(owner)]);
    assert.match(waited, /^request \d+ waits for owner\n\{ result: 'exited', status: 0 \}\n$/);
    assert.equal(await run(leave), "begun\ndone\n{ result: 'exited', status: 0 } 11\n");
    assert.equal(await run(wrong), "unknown-recipient [ 'nobody' ]\n");
  });

  for (const where of ['in the checkout', 'elsewhere']) {
    test(`the echo bot, ${where}, says back what it is told: ${host}`, async (t) => {
      const directory = aDirectory(t);
      const own = join(ROOT, 'examples/bot.ts');
      const other = join(directory, 'bot.ts');
      writeFileSync(other, readFileSync(own, 'utf8').replace("'../src/", `'${ROOT}/src/`));
      await using server = await startServer();
      const tokenFile = join(directory, 'bot.token');
      writeFileSync(tokenFile, `${await newAccount('echo', server)}\n`, { mode: 0o600 });
      await using bot = start(NODE, [where === 'elsewhere' ? other : own, at(host, server.port), tokenFile]);
      await using owner = await asOwner(server, host);
      const messages = owner.messages();
      await owner.send('echo', 'are you there?');
      const { value } = await messages.next();
      assert.deepEqual([value?.from, value?.text], ['echo', 'are you there?']);
      assert.equal(bot.stderr.text, '');
    });
  }

  test(`over a server that is killed nothing is lost and nothing comes twice: ${host}`, async (t) => {
    const directory = aDirectory(t);
    await using first = await startServer({ directory });
    const { port } = first;
    const target = { host: at(host, port), reconnect: { firstDelayMs: 20, maxDelayMs: 100 } };
    await using bob = await connect({ ...target, credential: { token: await newAccount('bob', first) } });
    await using eve = await connect({ ...target, credential: { token: await newAccount('eve', first) } });
    const messages = bob.messages();
    const texts: string[] = [];
    const read = async (count: number) => {
      for (let at = 0; at < count; at++) {
        const { value } = await messages.next();
        if (value !== undefined) texts.push(value.text);
      }
    };
    const wanted = Array.from({ length: 60 }, (_, at) => `message ${at}`);
    await Promise.all(wanted.slice(0, 10).map((text) => eve.send('bob', text)));
    await read(5);
    first.program.kill('SIGKILL');
    await first.program.ended;
    // While nobody is there to take them.
    const sending = wanted.slice(10, 40).map((text) => eve.send('bob', text));
    await using second = await startServer({ directory, port });
    const sent = await Promise.all(sending);
    assert.ok(sent.every(({ repeat }) => !repeat));
    await Promise.all([...wanted.slice(40).map((text) => eve.send('bob', text)), read(55)]);
    assert.deepEqual(texts, wanted);
    const ids: number[] = [];
    for await (const { id } of bob.history({ limit: 1_000 })) ids.push(id);
    assert.equal(ids.length, 60);
    assert.ok(second.pid > 0);
  });

  test(`a client that goes on after a copy was put back gets each new message once: ${host}`, async (t) => {
    const [old, restored, copy] = [join(aDirectory(t), 'old'), join(aDirectory(t), 'new'), join(aDirectory(t), 'copy')];
    const texts: string[] = [];
    const done = async (...args: string[]) => {
      const { status, stderr } = await outcomeOf(partyline(args));
      assert.equal(status, 0, stderr);
    };
    const say = async (server: TestServer, ...said: string[]) => {
      await using owner = await asOwner(server, host);
      for (const text of said) await owner.send('bob', text);
    };
    const end = async (server: TestServer) => {
      server.program.kill('SIGTERM');
      assert.equal(await server.program.ended, 0);
    };
    await using first = await startServer({ directory: old });
    const { port } = first;
    const reconnect = { firstDelayMs: 20, maxDelayMs: 100 };
    const target = { host: at(host, port), reconnect, credential: { token: await newAccount('bob', first) } };
    await using bob = await connect(target);
    const messages = bob.messages();
    const read = async () => texts.push((await messages.next()).value?.text ?? 'none');
    await say(first, 'old 1', 'old 2');
    for (let count = 0; count < 2; count++) await read();
    const third = read();
    // Acknowledged, and known to be: a copy has what counts as read in it.
    await bob.list();
    await end(first);
    await done('backup', '--data', old, copy);
    await using before = await startServer({ directory: old, port });
    await say(before, 'lost 3', 'lost 4', 'lost 5');
    await third;
    for (let count = 0; count < 2; count++) await read();
    await end(before);
    await done('restore', copy, '--data', restored);
    await using after = await startServer({ directory: restored, port });
    await say(after, 'new 3', 'new 4', 'new 5', 'new 6');
    for (let count = 0; count < 2; count++) await read();
    // A later program reads the others: what was known of their ids counts for none of them.
    await messages.return?.();
    await bob.list();
    await bob.close();
    await using later = await connect(target);
    for await (const { text } of later.messages({ until: 'caught-up' })) texts.push(text);
    const wanted = ['old 1', 'old 2', 'lost 3', 'lost 4', 'lost 5', 'new 3', 'new 4', 'new 5', 'new 6'];
    assert.deepEqual(texts, wanted);
  });
}
