// A server that means no good, seen by each command: what it says is shown escaped, what it withholds is not waited
// for endlessly.

import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { ensureOwnerToken, newNonce, type OwnerToken } from '../../src/net/owner.ts';
import { NativeLink } from '../../src/protocol/native/link.ts';
import { METHODS } from '../../src/protocol/native/methods.ts';
import { parseNonce } from '../../src/protocol/native/methods/owner.ts';
import { RUN_ENDED } from '../../src/protocol/native/methods/run.ts';
import { Pump } from '../../src/protocol/native/pump.ts';
import { escapeControls } from '../../src/protocol/text.ts';
import { aDirectory } from '../kit/directory.ts';
import { freePort, listenOn } from '../kit/listener.ts';
import { needs } from '../kit/needs.ts';
import { outcomeOf, PARTYLINE, partyline, ROOT, start } from '../kit/program.ts';
import { at, LOOPBACKS } from '../kit/server.ts';

/** Sets a window's title, colours by C1, reorders: one word, so that it passes for a name. */
const EVIL = 'x\x1b]0;owned\x07\x9b31m\u202ey\x7f';
const SHOWN = String.raw`x\x1b]0;owned\x07\x9b31m\u202ey\x7f`;

async function listen(t: TestContext, host: string, accept: (socket: Socket) => void): Promise<string> {
  return at(host, await listenOn(t, host, accept));
}

/** Whatever comes first, the server says that. */
const says =
  (words: string, thenEnds = false) =>
  (socket: Socket): void =>
    void socket.once('data', () => (thenEnds ? socket.end(words) : socket.write(words)));

function assertShownEscaped(text: string): void {
  assert.ok(text.includes(SHOWN), text);
  for (const line of text.split('\n')) assert.equal(escapeControls(line), line);
}

interface Native {
  readonly token: OwnerToken;
  readonly name?: string;
  /** A method that is refused, with so evil a message, under this code. */
  readonly refuses?: { readonly method: string; readonly code: string };
  /** What comes once the run has been started. */
  readonly onStarted?: (link: NativeLink, pump: Pump) => void;
  readonly onRequest?: (method: string) => void;
}

/** Knows the token, and tells the truth until it is to behave otherwise. */
const native = (behaviour: Native) => (socket: Socket) => {
  const { token, name = 'Server', refuses, onStarted, onRequest } = behaviour;
  const link = new NativeLink('server', { serverName: name });
  const pump = new Pump(socket, link, {
    onEvent(event) {
      if (event.type !== 'request') return;
      const { id, method, params } = event;
      onRequest?.(method);
      if (method === refuses?.method) {
        link.connection.refuse(id, { code: -32000, message: EVIL, data: { code: refuses.code } });
      } else if (method === METHODS.ownerChallenge) {
        const given = parseNonce(params);
        assert.ok('nonce' in given);
        const nonces = { clientNonce: given.nonce, serverNonce: newNonce() };
        const end = { address: socket.localAddress ?? '', port: socket.localPort ?? 0 };
        link.connection.respond(id, {
          nonce: nonces.serverNonce,
          proof: token.prove({ by: 'server', ...nonces, ...end }),
        });
      } else {
        link.connection.respond(id, method === METHODS.runStart ? { run: 1 } : {});
        if (method === METHODS.runStart) onStarted?.(link, pump);
      }
    },
    onDrain() {},
    onClosed() {},
  });
  pump.start();
};

async function owner(t: TestContext): Promise<{ token: OwnerToken; env: Record<string, string> }> {
  const directory = aDirectory(t);
  return { token: await ensureOwnerToken(directory), env: { PARTYLINE_DATA: directory } };
}

async function commandAgainst(
  t: TestContext,
  args: [command: string, ...rest: string[]],
  { host, accept }: { host: string; accept: (socket: Socket) => void },
  env: Record<string, string> = {},
) {
  const [command, ...rest] = args;
  await using program = partyline([command, await listen(t, host, accept), ...rest], { env });
  return await outcomeOf(program);
}

