// Invitations by the real program: what is printed for whoever is invited, and where they are told to come.

import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isLinkLocalAddress } from '../../src/net/peer.ts';
import { aDirectory } from '../kit/directory.ts';
import { leaveOut } from '../kit/needs.ts';
import { outcomeOf, partyline } from '../kit/program.ts';
import { at, LOOPBACKS, startServer } from '../kit/server.ts';
import { loggedIn, someone } from '../kit/someone.ts';

for (const host of LOOPBACKS) {
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

  test(`an owner by a token is told that the server listens beyond, by addresses not known there: ${host}`, async (t) => {
    await using server = await startServer({ args: ['--listen', 'tls://*:0'] });
    const target = at(host, server.port);
    const port = /tls:\/\/.*:(\d+)$/m.exec(server.program.stdout.text)?.[1];
    const tokenFile = join(aDirectory(t), 'token');
    const made = await someone(server.directory, target).run(['token', 'new', 'elsewhere', '--out', tokenFile]);
    assert.equal(made.status, 0, made.stderr);
    const env = { PARTYLINE_DATA: aDirectory(t), PARTYLINE_HOST: target, PARTYLINE_TOKEN_FILE: tokenFile };
    const { status, stdout, stderr } = await outcomeOf(partyline(['invite', 'bob'], { env }));
    assert.equal(status, 0, stderr);
    assert.ok(stderr.includes(`the server listens beyond it, on tls://0.0.0.0:${port}, tls://[::]:${port}: `), stderr);
    assert.ok(stdout.includes(`partyline login --host ${target} --code `), stdout);
  });
}

function ownAddress(family: 'IPv4' | 'IPv6'): string | undefined {
  const all = Object.values(networkInterfaces()).flatMap((addresses = []) => addresses);
  return all.find((one) => one.family === family && !one.internal && !isLinkLocalAddress(one.address))?.address;
}
