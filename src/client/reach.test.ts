import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { aDirectory } from '../../test/kit/directory.ts';
import type { Log } from '../log/log.ts';
import { formatHostPort } from '../net/address.ts';
import { TlsServer } from '../net/tls-server.ts';
import { ECHO, LINES, OWNER, reach, ReachError, readTarget, wayTo, type Policy, type Way } from './reach.ts';
import type { Trust } from './trust.ts';

const LOOPBACK = ['127.0.0.1', '127.9.9.9', '::1'];
const BEYOND = ['192.0.2.1', '2001:db8::1', '::ffff:192.0.2.1', 'fe80::1%eth0', '0.0.0.0', '::'];

const QUIET: Log = { tell() {}, info() {}, warn() {} };
const ANYBODY: Trust = { meet: () => ({ met: 'again' }), tell() {} };
const NOBODY: Trust = {
  meet: () => ({ refused: 'nobody is known' }),
  tell() {},
};

function wayBy(text: string, address: string, policy: Policy): Way {
  const target = readTarget(text, policy);
  assert.ok('host' in target, JSON.stringify(target));
  return wayTo(target, { address, policy });
}

test('towards loopback it is plain text unless TLS is asked for, judged by the address', () => {
  for (const address of LOOPBACK) {
    for (const policy of [LINES, OWNER, ECHO]) {
      for (const text of ['hub.example', 'tcp://hub.example', 'tcp+insecure://hub.example']) {
        assert.equal(wayBy(text, address, policy), 'plain');
      }
      assert.equal(wayBy('tls://hub.example', address, policy), 'tls');
    }
  }
});

test('beyond loopback lines go by TLS unless plain text is asked for, the owner nowhere, echo as it was asked for', () => {
  for (const address of BEYOND) {
    for (const text of ['localhost', 'tcp://localhost', 'tls://localhost', 'tcp+insecure://localhost']) {
      assert.equal(wayBy(text, address, LINES), text.startsWith('tcp+insecure') ? 'plain' : 'tls');
      assert.deepEqual(wayBy(text, address, OWNER), {
        refused: `not allowed: the owner token counts from loopback only, ${address} is not, and nothing was sent`,
      });
      assert.equal(wayBy(text, address, ECHO), text.startsWith('tls') ? 'tls' : 'plain');
    }
  }
  assert.deepEqual(wayBy('line://[2001:db8::1]:7', '2001:db8::1', LINES), {
    refused:
      '2001:db8::1 is not loopback, line:// is plain text, and nothing was sent; ' +
      'tcp+insecure://[2001:db8::1]:7 says that it is meant',
  });
});

test('a scheme brings its own port, and one that is not spoken is named', () => {
  const portOf = (text: string, policy: Policy) => {
    const target = readTarget(text, policy);
    return 'host' in target ? target.port : target;
  };
  assert.equal(portOf('::1', ECHO), 7270);
  assert.equal(portOf('echo://[::1]', ECHO), 7007);
  assert.equal(portOf('ECHO+insecure://h', ECHO), 7007);
  assert.equal(portOf('echo://h:9', ECHO), 9);
  assert.equal(portOf('line://h', LINES), 7270);
  assert.equal(portOf('tls://h', OWNER), 7270);
  assert.deepEqual(portOf('line://h', OWNER), {
    wrong: '"line" does not carry commands: expected tcp://, tls://, tcp+insecure:// or no scheme',
  });
  for (const scheme of ['constructor', 'http', 'line']) assert.ok(!('port' in Object(portOf(`${scheme}://h`, ECHO))));
  assert.ok('wrong' in Object(portOf('h:0', LINES)));
});

for (const host of ['127.0.0.1', '::1']) {
  test(`what cannot be reached is told as unreached, with nothing sent: ${host}`, async () => {
    const server = createServer().listen(0, host);
    await once(server, 'listening');
    const address = server.address();
    assert.ok(address !== null && typeof address === 'object');
    const text = formatHostPort(host, address.port);
    const reached = await reach(text, { policy: LINES, trust: NOBODY });
    assert.deepEqual([reached.host, reached.address, reached.port], [host, host, address.port]);
    reached.socket.destroy();
    server.close();
    await once(server, 'close');
    for (const wrong of [text, `tls://${text}`, `http://${text}`]) {
      await assert.rejects(
        reach(wrong, { policy: LINES, trust: NOBODY }),
        (error) => error instanceof ReachError && error.kind === 'unreached',
      );
    }
  });
}

for (const host of ['127.0.0.1', '::1']) {
  test(`a client that was held up, and greeted before it began with TLS, comes once more: ${host}`, async (t) => {
    const tls = new TlsServer({ directory: aDirectory(t), names: [host], now: Date.now, log: QUIET });
    const inside: Socket[] = [];
    let greetings = 1;
    let connections = 0;
    const server = createServer((socket) => {
      connections += 1;
      socket.on('error', () => {});
      if (greetings-- > 0) socket.resume().write('Enter your name: ');
      else tls.secure(socket, new Uint8Array(0), (secured) => 'inside' in secured && inside.push(secured.inside));
    }).listen(0, host);
    await once(server, 'listening');
    const address = server.address();
    assert.ok(address !== null && typeof address === 'object');
    const text = `tls://${formatHostPort(host, address.port)}`;
    const reached = await reach(text, { policy: LINES, trust: ANYBODY });
    assert.deepEqual([reached.fingerprint, connections], [tls.fingerprint, 2]);
    reached.socket.destroy();
    greetings = 2;
    await assert.rejects(reach(text, { policy: LINES, trust: ANYBODY }), /does not speak TLS; nothing was sent$/);
    assert.equal(connections, 4);
    for (const socket of inside) socket.destroy();
    server.close();
    await once(server, 'close');
  });
}