for (const host of LOOPBACKS) {
  test(`chat shows what a server says, escaped: ${host}`, async (t) => {
    const against = (accept: (socket: Socket) => void, ...args: string[]) =>
      commandAgainst(t, ['chat', '--name', 'eve', ...args], { host, accept });
    const refused = await against(says(`error: ${EVIL}\n`));
    assert.deepEqual(refused, { status: 255, stdout: '', stderr: `partyline chat: ${SHOWN}\n` });
    for (const accept of [says(`${EVIL}\n`), says(EVIL, true), says(`Enter your name: ${EVIL}\n`)]) {
      const { status, stdout, stderr } = await against(accept);
      assert.deepEqual([status, stdout], [255, '']);
      assertShownEscaped(stderr);
    }
    const asked = await against(says(`error: ${'long '.repeat(10_000)}\n`));
    assert.ok(asked.stderr.length < 400, 'a refusal is a sentence');
    const { stdout } = await against(says(`Connected with ${EVIL}\n`, true), '--json');
    assert.deepEqual(JSON.parse(stdout), { line: `Connected with ${EVIL}` });
    assert.equal(escapeControls(stdout.trimEnd()), stdout.trimEnd());
  });

  test(`echo shows what a server says, escaped: ${host}`, async (t) => {
    const against = (accept: (socket: Socket) => void, ...args: string[]) =>
      commandAgainst(t, ['echo', ...args], { host, accept });
    const named = `ECHO ${EVIL} ::1 7\n`;
    const nowhere = `ECHO ${EVIL} ${EVIL} 7\n`;
    for (const accept of [says(`${EVIL}\n`), says(EVIL, true), says(`ECHO ${EVIL}\n`), says(nowhere)]) {
      const { status, stdout, stderr } = await against(accept);
      assert.deepEqual([status, stdout], [255, '']);
      assertShownEscaped(stderr);
    }
    assertShownEscaped((await against(says(named, true))).stdout);
    const json = (await against(says(`${named}${EVIL}\n`, true), '--json')).stdout.trimEnd().split('\n');
    assert.deepEqual([JSON.parse(json[0] ?? '').server, JSON.parse(json[1] ?? '').text], [SHOWN, EVIL]);
    for (const line of json) assert.equal(escapeControls(line), line);
    for (const args of [['--probe'], ['--probe', '--json']]) {
      const probed = await against(says(`${EVIL}\n`), ...args);
      assert.equal(probed.status, 3);
      const text = args.length === 1 ? probed.stdout : String(JSON.parse(probed.stdout).verdict);
      assertShownEscaped(text);
    }
  });

  test(`run shows what a server says, escaped, and tells a denial from a loss: ${host}`, async (t) => {
    const { token, env } = await owner(t);
    const refusing = (method: string, code = 'not-allowed') => native({ token, refuses: { method, code } });
    const ending = (params: object) =>
      native({ token, onStarted: (link) => link.connection.notify(RUN_ENDED, { run: 1, reason: EVIL, ...params }) });
    const leaving = (link: NativeLink, pump: Pump) => {
      link.connection.close(EVIL);
      pump.close();
    };
    const cases: [accept: (socket: Socket) => void, result: string, status: number][] = [
      [says(`PARTYLINE/0 ${EVIL}\n`), 'lost', 255],
      [says(`${EVIL}\n`), 'lost', 255],
      [refusing(METHODS.ownerChallenge), 'denied', 255],
      [refusing(METHODS.ownerProve), 'denied', 255],
      [refusing(METHODS.runStart), 'denied', 255],
      [refusing(METHODS.runStart, 'lost'), 'denied', 255],
      [ending({ result: 'lost', status: null }), 'lost', 255],
      [ending({ result: 'cancelled', status: 129 }), 'cancelled', 255],
      [native({ token, onStarted: leaving }), 'lost', 255],
    ];
    for (const [accept, result, status] of cases) {
      const plain = await commandAgainst(t, ['run', '--', 'true'], { host, accept }, env);
      assert.deepEqual([plain.status, plain.stdout], [status, '']);
      assert.match(plain.stderr, /^[^\n]+\n$/);
      assertShownEscaped(plain.stderr);
      const told = await commandAgainst(t, ['run', '--json', '--', 'true'], { host, accept }, env);
      assert.equal(JSON.parse(told.stdout).result, result, told.stdout);
      assert.equal(escapeControls(told.stdout.trimEnd()), told.stdout.trimEnd());
    }
    const evil = native({ token, name: EVIL, refuses: { method: METHODS.runStart, code: 'not-allowed' } });
    const named = await commandAgainst(t, ['run', '--json', '--', 'true'], { host, accept: evil }, env);
    assert.equal(JSON.parse(named.stdout).host, SHOWN);
  });

  test(`a terminal is not driven by a server, in chat and in echo: ${host}`, async (t) => {
    if (!needs(t, ['script'])) return;
    const onTerminal = async (command: string, words: string) => {
      const server = await listen(t, host, says(words, true));
      await using program = start('script', ['-qec', `'${PARTYLINE}' ${command} '${server}' --name eve`, '/dev/null']);
      await program.ended;
      return program.stdout.text.replaceAll('\r\n', '\n');
    };
    assertShownEscaped(await onTerminal('chat', `Connected with ${EVIL}\n${EVIL}\n`));
    assertShownEscaped(await onTerminal('chat', `error: ${EVIL}\n`));
    assertShownEscaped(await onTerminal('echo', `ECHO ${EVIL} ::1 7\n${EVIL}\n`));
  });

  test(`a second SIGINT ends run although the server does not end the command: ${host}`, async (t) => {
    const { token, env } = await owner(t);
    const { asked, onRequest } = requests();
    const server = await listen(t, host, native({ token, onRequest }));
    await using program = partyline(['run', server, '--', 'sleep 1000'], { env });
    await asked(METHODS.runStart);
    program.kill('SIGINT');
    await asked(METHODS.runCancel);
    program.kill('SIGINT');
    assert.equal(await program.ended, 130);
    assert.deepEqual([program.stdout.text, program.stderr.text], ['', '']);
  });

  test(`a server that does not confirm the end of a command is not waited for endlessly: ${host}`, async (t) => {
    const { token, env } = await owner(t);
    const { asked, onRequest } = requests();
    const server = await listen(t, host, native({ token, onRequest }));
    const code =
      `import { run } from ${JSON.stringify(join(ROOT, 'src/cli/run.ts'))};` +
      `process.exit(await run(process.argv.slice(1), { confirmTimeoutMs: 1 }));`;
    const words = ['--input-type=module', '-e', code, '--', server, '--', 'sleep 1000'];
    await using program = start(process.execPath, words, { env });
    await asked(METHODS.runStart);
    program.kill('SIGTERM');
    assert.equal(await program.ended, 143);
    assert.equal(
      program.stderr.text,
      'partyline run: The command is lost: the server did not confirm within 0.001 s that the command has ended\n',
    );
  });
}

