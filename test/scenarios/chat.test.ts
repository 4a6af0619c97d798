// The evening the project grew out of, replayed; and what may go wrong in such an evening.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { newAccount } from '../kit/accounts.ts';
import { Caller } from '../kit/caller.ts';
import { outcomeOf, partyline, ROOT, start } from '../kit/program.ts';
import { needs } from '../kit/needs.ts';
import { at, LOOPBACKS, startServer } from '../kit/server.ts';

const DATE = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`;
const TRANSCRIPT = join(ROOT, 'test/vectors/transcripts/chat-three-and-one.txt');

interface Step {
  readonly who: string;
  readonly does: '>' | '<';
  readonly text: string;
}

function steps(): Step[] {
  const lines = readFileSync(TRANSCRIPT, 'utf8').split('\n');
  return lines.flatMap((line) => {
    const [, who, does, text] = /^\d\d:\d\d:\d\d (\S+) +([<>]) (.*)$/.exec(line) ?? [];
    return who !== undefined && text !== undefined && (does === '>' || does === '<') ? [{ who, does, text }] : [];
  });
}

for (const host of LOOPBACKS) {
  test(`quit at the name prompt leaves, also after names that were refused: ${host}`, async () => {
    await using server = await startServer();
    await using witness = await Caller.named('A', host, server.port);
    for (const said of ['quit', ' quit ', 'A\nsend all hi\nquit']) {
      await using caller = await Caller.connect(host, server.port);
      caller.type(said);
      assert.doesNotMatch(await caller.heard.rest(), /Connected with/, said);
    }
    assert.equal(await witness.barrier(), '');
    assert.doesNotMatch(server.program.stdout.text, /Name of client: quit/);
    await using account = await Caller.connect(host, server.port);
    await newAccount('quit', server);
    account.type('quit');
    await account.until('Password: ');
  });

  test(`three come in, talk, one leaves, a fourth arrives, all leave: word for word over ${host}`, async (t) => {
    await using server = await startServer();
    const callers = new Map<string, Caller>();
    t.after(() => Promise.all(Array.from(callers.values(), (caller) => caller[Symbol.asyncDispose]())));
    const of = (who: string) => {
      const caller = callers.get(who);
      assert.ok(caller, `${who} is not here`);
      return caller;
    };
    let replayed = 0;
    for (const { who, does, text } of steps()) {
      if (who === 'server') {
        if (text !== 'server starting') await server.program.stdout.until(`${text}\n`);
      } else if (does === '<') {
        const heard = await of(who).until(/\n.*\n/);
        assert.match(heard, new RegExp(`^${DATE}\n`));
        assert.equal(heard.slice(heard.indexOf('\n') + 1), `${text}\n`);
      } else if (text === '(comes in)') {
        const caller = await Caller.connect(host, server.port);
        callers.set(who, caller);
        await caller.until('Enter your name: ');
        caller.type(who);
        const welcome = await caller.until(/^Format: .*\n\n/m);
        assert.match(
          welcome,
          new RegExp(`^Connected with Server at date_time = ${DATE}\n\nFormat: .*get_list.*send.*quit.*\n\n$`),
        );
        await server.program.stdout.until(`Name of client: ${who}\n`);
      } else {
        of(who).type(text);
        if (text === 'quit') assert.equal(await of(who).heard.rest(), '');
      }
      replayed++;
    }
    assert.ok(replayed > 40, `${replayed} steps were replayed`);
  });

  test(`everything may be said before any prompt, and what was accepted before an EOF is delivered: ${host}`, async () => {
    await using server = await startServer();
    await using bob = await Caller.named('bob', host, server.port);
    await using eve = await Caller.connect(host, server.port);
    eve.socket.end('A\nsend all hi\nsend bob : last words');
    const heard = await eve.heard.rest();
    assert.match(heard, /^Connected with Server at /);
    assert.match(await bob.until(/last words\n/), /A \(broadcasted\) : hi\n.*\nA \(singlecasted\) : last words\n/);
    await server.program.stdout.until('A connection closed\n');
  });

  test(`telnet line ends and sequences are taken as they come: ${host}`, async () => {
    await using server = await startServer();
    await using bob = await Caller.connect(host, server.port);
    bob.socket.write(Buffer.from([0xff, 0xfd, 0x03, ...Buffer.from('bob\r\n')]));
    await bob.until(/^Format: .*\n\n/m);
    bob.socket.write(Buffer.from([0xff, 0xf4, 0xff, 0xfd, 0x06, ...Buffer.from('send bob : hé\r\n')]));
    assert.match(await bob.until(/hé\n/), /^.*\nbob \(singlecasted\) : hé\n$/);
  });

  test(`a refusal is one line, changes nothing, and the session goes on: ${host}`, async () => {
    await using server = await startServer();
    await using a = await Caller.connect(host, server.port);
    await a.until('Enter your name: ');
    for (const name of ['', 'all', 'OWNER', 'server', 'a b', '-x', 'x'.repeat(33), 'esc\x1b[31m']) {
      a.type(name);
      const answer = await a.until('Enter your name: ');
      assert.match(answer, /^error: Cannot come in as "[^\n]*\nEnter your name: $/);
      assert.ok(!answer.includes('\x1b'));
    }
    a.type('Vamshi');
    await a.until(/^Format: .*\n\n/m);
    await using taken = await Caller.connect(host, server.port);
    taken.type('vAMSHI');
    assert.equal(
      await taken.until('Enter your name: '),
      'error: Cannot come in as "vAMSHI": somebody of that name is here\nEnter your name: ',
    );
    taken.type('Janaki');
    await taken.until(/^Format: .*\n\n/m);
    const refused: [line: string, words: RegExp][] = [
      [
        'send Janaki Bob Eve : hi',
        /^error: Cannot send: nobody named "Bob", "Eve" is here or has an account; the message was sent to nobody\n$/,
      ],
      ['send Janaki all : hi', /^error: Cannot send: all is everyone already and stands alone; /],
      ['send Janaki :', /^error: Cannot send: the message is empty/],
      ['send Janaki hi', /^error: Cannot read the command: its form is send NAME/],
      ['dance', /^error: Unknown command "dance": help lists those that there are\n$/],
      ['run : id', /^error: Cannot run id on "Server" as \S+, a guest: guests run nothing; nothing was started/],
      ['login wrong', /^error: Cannot log in: the token is not valid\n$/],
      ['x'.repeat(65_537), /^error: Cannot read the line: it is longer than 65536 bytes and was skipped\n$/],
    ];
    for (const [line, words] of refused) {
      a.type(line);
      assert.match(await a.until('\n'), words);
    }
    a.socket.write(Buffer.from([0x61, 0xff, 0xff, 0x0a]));
    assert.match(await a.until('\n'), /^error: Cannot read the line: it is not UTF-8 and went nowhere\n$/);
    assert.equal(await a.barrier(), '');
    assert.equal(await taken.barrier(), '');
  });

  test(`control characters are shown, never passed on: ${host}`, async () => {
    await using server = await startServer();
    await using bob = await Caller.named('bob', host, server.port);
    await using eve = await Caller.named('eve', host, server.port);
    eve.type('send bob : \x1b]0;owned\x07 \u202eabc \u2028 tab\there');
    assert.match(
      await bob.until(/here\n/),
      /eve \(singlecasted\) : \\x1b\]0;owned\\x07 \\u202eabc \\u2028 tab\\there\n$/,
    );
  });

  test(`partyline chat takes lines and gives lines, and ends with its input: ${host}`, async () => {
    await using server = await startServer();
    await using bob = await Caller.named('bob', host, server.port);
    await using program = partyline(['chat', at(host, server.port), '--name', 'eve']);
    const { status, stdout, stderr } = await outcomeOf(program, 'send bob : hi\nget_list\n');
    assert.deepEqual([status, stderr], [0, '']);
    assert.match(
      stdout,
      new RegExp(
        `^Connected with Server at date_time = ${DATE}\n\nFormat: .*\n\n${DATE}\nAvailable client: bob eve\n$`,
      ),
    );
    await bob.until('eve (singlecasted) : hi\n');
  });

  test(`partyline chat is the owner on the owner's machine, and a guest by another name, and says which: ${host}`, async () => {
    await using server = await startServer({ args: ['--owner', 'Janaki'] });
    const own = { PARTYLINE_DATA: server.directory, PARTYLINE_TOKEN_FILE: '' };
    const byFile = { PARTYLINE_DATA: '', PARTYLINE_TOKEN_FILE: join(server.directory, 'owner.token') };
    const chat = (args: string[], env: Record<string, string>) =>
      outcomeOf(partyline(['chat', at(host, server.port), ...args], { env }), 'get_list\nrun : exit 3\n');
    const asOwner = /^Available client: Janaki\nServer no output\nServer exited 3\n$/m;
    for (const env of [own, byFile]) {
      const unnamed = await chat([], env);
      assert.match(unnamed.stdout, asOwner);
      assert.equal(unnamed.stderr, 'partyline chat: you are Janaki\n');
      const named = await chat(['--name', 'janaki'], env);
      assert.match(named.stdout, asOwner);
      const other = await chat(['--name', 'Vamshi'], env);
      assert.match(other.stdout, /^Available client: Vamshi\nerror: Cannot run .* as Vamshi, a guest/m);
      assert.equal(other.stderr, 'partyline chat: you are Vamshi, a guest; without --name you are Janaki\n');
    }
    const who = partyline(['whoami', '--json', '--host', at(host, server.port)], { env: own });
    assert.deepEqual(JSON.parse((await outcomeOf(who)).stdout), {
      name: 'Janaki',
      role: 'owner',
      host: at(host, server.port),
    });
  });

  test(`partyline chat shows a server that is not the owner's nothing, and still comes in there as a guest: ${host}`, async () => {
    await using server = await startServer();
    await using other = await startServer();
    const env = { PARTYLINE_DATA: other.directory, PARTYLINE_TOKEN_FILE: '' };
    const chat = (...args: string[]) =>
      outcomeOf(partyline(['chat', at(host, server.port), ...args], { env }), 'get_list\n');
    const { status, stdout, stderr } = await chat();
    assert.deepEqual([status, stdout], [255, '']);
    assert.match(
      stderr,
      /^partyline chat: Cannot come in as the owner at .*: this server does not know the owner token.*; --name NAME comes in as a guest$/m,
    );
    assert.match((await chat('--name', 'Vamshi')).stdout, /^Available client: Vamshi$/m);
  });
}

