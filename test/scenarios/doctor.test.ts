// `partyline doctor` beside real servers: what it finds, and what it says is to be done.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { aDirectory } from '../kit/directory.ts';
import { needs } from '../kit/needs.ts';
import { outcomeOf, partyline } from '../kit/program.ts';
import { at, LOOPBACKS, startServer } from '../kit/server.ts';

interface Found {
  readonly check: string;
  readonly state: string;
  readonly found: string;
  readonly todo?: string;
}

/** What it says of each check, whose state is in `directory`. */
async function doctor(directory: string, host: string, options: readonly string[] = []) {
  const env = { PARTYLINE_DATA: directory, PARTYLINE_HOST: '' };
  const { status, stdout, stderr } = await outcomeOf(
    partyline(['doctor', '--json', '--host', host, ...options], { env }),
  );
  const findings = stdout
    .trim()
    .split('\n')
    .map((line): Found => JSON.parse(line));
  const all = (check: string) => findings.filter((finding) => finding.check === check);
  return { status, stderr, all, of: (check: string) => all(check)[0] ?? assert.fail(`nothing of ${check}`) };
}

for (const host of LOOPBACKS) {
  test(`doctor looks at the certificate that is in use, wherever its file is: ${host}`, async (t) => {
    if (!needs(t, ['openssl'])) return;
    const files = aDirectory(t);
    const [cert, key] = [join(files, 'own.pem'), join(files, 'own.key')];
    const subject = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=localhost'];
    execFileSync('openssl', ['req', '-x509', ...subject, '-days', '3', '-keyout', key, '-out', cert], {
      stdio: 'ignore',
    });
    const args = [
      '--tls-cert',
      cert,
      '--tls-key',
      key,
      '--listen',
      `tls://${host.includes(':') ? `[${host}]` : host}:0`,
    ];
    await using server = await startServer({ args });
    const fingerprint = readFileSync(join(server.directory, 'tls.fingerprint'), 'utf8').trim();
    const tlsPort = Number(/^listening on tls:\/\/.*:(\d+)$/m.exec(server.program.stdout.text)?.[1]);

    for (const directory of [server.directory, aDirectory(t)]) {
      const { of } = await doctor(directory, at(host, server.port));
      const { state, found, todo } = of('certificate');
      assert.equal(state, 'warning', 'it ends in three days');
      assert.match(found, /^the certificate shown at .*:\d+ ends on \d{4}-\d\d-\d\d, its key is sha256\/\//);
      assert.ok(found.endsWith(fingerprint), found);
      assert.equal(todo, 'put a new one in its place and send the server SIGHUP');
    }

    const place = `tls://${at(host, tlsPort)}`;
    const asked = await doctor(aDirectory(t), place);
    assert.match(asked.of('server').found, /^Server answers at tls:/);
    const takes = `${place} takes connections (${host === '::1' ? 'IPv6' : 'IPv4'})`;
    assert.equal(asked.of('listening').found, takes);
    const inPlain = await doctor(aDirectory(t), at(host, tlsPort));
    assert.equal(inPlain.of('server').todo, `it speaks TLS: partyline doctor --host ${place}`);
    assert.equal(inPlain.of('listening').found, takes);
  });
}

for (const host of LOOPBACKS) {
  test(`doctor says whom commands come in as, and where the owner token is missed: ${host}`, async (t) => {
    await using server = await startServer();
    await using another = await startServer();
    const place = at(host, server.port);
    const owner = await doctor(server.directory, place);
    const cameIn = { check: 'credential', state: 'ok', found: `commands come in at ${place} as owner (owner)` };
    assert.deepEqual(owner.of('credential'), cameIn);
    const elsewhere = aDirectory(t);
    const nobody = await doctor(elsewhere, place);
    assert.equal(nobody.of('server').state, 'ok');
    const { found, state, todo = '' } = nobody.of('credential');
    const missing = `nobody is logged in to it here, and there is no ${join(elsewhere, 'owner.token')}`;
    assert.deepEqual([state, found], ['warning', `commands do not come in at ${place}: ${missing}`]);
    assert.match(
      todo,
      /^as its owner PARTYLINE_DATA=DIR or .*, where DIR is the directory of the server; .* login --host /,
    );
    // The token of another server is there, and is not that of this one.
    const wrong = (await doctor(another.directory, place)).of('credential');
    const token = join(another.directory, 'owner.token');
    assert.equal(wrong.found, `commands do not come in at ${place}: the owner token in ${token} is not that server's`);
    chmodSync(token, 0o644);
    const open = (await doctor(another.directory, place)).of('credential');
    assert.match(open.found, /^Cannot use the owner token .*: others may read it \(mode 0644\); it must be 0600$/);
    // Where the server has its directory is given for the look alone.
    const looked = (await doctor(elsewhere, place, ['--data', server.directory])).of('credential');
    assert.match(looked.todo ?? '', new RegExp(`^as its owner PARTYLINE_DATA=${server.directory} or `));
  });
}

test('a name that does not resolve is a problem, and no server is to be started for it', async (t) => {
  const { status, of, all } = await doctor(aDirectory(t), 'nosuch.invalid');
  assert.equal(status, 1);
  assert.deepEqual(of('server'), {
    check: 'server',
    state: 'problem',
    found: 'Cannot connect to nosuch.invalid: the name does not resolve here',
    todo: 'see how it is written and what the name service says, or give an address',
  });
  assert.deepEqual(all('listening'), []);
});

test('a damaged journal is a problem, with what to do', async (t) => {
  const directory = aDirectory(t);
  const journal = join(directory, 'journal.db');
  const nowhere = 'localhost:1';
  assert.equal(
    (await doctor(directory, nowhere)).of('journal').found,
    `none in ${directory}; the first start makes one`,
  );
  {
    await using server = await startServer({ directory });
    assert.equal((await doctor(directory, at('::1', server.port))).of('journal').state, 'ok');
    server.program.kill('SIGTERM');
    assert.equal(await server.program.ended, 0);
  }
  assert.equal((await doctor(directory, nowhere)).of('journal').state, 'ok');
  truncateSync(journal, Math.floor(statSync(journal).size / 2));
  const { status, of } = await doctor(directory, nowhere);
  assert.equal(status, 1);
  const { state, found, todo = '' } = of('journal');
  assert.equal(state, 'problem');
  assert.match(found, /journal\.db: .*damaged/);
  assert.match(todo, /^partyline verify says what else is wrong; .* partyline restore/);
  assert.equal(of('server').todo, 'start one: partyline serve');
});

test('doctor tries the addresses of a server that tells its owner alone where it listens', async (t) => {
  await using server = await startServer();
  const { port } = server;
  for (const [host, ...found] of [
    ['localhost', `tcp://127.0.0.1:${port} takes connections (IPv4)`, `tcp://[::1]:${port} takes connections (IPv6)`],
    ['[::1]', `tcp://[::1]:${port} takes connections (IPv6)`],
  ] as const) {
    const env = { PARTYLINE_DATA: aDirectory(t), PARTYLINE_HOST: `${host}:${port}` };
    const { stdout, stderr } = await outcomeOf(partyline(['doctor', '--json'], { env }));
    assert.equal(stderr, '');
    const findings = stdout
      .trim()
      .split('\n')
      .map((line): { check: string; found: string } => JSON.parse(line));
    const listens = findings.filter(({ check }) => check === 'listening');
    assert.deepEqual(
      listens.map((finding) => finding.found),
      found,
    );
  }
});

test('doctor says how it is and what to do, line by line', async (t) => {
  const directory = aDirectory(t);
  await using server = await startServer({ directory });
  const env = { PARTYLINE_DATA: directory, PARTYLINE_HOST: `127.0.0.1:${server.port}` };
  const { status, stdout, stderr } = await outcomeOf(partyline(['doctor', '--json'], { env }));
  assert.equal(stderr, '');
  const findings = stdout
    .trim()
    .split('\n')
    .map((line): { check: string; state: string; found: string } => JSON.parse(line));
  assert.equal(status, findings.some(({ state }) => state === 'problem') ? 1 : 0);
  assert.equal(findings.find(({ check }) => check === 'server')?.found, `Server answers at 127.0.0.1:${server.port}`);
  const listens = findings.filter(({ check }) => check === 'listening').map(({ state, found }) => `${state}: ${found}`);
  const urls = [...server.program.stdout.text.matchAll(/^listening on (.*)$/gm)].map(([, url = '']) => url);
  assert.equal(urls.length, 4);
  const family = (url: string) => (url.includes('[') ? 'IPv6' : 'IPv4');
  assert.deepEqual(
    listens,
    urls.map((url) => `ok: ${url} takes connections (${family(url)})`),
  );
  for (const { state } of findings) assert.match(state, /^(?:ok|warning|problem)$/);
});
