// The commands for scripts against the real server: what they print, what they end with, and who they come in as.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { Caller } from '../kit/caller.ts';
import { aDirectory } from '../kit/directory.ts';
import { outcomeOf, partyline } from '../kit/program.ts';
import { at, LOOPBACKS, startServer } from '../kit/server.ts';
import { loggedIn, refused, someone, type Someone } from '../kit/someone.ts';

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/;

for (const host of LOOPBACKS) {
  test(`send, list, history and search say what they found, in the fields that scripts rely on: ${host}`, async () => {
    await using server = await startServer();
    const owner = someone(server.directory, at(host, server.port));
    await using vamshi = await Caller.named('Vamshi', host, server.port);
    const [sent] = await owner.json('send', '--to', 'Vamshi', 'hello you');
    assert.deepEqual(sent?.['to'], { Vamshi: 'delivered' });
    await vamshi.until('owner (singlecasted) : hello you');
    const [again] = await owner.json('send', '--to', 'all', '--key', 'once', 'to everyone');
    const [repeat] = await owner.json('send', '--to', 'all', '--key', 'once', 'to everyone');
    assert.equal(repeat?.['id'], again?.['id']);
    assert.equal(repeat?.['repeat'], true);

    const [listed, ...others] = await owner.json('list');
    assert.deepEqual(others, []);
    assert.match(String(listed?.['since']), TIME);
    const family = host === '::1' ? 'ipv6' : 'ipv4';
    assert.deepEqual({ ...listed, since: '' }, { name: 'Vamshi', kind: 'person', since: '', family });

    const past = await owner.json('history');
    assert.match(String(past[0]?.['at']), TIME);
    assert.deepEqual(
      past.map(({ id, from, to, cast, text }) => ({ id, from, to, cast, text })),
      [
        { id: sent?.['id'], from: 'owner', to: ['Vamshi'], cast: 'singlecast', text: 'hello you' },
        { id: again?.['id'], from: 'owner', to: ['all'], cast: 'broadcast', text: 'to everyone' },
      ],
    );
    assert.deepEqual(await owner.json('history', '--limit', '1'), past.slice(1));
    assert.deepEqual(await owner.json('history', '--after', String(sent?.['id'])), past.slice(1));
    assert.deepEqual(await owner.json('history', '--with', 'Vamshi'), past.slice(0, 1));
    const [found, ...more] = await owner.json('search', 'everyone');
    assert.equal(found?.['id'], again?.['id']);
    assert.deepEqual(more, []);
    assert.match(
      (await owner.run(['history'])).stdout,
      /^\d+ .* owner to Vamshi : hello you\n\d+ .* owner to all : to everyone\n$/,
    );
  });

  test(`people read times of this machine in one form, whatever the command: ${host}`, async () => {
    await using server = await startServer();
    const owner = someone(server.directory, at(host, server.port));
    await using _vamshi = await Caller.named('Vamshi', host, server.port);
    await owner.json('send', '--to', 'Vamshi', 'hello you');
    assert.equal((await outcomeOf(partyline(['run', at(host, server.port), '--', 'true'], server))).status, 0);
    await owner.json('token', 'new', 'a program');
    const shown = ['invite bob', 'list', 'history', 'search hello', 'members', 'token list', 'runs', 'runs show 1'];
    for (const command of [...shown, 'doctor']) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other, on one server
      const { stdout } = await owner.run(command.split(' '));
      assert.match(stdout, /\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?![\d.Z])/, command);
      assert.doesNotMatch(stdout, /\d{4}-\d\d-\d\dT\d\d:/, command);
    }
  });

  test(`whoever looks back at nothing is told so, and told apart from looking back at nobody: ${host}`, async () => {
    await using server = await startServer();
    const owner = someone(server.directory, at(host, server.port));
    const said = async (...args: string[]) => {
      const { status, stdout, stderr } = await owner.run(args);
      assert.equal(stdout, '');
      return `${status} ${stderr}`;
    };
    for (const args of [['history'], ['search', 'tea'], ['export'], ['history', '--with', 'all']]) {
      assert.equal(await said(...args), `0 partyline ${args[0]}: no messages\n`);
      assert.equal(await said(...args, '--json'), '0 ');
    }
    await using gus = await Caller.named('Gus', host, server.port);
    assert.equal(await said('history', '--with', 'gus'), '0 partyline history: no messages\n');
    gus.type('send owner : I was here');
    gus.type('history with bobb');
    assert.equal(await gus.until('\n'), 'No messages: nobody is named "bobb"\n');
    gus.type('history with #ops');
    assert.equal(await gus.until('\n'), 'No messages: there is no group "#ops"\n');
    gus.type('history with owner before 1');
    assert.equal(await gus.until('\n'), 'No messages\n');
    gus.type('quit');
    await gus.heard.rest();
    assert.match((await owner.run(['history', '--with', 'Gus'])).stdout, /I was here/);
    assert.equal(await said('history', '--with', 'Gus', '--before', '1'), '0 partyline history: no messages\n');
    for (const args of [['history'], ['history', '--after', '0'], ['history', '--json'], ['export']]) {
      assert.equal(
        await said(...args, '--with', 'bobb'),
        `1 partyline ${args[0]}: Cannot look back at "bobb": nobody of that name is here or has an account, and nothing was said\n`,
      );
    }
    assert.match(
      await said('history', '--with', '#ops'),
      /^1 .* "#ops": there is no such group, and nothing was said\n$/,
    );
  });

  test(`groups are joined, listed, spoken to and left: ${host}`, async () => {
    await using server = await startServer();
    const owner = someone(server.directory, at(host, server.port));
    assert.equal((await owner.run(['groups'])).stdout, 'You are in no group; --all lists the others\n');
    assert.equal((await owner.run(['groups', '--all'])).stdout, 'There are no groups\n');
    await using vamshi = await Caller.named('Vamshi', host, server.port);
    for (const group of ['#ops', '#tea']) {
      vamshi.type(`join ${group}`);
      await vamshi.until(`Joined ${group}`);
    }
    vamshi.type('send #ops : before you came');
    await vamshi.barrier();
    assert.deepEqual(await owner.json('groups'), []);
    assert.deepEqual(await owner.json('groups', 'join', '#OPS'), [{ name: '#ops', state: 'joined' }]);
    assert.deepEqual(await owner.json('groups', 'join', '#ops'), [{ name: '#ops', state: 'joined' }]);
    assert.deepEqual(await owner.json('groups'), [{ name: '#ops', members: ['Vamshi', 'owner'] }]);
    assert.deepEqual(await owner.json('groups', '--all'), [
      { name: '#ops', members: ['Vamshi', 'owner'] },
      { name: '#tea', members: ['Vamshi'] },
    ]);
    assert.equal((await owner.run(['groups', '--all'])).stdout, '#ops  Vamshi owner\n#tea  Vamshi\n');
    vamshi.type('send #ops : for the few');
    await vamshi.barrier();
    assert.deepEqual(
      (await owner.json('export', '--with', '#ops')).map(({ text }) => text),
      ['for the few'],
    );
    assert.equal((await owner.run(['groups', 'leave', '#ops'])).stdout, 'You have left #ops\n');
    assert.deepEqual(await owner.json('groups'), []);
    refused(await owner.run(['groups', 'leave', '#ops']), /^partyline groups: .*you are not in "#ops"/);
    refused(await owner.run(['groups', 'leave', '#none']), /^partyline groups: .*there is no group "#none"/);
    refused(
      await owner.run(['groups', 'join', 'ops']),
      /^partyline groups: .*"ops" is no name of a group: it begins with #/,
    );
  });

  test(`a message to somebody unknown is refused with status 1, and nobody gets it: ${host}`, async () => {
    await using server = await startServer();
    const owner = someone(server.directory, at(host, server.port));
    await using vamshi = await Caller.named('Vamshi', host, server.port);
    refused(await owner.run(['send', '--to', 'Vamshi,nobody', 'psst']), /^partyline send: .*nobody/);
    assert.deepEqual(await owner.json('history'), []);
    assert.doesNotMatch(await vamshi.barrier(), /psst/);
  });

  test(`a refusal says what was attempted, on whom, and why, in words of people: ${host}`, async (t) => {
    await using server = await startServer();
    const target = at(host, server.port);
    const owner = someone(server.directory, target);
    const bob = await loggedIn('bob', { owner, state: aDirectory(t), target });
    const said = async (who: Someone, ...args: string[]) => {
      const outcome = await who.run(args);
      refused(outcome, /^partyline /);
      return outcome.stderr.trim();
    };
    assert.equal(
      await said(bob, 'invite', 'eve'),
      'partyline invite: Cannot invite: only operators and the owner may, and you are a member',
    );
    assert.equal(
      await said(owner, 'invite', 'b0b'),
      'partyline invite: Cannot invite "b0b": the name looks like "bob", which is somebody else\'s',
    );
    assert.equal(
      await said(owner, 'revoke', 'eve'),
      'partyline revoke: Cannot revoke "eve": there is no account and no invitation named "eve"',
    );
    assert.match(
      await said(owner, 'revoke', 'owner'),
      /Cannot revoke "owner": only the owner may, or the operator who/,
    );
    assert.equal(
      await said(owner, 'send', '--to', 'bob,eve,#tea', 'hi'),
      'partyline send: Cannot send: nobody named "eve" is here or has an account, and there is no group "#tea"; ' +
        'the message was sent to nobody',
    );
    for (const name of ['hugo', 'ida']) await owner.json('invite', name);
    assert.equal(
      await said(owner, 'send', '--to', 'Hugo', 'hi'),
      'partyline send: Cannot send: "Hugo" is invited and has not come in yet; the message was sent to nobody',
    );
    assert.equal(
      await said(owner, 'send', '--to', 'hugo,eve,ida', 'hi'),
      'partyline send: Cannot send: nobody named "eve" is here or has an account, and "hugo", "ida" are invited and ' +
        'have not come in yet; the message was sent to nobody',
    );
    assert.equal(
      await said(bob, 'send', '--to', 'hugo', 'hi'),
      'partyline send: Cannot send: nobody named "hugo" is here or has an account; the message was sent to nobody',
    );
    assert.equal((await owner.run(['revoke', 'bob'])).status, 0);
    assert.equal(
      await said(owner, 'revoke', 'bob'),
      'partyline revoke: Cannot revoke "bob": the account is revoked already',
    );
    assert.equal(
      await said(owner, 'invite', 'bob'),
      'partyline invite: Cannot invite "bob": the name belonged to an account that was revoked, and stays taken',
    );
    await using guest = await Caller.connect(host, server.port);
    guest.type('bob');
    guest.type('any password');
    assert.doesNotMatch(await guest.until(/error: .*\n/m), /revoked/);
  });
}