test('partyline chat says what it could not do, with status 255', async () => {
  await using server = await startServer();
  await using bob = await Caller.named('bob', '127.0.0.1', server.port);
  await using taken = partyline(['chat', at('::1', server.port), '--name', 'Bob']);
  assert.deepEqual(await outcomeOf(taken), {
    status: 255,
    stdout: '',
    stderr: 'partyline chat: Cannot come in as "Bob": somebody of that name is here\n',
  });
  await using eve = partyline(['chat', at('::1', server.port), '--name', 'eve']);
  await eve.stdout.until(/^Format: .*\n\n/m);
  server.program.kill('SIGKILL');
  assert.equal(await eve.ended, 255);
  await bob.heard.rest();
  await using nobody = partyline(['chat', at('::1', server.port), '--name', 'eve']);
  const { status, stderr } = await outcomeOf(nobody);
  assert.equal(status, 255);
  assert.equal(stderr, `partyline chat: Cannot connect to ::1 port ${server.port}: connection refused\n`);
});

test('all members see all messages in one order', async (t) => {
  await using server = await startServer();
  const callers = await Promise.all(
    ['a', 'b', 'c', 'd'].map((name, at) => Caller.named(name, LOOPBACKS[at % 2] ?? '::1', server.port)),
  );
  t.after(() => Promise.all(callers.map((caller) => caller[Symbol.asyncDispose]())));
  await using reader = await Caller.named('reader', '::1', server.port);
  const count = 500;
  // Everyone sends to all and, in between, to some: every lane has a view of its own and still the same order.
  // Now and then somebody asks so much that its own answers hold its next commands back.
  for (let n = 0; n < count; n++) {
    const asking = callers[n % 7];
    if (asking !== undefined) for (let k = 0; k < 100; k++) asking.type('help');
    for (const caller of callers) caller.type(n % 3 === 0 ? `send a b c d reader : ${n}` : `send all ${n}`);
  }
  // A barrier each: everything said is heard by then. Once more, and everyone has heard everyone.
  const everyone = [reader, ...callers];
  const early = await Promise.all(everyone.map((caller) => caller.barrier()));
  const late = await Promise.all(everyone.map((caller) => caller.barrier()));
  const views = everyone.map((_, at) =>
    `${early[at]}${late[at]}`.split('\n').filter((line) => line.includes('casted) : ')),
  );
  const [whole = [], ...others] = views;
  assert.equal(whole.length, count * callers.length);
  for (const [at, view] of others.entries()) {
    const own = ['a', 'b', 'c', 'd'][at];
    assert.deepEqual(
      view,
      whole.filter((line) => !line.startsWith(`${own} (broadcasted)`)),
    );
  }
});