/** Waits for what a client asks for. */
function requests(): { asked: (method: string) => Promise<void>; onRequest: (method: string) => void } {
  const seen = new Map<string, PromiseWithResolvers<void>>();
  const of = (method: string) => {
    const one = seen.get(method) ?? Promise.withResolvers<void>();
    seen.set(method, one);
    return one;
  };
  return { asked: (method) => of(method).promise, onRequest: (method) => of(method).resolve() };
}

test('run says denied where the token is missing or another one, lost where nobody is', async (t) => {
  const { token } = await owner(t);
  const { env: others } = await owner(t);
  const resultOf = async (server: string, env: Record<string, string>) => {
    await using program = partyline(['run', server, '--json', '--', 'true'], { env });
    const { status, stdout, stderr } = await outcomeOf(program);
    const told = JSON.parse(stdout);
    assert.deepEqual([status, `partyline run: ${told.reason}\n`, told.status], [255, stderr, null]);
    return told.result;
  };
  for (const host of LOOPBACKS) {
    const server = await listen(t, host, native({ token }));
    assert.equal(await resultOf(server, others), 'denied');
    assert.equal(await resultOf(server, { PARTYLINE_TOKEN_FILE: '/nonexistent/owner.token' }), 'denied');
    assert.equal(await resultOf(at(host, await freePort(host)), others), 'lost');
  }
});
