// What the page says of the server that was called, in words that work there and that nobody else's words can become.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { invitationPage } from './page.ts';

const LOCAL = { isEncrypted: false, isLoopback: true, serverName: 'Lab' };

function commandsOn(host: string, place: { isEncrypted: boolean; isLoopback: boolean } = LOCAL): string[] {
  const page = invitationPage({ ...LOCAL, ...place, host });
  return [...page.matchAll(/<pre>(.*?)<\/pre>/gs)].map(([, command = '']) => command);
}

test('the commands lead to the server that was called, by name or address and port', () => {
  assert.deepEqual(commandsOn('localhost:7270'), [
    'partyline login --host localhost:7270 --code CODE',
    'nc localhost 7270',
  ]);
  assert.deepEqual(commandsOn('[::1]:7270'), ['partyline login --host [::1]:7270 --code CODE', 'nc ::1 7270']);
  assert.deepEqual(commandsOn('[::1]')[1], 'nc ::1 80');
});

test('where plain text would be refused the command speaks TLS', () => {
  assert.equal(
    commandsOn('localhost:7271', { isEncrypted: true, isLoopback: true })[0],
    'partyline login --host tls://localhost:7271 --code CODE',
  );
  assert.equal(commandsOn('lab.example', { isEncrypted: true, isLoopback: false })[1], 'ncat --ssl lab.example 443');
  assert.equal(commandsOn('192.0.2.1:7270', { isEncrypted: false, isLoopback: false })[1], 'ncat --ssl 192.0.2.1 7270');
});

test('what stands in Host becomes text of the page and nothing else', () => {
  const page = invitationPage({ ...LOCAL, host: '"><script>alert(1)</script>&.localhost:7270' });
  assert.doesNotMatch(page, /<script/);
  assert.match(page, /&quot;&gt;&lt;script&gt;/);
});