test('a reader that does not read costs nobody anything and misses nothing', async () => {
  await using server = await startServer();
  await using sender = await Caller.named('sender', '127.0.0.1', server.port);
  await using reader = await Caller.named('reader', '::1', server.port);
  await using stuck = await Caller.named('stuck', '127.0.0.1', server.port);
  stuck.socket.pause();
  // More than the stuck one's outbox and the kernel's buffers hold.
  const count = 200;
  const numbers = Array.from({ length: count }, (_, n) => String(n));
  for (const number of numbers) {
    sender.type(`send all ${number} ${'x'.repeat(60_000)}`);
    await reader.until(new RegExp(`: ${number} x+\n`));
  }
  stuck.socket.resume();
  const heard = await stuck.until(new RegExp(`: ${count - 1} x+\n`));
  assert.deepEqual(
    Array.from(heard.matchAll(/^sender \(broadcasted\) : (\d+) x{60000}$/gm), ([, number]) => number),
    numbers,
  );
  const behind = Array.from(heard.matchAll(/^catching up: (\d+) behind$/gm), ([, number]) => Number(number));
  assert.ok(behind.length > 0 && behind.every((number) => number > 0 && number <= count), String(behind));
  sender.type('send stuck : and on');
  await stuck.until(/^sender \(singlecasted\) : and on\n/m);
  assert.equal(await sender.barrier(), '');
});

