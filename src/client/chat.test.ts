import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { listenOn } from '../../test/kit/listener.ts';
import { formatHostPort } from '../net/address.ts';
import { comeIn } from './chat.ts';
import { ReachError } from './reach.ts';

async function coming(t: TestContext, host: string, accept: (socket: Socket) => void, answerDeadlineMs?: number) {
  const port = await listenOn(t, host, accept);
  const socket = connect({ host, port });
  t.after(() => socket.destroy());
  const answered = comeIn(
    { socket, host, port, fingerprint: undefined },
    { name: 'eve', ...(answerDeadlineMs !== undefined && { answerDeadlineMs }) },
  );
  return await answered.then(String, (error: unknown) => {
    assert.ok(error instanceof ReachError, String(error));
    // Which port it was is nobody's choice.
    return { [error.kind]: error.message.replace(formatHostPort(host, port), 'HERE') };
  });
}

const answering = (words: string) => (socket: Socket) => void socket.once('data', () => socket.write(words));

for (const host of ['127.0.0.1', '::1']) {
  const cannot = `Cannot come in at ${host} as "eve":`;
  const hint = '; if that port takes TLS alone it is tls://HERE';

  test(`the welcome is returned with what follows it, without a prompt before it: ${host}`, async (t) => {
    const welcome = 'Connected with Server at date_time = x\n\nFormat: …\n\n';
    assert.equal(await coming(t, host, answering(welcome)), welcome);
    assert.equal(await coming(t, host, answering(`Enter your name: ${welcome}`)), welcome);
  });

  test(`a refusal is the server's word, everything else is not reached: ${host}`, async (t) => {
    assert.deepEqual(await coming(t, host, answering('error: no\x07\nEnter your name: ')), { denied: 'no\\x07' });
    assert.deepEqual(await coming(t, host, answering('hello\n')), { unreached: `${cannot} it answered "hello"` });
    assert.deepEqual(await coming(t, host, (socket) => void socket.resume(), 1), {
      unreached: `${cannot} no answer within 0.001 s${hint}`,
    });
    assert.deepEqual(await coming(t, host, (socket) => void socket.resume().end()), {
      unreached: `${cannot} it closed the connection without an answer${hint}`,
    });
    assert.deepEqual(await coming(t, host, answering('x'.repeat(65_537))), {
      unreached: `${cannot} it answered "${'x'.repeat(63)}…"`,
    });
  });
}
