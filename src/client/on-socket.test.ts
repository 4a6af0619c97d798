// What a client says before it has heard anything. The server here says nothing until then: whoever waits for its preface
// waits for good.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { aDirectory } from '../../test/kit/directory.ts';
import { listenOn } from '../../test/kit/listener.ts';
import { PATIENCE_MS } from '../../test/kit/native.ts';
import { at, LOOPBACKS } from '../../test/kit/server.ts';
import type { Log } from '../log/log.ts';
import { newNonce, OwnerToken } from '../net/owner.ts';
import { TlsServer } from '../net/tls-server.ts';
import { NativeLink } from '../protocol/native/link.ts';
import { METHODS } from '../protocol/native/methods.ts';
import { parseNonce } from '../protocol/native/methods/owner.ts';
import { Pump } from '../protocol/native/pump.ts';
import { enter } from './credential.ts';
import { connect } from './mod.ts';
import { openClient, toOpened } from './node-transport.ts';
import { enterAsOwner } from './on-socket.ts';
import { trustKey, type Trust } from './trust.ts';

const FIRST: Trust = { meet: () => ({ met: 'first', where: 'a test' }), tell() {} };
const NOBODY: Trust = { meet: () => ({ refused: 'nobody is known' }), tell() {} };
const QUIET: Log = { tell() {}, info() {}, warn() {} };
/** RFC 8446, 5.1: the type of the record that TLS begins with. */
const TLS_HANDSHAKE = 0x16;
const TOKEN = newNonce();
const PREFACE = 'PARTYLINE/1\n';
const OWNER = { name: 'owner', role: 'owner' };

interface Quiet {
  readonly port: number;
  readonly fingerprint: string;
  /** What the client had said when the server began to answer. */
  readonly heard: Promise<string>;
}

/** Begins to answer once the client has said this, by TLS or in plain text; everything but a challenge gets `answer`. */
async function aQuietServer(t: TestContext, host: string, { until, answer }: Waiting): Promise<Quiet> {
  const tls = new TlsServer({ directory: aDirectory(t), names: [host], now: Date.now, log: QUIET });
  const { promise: heard, resolve: tell } = Promise.withResolvers<string>();
  const answerFor = (method: string, params: unknown): object => {
    const nonce = method === METHODS.ownerChallenge ? parseNonce(params) : undefined;
    if (nonce === undefined || 'bad' in nonce) return Object(answer);
    const serverNonce = newNonce();
    const proven = { by: 'server', clientNonce: nonce.nonce, serverNonce, address: host, port } as const;
    return { nonce: serverNonce, proof: new OwnerToken(TOKEN).prove(proven) };
  };
  const speak = (socket: Socket) => {
    let said = Buffer.alloc(0);
    const listen = (chunk: Buffer) => {
      said = Buffer.concat([said, chunk]);
      if (!said.includes(until)) return;
      socket.off('data', listen).pause();
      tell(said.toString('latin1'));
      if (typeof answer === 'string') return void socket.end(answer);
      const link = new NativeLink('server', { serverName: 'Server' });
      const pump = new Pump(socket, link, {
        onEvent(event) {
          if (event.type === 'request') link.connection.respond(event.id, answerFor(event.method, event.params));
        },
        onDrain() {},
        onClosed() {},
      });
      pump.start(said);
    };
    socket.on('error', () => {}).on('data', listen);
  };
  const port = await listenOn(t, host, (socket) => {
    socket.once('data', (first: Buffer) => {
      socket.pause();
      if (first[0] === TLS_HANDSHAKE) {
        return tls.secure(socket, first, (secured) => 'inside' in secured && speak(secured.inside));
      }
      socket.unshift(first);
      speak(socket);
      return socket.resume();
    });
  });
  return { port, fingerprint: tls.fingerprint, heard };
}

interface Waiting {
  readonly until: string;
  /** A text: it is no native server, and says that. */
  readonly answer: object | string;
}

for (const host of LOOPBACKS) {
  test(`the owner’s question leaves with the preface: ${host}`, async (t) => {
    const { port } = await aQuietServer(t, host, { until: 'owner.challenge', answer: OWNER });
    const tokenFile = join(aDirectory(t), 'owner.token');
    writeFileSync(tokenFile, `${TOKEN}\n`, { mode: 0o600 });
    const entering = await enterAsOwner(at(host, port), { tokenFile, trust: NOBODY });
    assert.ok(!('refused' in entering), JSON.stringify(entering));
    const { client, cameIn } = entering;
    assert.equal(await cameIn, undefined);
    assert.equal(client.serverName, 'Server');
    client.destroy();
  });

  test(`a login leaves with the preface where the key was known, and what is asked behind it too: ${host}`, async (t) => {
    const { port, fingerprint } = await aQuietServer(t, host, { until: 'run.start', answer: OWNER });
    const target = { host: `tls://${at(host, port)}`, trust: trustKey(fingerprint) };
    const opened = await openClient(target, AbortSignal.timeout(PATIENCE_MS));
    const { cameIn } = await enter(toOpened(opened), { token: 'pl_x' });
    const started = opened.client.request('run.start', {});
    assert.deepEqual((await cameIn).identity, OWNER);
    assert.deepEqual(await started, { result: OWNER });
    opened.client.destroy();
  });

  test(`a secret waits for a native server where its key was not known, a guest’s name does not: ${host}`, async (t) => {
    for (const [scheme, trust] of [
      ['tls', FIRST],
      ['tcp', NOBODY],
    ] as const) {
      const { port, heard } = await aQuietServer(t, host, { until: PREFACE, answer: OWNER });
      const credential = { token: 'pl_x' };
      await using client = await connect({ host: `${scheme}://${at(host, port)}`, trust, credential });
      assert.deepEqual([client.identity, client.cameInBy, await heard], [OWNER, 'token', PREFACE]);
    }
    const { port } = await aQuietServer(t, host, { until: 'login.guest', answer: { name: 'Bob', role: 'guest' } });
    await using guest = await connect({ host: at(host, port), credential: { guest: 'Bob' } });
    assert.deepEqual([guest.identity, guest.cameInBy], [{ name: 'Bob', role: 'guest' }, 'guest']);
  });

  test(`what is no native server is named as one, whoever comes and however early they have asked: ${host}`, async (t) => {
    const tokenFile = join(aDirectory(t), 'owner.token');
    writeFileSync(tokenFile, `${TOKEN}\n`, { mode: 0o600 });
    for (const [answer, why] of [
      ['HTTP/1.1 400 Bad Request\r\n', 'not a native server: it answered "HTTP/1.1 400 Bad Request\\r"'],
      ['PARTYLINE/0 too old\n', 'too old'],
    ] as const) {
      for (const credential of [{ token: 'pl_x' }, { guest: 'Bob' }, { ownerTokenFile: tokenFile }, 'none'] as const) {
        const { port, fingerprint } = await aQuietServer(t, host, { until: PREFACE, answer });
        const target = `tls://${at(host, port)}`;
        const connecting = connect({ host: target, trust: trustKey(fingerprint), credential });
        await assert.rejects(connecting, { name: 'UnreachableError', message: `Cannot connect to ${target}: ${why}` });
        const owner = await enterAsOwner(at(host, port), { tokenFile, trust: NOBODY });
        assert.deepEqual(owner, { refused: `Cannot connect to ${at(host, port)}: ${why}`, kind: 'unreached' });
      }
    }
  });
}