test('a text from standard input keeps its lines, and a token file says who comes in', async (t) => {
  const state = aDirectory(t);
  await using server = await startServer();
  const target = at('127.0.0.1', server.port);
  const owner = someone(server.directory, target);
  const env = {
    PARTYLINE_DATA: state,
    PARTYLINE_HOST: target,
    PARTYLINE_TOKEN_FILE: join(server.directory, 'owner.token'),
  };
  const sent = await outcomeOf(partyline(['send', '--to', 'owner', '-'], { env }), 'one\ntwo\n');
  assert.equal(sent.status, 0, sent.stderr);
  assert.match(sent.stdout, /^\d+ owner=stored\n$/);
  const [message] = await owner.json('history');
  assert.equal(message?.['text'], 'one\ntwo');
  assert.match((await owner.run(['history'])).stdout, /: one\\ntwo\n$/);
});

test('wrong usage says what is expected', async (t) => {
  const nobody = someone(aDirectory(t), 'localhost:1');
  for (const [line, expected] of [
    ['history --limit -1', '--limit takes a number from 1 on, not "-1"'],
    ['search tea --limit 0', '--limit takes a number from 1 on, not "0"'],
    ['export --after -1', '--after takes the id of a message, or 0, not "-1"'],
    ['history --with=', '--with takes a name, a #group or all, not ""'],
    ['export --with=', '--with takes a name, a #group or all, not ""'],
    ['login --code=', '--code takes a code, or - for standard input, not ""'],
    ['login --name=', '--name takes the name of an account, not ""'],
    ['send --to -- tea', '--to takes a value, and what follows begins with "-"; if it is meant: --to=VALUE'],
    ['history --before abc', '--before takes the id of a message, or 0, not "abc"'],
    ['runs --before abc', '--before takes the number of a run, or 0, not "abc"'],
    ['list --host', '--host takes a value, and none follows'],
  ] as const) {
    const [command = '', ...args] = line.split(' ');
    const { status, stdout, stderr } = await nobody.run([command, ...args]);
    assert.deepEqual(
      { status, stdout, stderr },
      { status: 64, stdout: '', stderr: `partyline ${command}: ${expected}\n` },
    );
  }
  const run = await nobody.run(['run', '::1:26100', '--', 'id']);
  refused(run, /^partyline run: Cannot use "::1:26100" as an address: .* is written \[IPV6\]:PORT$/m, 255);
});

