// A name server that answers for IPv4 and never for IPv6: there are such, and whoever waits for both waits for seconds.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startServer } from '../kit/hosts.ts';
import { MUTE_ZONE } from '../kit/name-server.ts';
import { printed } from '../kit/namespace.ts';
import { aPath } from '../kit/path.ts';
import { PARTYLINE } from '../kit/program.ts';

const PORT = 7270;
const TIMEOUT_MS = 60_000;
/** getaddrinfo asks a second time after 5 s, and gives up after 15. */
const IMPATIENT_MS = 4_000;

test('a name whose AAAA is never answered is reached by its A at once', { timeout: TIMEOUT_MS }, async (t) => {
  const path = await aPath(t);
  if (path === undefined) return;
  await startServer(t, path.server, '--listen', `tcp+insecure://*:${PORT}`);
  const name = `one.${MUTE_ZONE}`;
  await path.names.publish({ [name]: [path.server.ipv4] });
  const startedAt = performance.now();
  const echo = path.client.start(PARTYLINE, 'echo', name);
  echo.stdin.write('hello\n');
  await printed(echo.stdout, /^Server : hello$/m);
  const tookMs = performance.now() - startedAt;
  assert.ok(tookMs < IMPATIENT_MS, `${tookMs} ms`);
});
