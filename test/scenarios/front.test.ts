// One port for every protocol: who is what, told from the first bytes, and what happens to those who say nothing.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Caller } from '../kit/caller.ts';
import { aDirectory } from '../kit/directory.ts';
import { at, LOOPBACKS, startServer } from '../kit/server.ts';
import { someone } from '../kit/someone.ts';

async function ask(host: string, port: number, request: string): Promise<string> {
  await using caller = await Caller.connect(host, port);
  caller.socket.write(request);
  return await caller.heard.rest();
}

function get(path: string, hostHeader: string, method = 'GET'): string {
  return `${method} ${path} HTTP/1.1\r\nHost: ${hostHeader}\r\nConnection: close\r\n\r\n`;
}

for (const host of LOOPBACKS) {
  test(`a silent client is greeted once, and may then still speak ECHO: ${host}`, async () => {
    await using server = await startServer();
    await using person = await Caller.connect(host, server.port);
    await person.until(/^Enter your name: $/);
    person.type('Vamshi');
    assert.match(await person.until(/^Format: /m), /^Connected with Server at /);
    await using late = await Caller.connect(host, server.port);
    await late.until(/^Enter your name: $/);
    late.type('ECHO late');
    assert.match(await late.until('\n'), new RegExp(`^ECHO Server ${host} ${late.socket.localPort}\n$`));
  });

  test(`/healthz answers on the port of everything else, to known hosts only: ${host}`, async () => {
    await using server = await startServer();
    for (const name of [`localhost:${server.port}`, at(host, server.port), 'LOCALHOST', 'a.localhost', '[::1]']) {
      const answer = await ask(host, server.port, get('/healthz', name));
      assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/, name);
      assert.equal(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n'))).status, 'ok');
    }
    for (const name of ['evil.example', 'localhost.evil.example', '', 'x y']) {
      assert.match(await ask(host, server.port, get('/healthz', name)), /^HTTP\/1\.1 4(?:00|21) /, name);
    }
    assert.match(await ask(host, server.port, get('/none', 'localhost')), /^HTTP\/1\.1 404 /);
    assert.match(
      await ask(host, server.port, get('/healthz', 'localhost', 'POST')),
      /^HTTP\/1\.1 405 [^]*Allow: GET, HEAD/i,
    );
  });

  test(`the link of an invitation leads to a page that says what to do, and uses nothing up: ${host}`, async (t) => {
    await using server = await startServer({ args: ['--verbose'] });
    const target = at(host, server.port);
    const owner = someone(server.directory, target);
    const [invited] = await owner.json('invite', 'bob');
    const { link, code, login, nc } = invited ?? {};
    const url = new URL(String(link));
    assert.equal(url.hash, `#code=${String(code)}`);
    // As a browser asks, and a program that shows what is behind a link; and one that sends what it should not.
    const page = await ask(host, server.port, get(url.pathname, url.host));
    const head = await ask(host, server.port, get(url.pathname, url.host, 'HEAD'));
    await ask(host, server.port, get(`/?code=${String(code)}`, url.host));
    assert.match(page, /^HTTP\/1\.1 200 OK\r\n/);
    assert.ok(head.endsWith('\r\n\r\n') && page.startsWith(head.slice(0, 15)));
    for (const header of [
      'Content-Type: text/html; charset=utf-8',
      'Cache-Control: no-store',
      "Content-Security-Policy: default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      'Referrer-Policy: no-referrer',
      'X-Content-Type-Options: nosniff',
    ]) {
      assert.ok(page.includes(`\r\n${header}\r\n`), header);
    }
    assert.ok(page.includes(String(login).replace(String(code), 'CODE')), page);
    assert.ok(page.includes(String(nc).split(',')[0] ?? ''), page);
    assert.doesNotMatch(page, /<script|<link|<img|\bon\w+=|src=/);
    assert.match(await ask(host, server.port, get('/', 'localhost', 'POST')), /^HTTP\/1\.1 405 /);
    assert.match(await ask(host, server.port, get('/', 'evil.example')), /^HTTP\/1\.1 421 /);
    const logged = await someone(aDirectory(t), target).run(['login', '--code', String(code)], '\n');
    assert.equal(logged.status, 0, logged.stderr);
    const { stdout, stderr } = server.program;
    assert.ok(!`${stdout.text}${stderr.text}`.includes(String(code)), 'the code was logged');
  });

  test(`a request that comes in pieces is still one: ${host}`, async () => {
    await using server = await startServer();
    await using caller = await Caller.connect(host, server.port);
    for (const piece of get('/healthz', 'localhost').match(/.{1,7}/gs) ?? []) {
      await new Promise((resolve) => caller.socket.write(piece, resolve));
    }
    assert.match(await caller.heard.rest(), /^HTTP\/1\.1 200 OK/);
  });

  test(`a page cannot talk to the line protocol: a greeted connection that turns out to be HTTP is closed: ${host}`, async () => {
    await using server = await startServer({ args: ['--listen', 'line://localhost:0'] });
    const linePort = Number(/listening on line:.*:(\d+)$/m.exec(server.program.stdout.text)?.[1]);
    for (const port of [server.port, linePort]) {
      // The last two are no whole request lines any more; a page can make a browser send the first of them.
      for (const target of ['/', `/${'a'.repeat(9_000)}`, `/${'a'.repeat(70_000)}`, '/\u00ff']) {
        await using caller = await Caller.connect(host, port);
        await caller.until('Enter your name: ');
        caller.socket.write(`POST ${target} HTTP/1.1\r\nHost: localhost\r\n\r\nVamshi\nsend all hi\n`, 'latin1');
        assert.doesNotMatch(await caller.heard.rest(), /Connected/);
      }
    }
    for (const target of [`/${'a'.repeat(9_000)}`, `/${'a'.repeat(70_000)}`]) {
      const answer = await ask(
        host,
        server.port,
        `POST ${target} HTTP/1.1\r\nHost: localhost\r\n\r\nVamshi\nsend all hi\n`,
      );
      assert.doesNotMatch(answer, /Connected/);
    }
    await using witness = await Caller.named('witness', host, server.port);
    witness.type('get_list');
    assert.match(await witness.until(/Available client: .*\n/), /Available client: witness\n$/);
  });

  test(`dedicated listeners speak one protocol alone: ${host}`, async () => {
    await using server = await startServer({
      args: ['--listen', 'http://localhost:0', '--listen', 'line://localhost:0'],
    });
    const portOf = (scheme: string) =>
      Number(new RegExp(`listening on ${scheme}:.*:(\\d+)$`, 'm').exec(server.program.stdout.text)?.[1]);
    assert.match(await ask(host, portOf('http'), 'ECHO x\n\r\n'), /^HTTP\/1\.1 400 /);
    await using echo = await Caller.connect(host, server.echoPort);
    echo.socket.write('GET / HTTP/1.1\n');
    assert.equal(await echo.until('\n'), 'GET / HTTP/1.1\n');
    await using line = await Caller.connect(host, portOf('line'));
    await line.until('Enter your name: ');
    line.type('ECHO x');
    assert.match(await line.until('\n'), /^error: Cannot come in as "ECHO x": a name consists of letters/);
  });
}