test('wrong usage is status 64 and one line', async (t) => {
  const nobody = someone(aDirectory(t), 'localhost:1');
  for (const args of [
    ['send', 'text'],
    ['send', '--to', 'bob'],
    ['send', '--to', 'bob,,eve', 'x'],
    ['list', 'x'],
    ['hosts', 'x'],
    ['whoami', 'x'],
    ['approvals', 'x'],
    ['login', 'x', '--code', 'A'],
    ['history', '--limit', '0'],
    ['history', '--before', 'x'],
    ['list', '--host', 'a b'],
    ['list', '--host', '::1:26100'],
    ['doctor', '--host', 'localhost:99999'],
    ['logout', '--host', 'http://localhost'],
    ['login', '--name', 'bob', '--host', 'http://localhost'],
    ['search'],
    ['groups', 'ops'],
    ['groups', 'join'],
    ['groups', 'join', '#a', '#b'],
    ['groups', 'leave', '#a', '--all'],
    ['export', 'x'],
    ['export', '--after', '-1'],
    ['invite'],
    ['invite', 'bob', '--role', 'king'],
    ['invite', 'bob', '--as', 'cat'],
    ['members', 'x'],
    ['revoke'],
    ['login'],
    ['login', '--code', 'A', '--name', 'b'],
    ['logout', 'x'],
    ['password', 'secret'],
    ['token'],
    ['token', 'new'],
    ['token', 'new', ''],
    ['token', 'new', 'a', 'b'],
    ['token', 'new', 'x'.repeat(65)],
    ['token', 'list', 'x'],
    ['token', 'list', '--out', 'x'],
    ['token', 'remove'],
    ['token', 'remove', 'x'],
    ['token', 'burn'],
    ['backup'],
    ['restore', 'x'],
    ['verify', 'x', 'y'],
    ['verify', 'x', '--data', 'y'],
    ['doctor', '--nonsense'],
  ]) {
    refused(await nobody.run(args), new RegExp(`^partyline ${args[0]}: `), 64);
  }
  refused(await nobody.run(['list']), /^partyline list: Cannot connect to localhost/);
  refused(await nobody.run(['logout']), /Nobody is logged in to localhost:1/);
});