for (const host of LOOPBACKS) {
  test(`from plain nc, with a half-close: ${host}`, async (t) => {
    if (!needs(t, ['nc'])) return;
    await using server = await startServer();
    await using bob = await Caller.named('bob', host, server.port);
    await using nc = start('nc', ['-N', host, String(server.port)]);
    const { status, stdout } = await outcomeOf(nc, 'A\nsend all hi\nquit\n');
    assert.equal(status, 0);
    // A busy machine may take so long to start nc that the prompt comes first.
    assert.match(stdout, /^(?:Enter your name: )?Connected with Server at date_time = /);
    await bob.until('A (broadcasted) : hi\n');
  });

  test(`from telnet: ${host}`, async (t) => {
    if (!needs(t, ['telnet'])) return;
    await using server = await startServer();
    await using telnet = start('telnet', [host, String(server.port)]);
    await telnet.stdout.until('Enter your name: ');
    telnet.stdin.write('Vamshi\n');
    await telnet.stdout.until(/^Format: .*\n/m);
    telnet.stdin.write('send Vamshi : to myself\n');
    await telnet.stdout.until('Vamshi (singlecasted) : to myself');
    telnet.stdin.write('quit\n');
    await server.program.stdout.until('Vamshi connection closed\n');
    await telnet.ended;
  });
}
