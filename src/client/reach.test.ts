import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { formatHostPort } from '../net/address.ts';
import { ECHO, LINES, OWNER, reach, ReachError, readTarget, refusalOfPlain, type Policy } from './reach.ts';

const LOOPBACK = ['127.0.0.1', '127.9.9.9', '::1'];
const BEYOND = ['192.0.2.1', '2001:db8::1', '::ffff:192.0.2.1', 'fe80::1%eth0', '0.0.0.0', '::'];

function refusalTo(text: string, address: string, policy: Policy): string | undefined {
  const target = readTarget(text, policy);
  assert.ok('host' in target, JSON.stringify(target));
  return refusalOfPlain(target, { address, policy });
}

test('towards loopback plain text may always go, judged by the address', () => {
  for (const address of LOOPBACK) {
    for (const policy of [LINES, OWNER, ECHO]) {
      for (const text of ['hub.example', 'tcp://hub.example', 'tcp+insecure://hub.example']) {
        assert.equal(refusalTo(text, address, policy), undefined);
      }
    }
  }
});

test('beyond loopback lines go where that was asked for, the owner never, echo anywhere', () => {
  for (const address of BEYOND) {
    for (const text of ['localhost', 'tcp://localhost', 'tcp+insecure://localhost']) {
      const isAskedFor = text.startsWith('tcp+insecure');
      assert.equal(refusalTo(text, address, LINES) === undefined, isAskedFor);
      assert.equal(refusalTo(text, address, OWNER) === undefined, false);
      assert.equal(refusalTo(text, address, ECHO), undefined);
    }
    assert.notEqual(refusalTo('line://localhost', address, LINES), undefined);
  }
  assert.equal(
    refusalTo('[2001:db8::1]:7', '2001:db8::1', LINES),
    '2001:db8::1 is not loopback, TLS is not available yet, and nothing was sent in plain text; ' +
      'tcp+insecure://[2001:db8::1]:7 says that it is meant',
  );
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
  assert.deepEqual(portOf('tls://h', OWNER), { refused: 'Cannot connect to "tls://h": TLS is not available yet' });
  assert.deepEqual(portOf('line://h', OWNER), {
    wrong: '"line" does not carry commands: expected tcp://, tcp+insecure:// or no scheme',
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
    const reached = await reach(text, { policy: LINES });
    assert.deepEqual([reached.host, reached.address, reached.port], [host, host, address.port]);
    reached.socket.destroy();
    server.close();
    await once(server, 'close');
    for (const wrong of [text, `tls://${text}`, `http://${text}`]) {
      await assert.rejects(
        reach(wrong, { policy: LINES }),
        (error) => error instanceof ReachError && error.kind === 'unreached',
      );
    }
  });
}
