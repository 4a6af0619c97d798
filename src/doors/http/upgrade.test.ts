// Whose page may have a WebSocket.

import assert from 'node:assert/strict';
import type { IncomingHttpHeaders } from 'node:http';
import { test } from 'node:test';
import { isOwnOrigin, refusalOfUpgrade } from './upgrade.ts';

const NAMES: ReadonlySet<string> = new Set(['localhost', 'ip6-localhost', 'chat.example.com']);

test('a page of this server is one, under each of its names at the port that was called', () => {
  const own: [string, string][] = [
    ['http://localhost:7270', 'localhost:7270'],
    ['http://localhost:7270', '127.0.0.1:7270'],
    ['http://127.0.0.1:7270', 'localhost:7270'],
    ['http://[::1]:7270', '[::1]:7270'],
    ['http://chat.example.com:7270', 'CHAT.example.com:7270'],
    ['https://chat.example.com', 'chat.example.com'],
    ['http://192.0.2.1:7270', '192.0.2.1:7270'],
  ];
  for (const [origin, host] of own) assert.ok(isOwnOrigin(origin, { host, names: NAMES }), `${origin} at ${host}`);
});

test('any other page is a stranger', () => {
  const strange: [string, string][] = [
    ['http://evil.example:7270', 'localhost:7270'],
    ['http://localhost.evil.example:7270', 'localhost:7270'],
    ['http://localhost:8080', 'localhost:7270'],
    ['http://localhost', 'localhost:7270'],
    ['http://203.0.113.5:7270', '192.0.2.1:7270'],
    ['ftp://localhost:7270', 'localhost:7270'],
    ['http://localhost:7270/page', 'localhost:7270'],
    ['http://evil@localhost:7270', 'localhost:7270'],
    ['null', 'localhost:7270'],
    ['', 'localhost:7270'],
  ];
  for (const [origin, host] of strange) assert.ok(!isOwnOrigin(origin, { host, names: NAMES }), `${origin} at ${host}`);
});

test('a program says no origin and is let in; a wrong host, path or origin is told why', () => {
  const statusOf = (headers: IncomingHttpHeaders, url = '/native') =>
    /^HTTP\/1\.1 (\d+)/.exec(refusalOfUpgrade({ headers, url }, NAMES) ?? '')?.[1];
  assert.equal(statusOf({ host: 'localhost:7270' }), undefined);
  assert.equal(statusOf({ host: 'localhost:7270' }, '/native?x'), undefined);
  assert.equal(statusOf({ host: 'localhost:7270', origin: 'http://localhost:7270' }), undefined);
  assert.equal(statusOf({ host: 'rebound.example:7270' }), '421');
  assert.equal(statusOf({ host: 'localhost:7270' }, '/'), '404');
  assert.equal(statusOf({ host: 'localhost:7270', origin: 'http://evil.example' }), '403');
});
