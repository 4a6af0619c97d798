// The commands for scripts against the real server: what they print, what they end with, and who they come in as.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Caller } from '../kit/caller.ts';
import { aDirectory } from '../kit/directory.ts';
import { leaveOut } from '../kit/needs.ts';
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

  test(`a second invitation says what it did to the first, and a machine's is for joining: ${host}`, async () => {
    await using server = await startServer();
    const owner = someone(server.directory, at(host, server.port));
    const first = await owner.run(['invite', 'bob']);
    assert.doesNotMatch(first.stdout, /earlier/);
    const second = await owner.run(['invite', 'bob']);
    assert.match(second.stdout, /^bob is invited as member until .*\nThe earlier code of bob no longer works\nhttp:/);
    const [third] = await owner.json('invite', 'bob');
    assert.equal(third?.['replaced'], true);

    const [host1] = await owner.json('invite', 'web1', '--as', 'host');
    assert.deepEqual(Object.keys(host1 ?? {}), [
      'name',
      'role',
      'kind',
      'code',
      'expires',
      'replaced',
      'existing',
      'join',
    ]);
    assert.equal(host1?.['join'], `partyline join ${at(host, server.port)} --code ${String(host1?.['code'])}`);
    const again = await owner.run(['invite', 'web1', '--as', 'host']);
    assert.equal(again.status, 0);
    assert.doesNotMatch(again.stdout, /#code|nc /);
    assert.match(again.stdout, /^partyline join .* --code [0-9A-Z-]+\.[\w-]{43}$/m);
  });

  test(`whoever is invited is told how to come from elsewhere, where the server listens to elsewhere: ${host}`, async (t) => {
    const own = ownAddress(host === '::1' ? 'IPv6' : 'IPv4');
    if (own === undefined) return leaveOut(t, `this machine has no address that others reach, as ${host} has a family`);
    await using server = await startServer({ args: ['--listen', 'tls://*:0'] });
    const target = at(host, server.port);
    const port = /tls:\/\/.*:(\d+)$/m.exec(server.program.stdout.text)?.[1];
    const owner = someone(server.directory, target);
    const [bob] = await owner.json('invite', 'bob');
    const place = at(own, Number(port));
    const places = bob?.['places'];
    assert.ok(Array.isArray(places) && places.includes(place), JSON.stringify(places));
    const [first] = places;
    assert.equal(bob?.['login'], `partyline login --host ${first} --code ${String(bob?.['code'])}`);
    assert.ok(String(bob?.['link']).startsWith(`https://${first}/#code=`), String(bob?.['link']));
    const { stdout } = await owner.run(['invite', 'web1', '--as', 'host']);
    assert.ok(stdout.includes(`\npartyline join ${first} --code `), stdout);
    const invitee = someone(aDirectory(t), place);
    assert.equal((await invitee.run(['login', '--code', '-'], `${String(bob?.['code'])}\n\n`)).status, 0);

    // Whoever is not the owner is not told where it listens, and the lines are as good as what it was met by.
    const operator = await loggedIn('eve', { owner, state: aDirectory(t), target, role: 'operator' });
    const { stderr, stdout: here } = await operator.run(['invite', 'carol']);
    assert.match(stderr, /this leads to this machine; for somebody elsewhere/);
    assert.ok(here.includes(`partyline login --host ${target} --code `), here);
  });

  test(`a server that listens on its own machine alone invites to there, and says so: ${host}`, async () => {
    await using server = await startServer();
    const owner = someone(server.directory, at(host, server.port));
    const { stdout, stderr } = await owner.run(['invite', 'bob']);
    assert.match(stderr, /^partyline invite: this is for somebody on this machine, where alone the server listens; /);
    assert.ok(stdout.includes(`partyline login --host ${at(host, server.port)} --code `), stdout);
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

  test(`a program comes in by a token of its own, until that is removed: ${host}`, async (t) => {
    await using server = await startServer();
    const [state, elsewhere] = [aDirectory(t), aDirectory(t)];
    const target = at(host, server.port);
    const bob = await loggedIn('bob', { owner: someone(server.directory, target), state, target });
    const file = join(elsewhere, 'bot.token');
    const by = (tokenFile: string, ...args: string[]) =>
      outcomeOf(
        partyline(args, {
          env: { PARTYLINE_DATA: elsewhere, PARTYLINE_HOST: target, PARTYLINE_TOKEN_FILE: tokenFile },
        }),
      );

    const [made] = await bob.json('token', 'new', 'the bot', '--out', file);
    assert.deepEqual(made, { id: made?.['id'], label: 'the bot', file });
    assert.match(readFileSync(file, 'utf8'), /^pl_[\w-]{43}\n$/);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const tokens = async () => (await bob.json('token', 'list')).map(({ id, label, since }) => [id, label, since]);
    const before = await tokens();
    assert.deepEqual(before[1]?.slice(0, 2), [made['id'], 'the bot']);
    assert.match(String(before[1]?.[2]), TIME);
    refused(await bob.run(['token', 'new', 'another', '--out', file]), /there is a file already; nothing was made/);
    refused(
      await bob.run(['token', 'new', 'x', '--out', join(elsewhere, 'no', 'file')]),
      /its directory does not exist/,
    );
    assert.deepEqual(await tokens(), before, 'a token was made that nobody has');

    assert.equal((await by(file, 'send', '--to', 'owner', 'by the bot')).status, 0);
    assert.match((await by(file, 'history')).stdout, /^\d+ .* bob to owner : by the bot\n$/);
    const chatted = partyline(['chat'], {
      env: { PARTYLINE_DATA: elsewhere, PARTYLINE_HOST: target, PARTYLINE_TOKEN_FILE: file },
    });
    assert.match((await outcomeOf(chatted, 'get_list\nquit\n')).stdout, /^Available client: bob$/m);
    refused(
      await by(file, 'run', '--', 'id'),
      /^partyline run: Cannot run id on "Server" as bob, a member: only the owner runs commands on the server itself/,
      255,
    );
    const kept = join(state, 'tokens', encodeURIComponent(target));
    refused(
      await by(kept, 'list'),
      /: Cannot use the token in .*: partyline login keeps it for one server, .*token new/,
    );
    writeFileSync(join(elsewhere, 'junk'), 'junk', { mode: 0o600 });
    refused(await by(join(elsewhere, 'junk'), 'list'), /it holds neither the token of an account nor an owner token/);

    const shown = await bob.run(['token', 'new', 'by hand']);
    assert.match(shown.stdout, /^pl_[\w-]{43}\n$/);
    assert.match(shown.stderr, /^partyline token: made token \d+ of bob, for "by hand"; it is not shown again\n$/);
    await using line = await Caller.connect(host, server.port);
    line.type(`login ${readFileSync(file, 'utf8').trim()}`);
    await line.until(/^Connected with /m);
    const removed = await bob.run(['token', 'remove', String(made['id'])]);
    assert.deepEqual([removed.status, removed.stdout], [0, `Token ${String(made['id'])} is removed\n`]);
    await line.until('error: Cannot stay: the token that you came in by has been removed\n');
    refused(await by(file, 'history'), /^partyline history: Cannot log in: the token is not valid/);
    refused(await bob.run(['token', 'remove', String(made['id'])]), /Cannot remove token \d+: you have no such token/);
  });

  test(`whoever logs in again has one token for it, and the list says which: ${host}`, async (t) => {
    await using server = await startServer();
    const [state, elsewhere] = [aDirectory(t), aDirectory(t)];
    const target = at(host, server.port);
    const owner = someone(server.directory, target);
    const bob = await loggedIn('bob', { owner, state, target });
    assert.equal((await bob.run(['password'], 'open sesame\n')).status, 0);
    assert.equal((await bob.run(['token', 'new', 'the bot', '--out', join(elsewhere, 'bot')])).status, 0);
    const before = readFileSync(join(state, 'tokens', encodeURIComponent(target)), 'utf8');
    const { token: earlier = '' }: { token?: string } = JSON.parse(before);
    writeFileSync(join(elsewhere, 'earlier'), earlier, { mode: 0o600 });

    const again = await bob.run(['login', '--name', 'bob'], 'open sesame\n');
    assert.deepEqual([again.status, again.stderr], [0, '']);
    assert.deepEqual(
      (await bob.json('token', 'list')).map(({ label, isHere }) => [label === 'the bot', isHere]),
      [
        [true, false],
        [false, true],
      ],
    );
    assert.match((await bob.run(['token', 'list'])).stdout, /^\d+ .* the bot\n\d+ .* \(kept here\)\n$/);
    const env = { PARTYLINE_DATA: elsewhere, PARTYLINE_HOST: target };
    const by = (file: string) =>
      outcomeOf(partyline(['list'], { env: { ...env, PARTYLINE_TOKEN_FILE: join(elsewhere, file) } }));
    refused(await by('earlier'), /^partyline list: Cannot log in: the token is not valid/);
    assert.equal((await by('bot')).status, 0);

    const eve = await loggedIn('eve', { owner, state, target });
    assert.equal((await eve.json('token', 'list')).length, 1);
    assert.equal((await bob.run(['login', '--name', 'bob'], 'open sesame\n')).status, 0);
    assert.equal((await bob.json('token', 'list')).length, 3, 'eve ended a token of bob');
  });

  test(`whoever has no other way in is told so, and does not lose the last one by mistake: ${host}`, async (t) => {
    await using server = await startServer();
    const target = at(host, server.port);
    const owner = someone(server.directory, target);
    const bob = someone(aDirectory(t), target);
    const [invited] = await owner.json('invite', 'bob');
    const login = await bob.run(['login', '--code', String(invited?.['code'])], '');
    assert.equal(login.status, 0);
    assert.match(
      login.stderr,
      /no password was given, so bob has none: .* the only way in; partyline password sets one\n$/,
    );
    refused(
      await bob.run(['logout']),
      /^partyline logout: Nothing is forgotten: the token is the only way in as bob; /,
    );
    assert.match((await bob.run(['whoami'])).stdout, /^bob \(member\)/);
    assert.equal((await bob.run(['logout', '--yes'])).status, 0);
    const [again] = await owner.json('invite', 'bob');
    const second = await bob.run(['login', '--code', String(again?.['code'])], 'open sesame\n');
    assert.deepEqual([second.status, second.stderr], [0, '']);
    assert.equal((await bob.run(['logout'])).status, 0);
  });

  test(`an invited one logs in with the code, talks, and is revoked: ${host}`, async (t) => {
    const state = aDirectory(t);
    await using server = await startServer();
    const target = at(host, server.port);
    const [owner, bob] = [someone(server.directory, target), someone(state, target)];
    refused(
      await bob.run(['send', '--to', 'owner', 'hi']),
      /nobody is logged in to .* there is no .*owner.token, .*PARTYLINE_DATA=DIR or PARTYLINE_TOKEN_FILE=DIR.*partyline login --host/,
    );
    const [invited] = await owner.json('invite', 'bob');
    assert.equal(invited?.['name'], 'bob');
    assert.equal(invited?.['replaced'], false);
    assert.match(String(invited?.['expires']), TIME);
    const code = String(invited?.['code']);
    assert.equal(invited?.['link'], `http://${target}/#code=${code}`);
    assert.equal(invited?.['login'], `partyline login --host ${target} --code ${code}`);

    const { status, stdout, stderr } = await bob.run(['login', '--code', '-'], `${code}\nopen sesame\n`);
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^Logged in to .* as bob \(member\)/);
    const kept = join(state, 'tokens', encodeURIComponent(target));
    assert.equal(statSync(kept).mode & 0o777, 0o600);
    assert.doesNotMatch(readFileSync(kept, 'utf8'), /sesame/);
    refused(await bob.run(['login', '--code', code]), /^partyline login: /);

    const [sent] = await bob.json('send', '--to', 'owner', 'here I am');
    assert.deepEqual(sent?.['to'], { owner: 'stored' });
    assert.deepEqual(
      (await owner.json('history')).map(({ from, text }) => [from, text]),
      [['bob', 'here I am']],
    );
    const roles = (await owner.json('members')).map(({ type, name, role }) => [type, name, role]);
    assert.deepEqual(roles, [
      ['account', 'owner', 'owner'],
      ['account', 'bob', 'member'],
    ]);
    refused(await bob.run(['invite', 'eve']), /^partyline invite: /);
    const chatted = await bob.run(['chat'], 'get_list\nhistory\nquit\n');
    assert.match(chatted.stdout, /^Available client: bob$/m, chatted.stderr);
    assert.match(chatted.stdout, /bob to owner : here I am/);
    assert.match(
      (await bob.run(['chat', '--name', 'Guesty'], 'get_list\nquit\n')).stdout,
      /^Available client: Guesty$/m,
    );

    assert.equal((await bob.run(['logout'])).status, 0);
    assert.ok(!existsSync(kept));
    assert.equal((await bob.run(['login', '--name', 'bob'], 'open sesame\n')).status, 0);
    assert.equal((await bob.run(['password'], 'another one\n')).status, 0);
    refused(await bob.run(['login', '--name', 'bob'], 'open sesame\n'), /^partyline login: /);
    const [again] = await owner.json('invite', 'bob');
    assert.equal((await bob.run(['login', '--code', String(again?.['code'])], 'a third one\n')).status, 0);
    assert.equal((await bob.run(['login', '--name', 'bob'], 'a third one\n')).status, 0);
    assert.deepEqual(await owner.json('revoke', 'bob'), [{ name: 'bob', revoked: 'account' }]);
    refused(await bob.run(['send', '--to', 'owner', 'still here?']), /^partyline send: /);
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

function ownAddress(family: 'IPv4' | 'IPv6'): string | undefined {
  const all = Object.values(networkInterfaces()).flatMap((addresses = []) => addresses);
  return all.find((one) => one.family === family && !one.internal && !one.address.startsWith('fe80'))?.address;
}
