// Accounts by the real program: the ways into one, by code, password and token, and how each of them ends.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Caller } from '../kit/caller.ts';
import { aDirectory } from '../kit/directory.ts';
import { outcomeOf, partyline } from '../kit/program.ts';
import { at, LOOPBACKS, startServer } from '../kit/server.ts';
import { loggedIn, refused, someone } from '../kit/someone.ts';

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/;

for (const host of LOOPBACKS) {
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
