import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { test, type TestContext } from 'node:test';
import { listenOn } from '../../test/kit/listener.ts';
import type { Candidate } from '../net/race.ts';
import { formatHostPort } from '../net/address.ts';
import { endOfLine, formatEchoAnswer, parseEchoGreeting } from '../protocol/echo/exchange.ts';
import type { EchoIo } from './echo/io.ts';
import { echo, HELP } from './echo.ts';

const LOOPBACKS = ['127.0.0.1', '::1'];

/** RFC 862: all that comes goes back, until the other side has ended. */
const plainEcho = (socket: Socket): void => void socket.pipe(socket);

/** The server's side of the exchange, named `Server`; `heard` gets what follows it. */
const namedEcho =
  (heard: string[], greeting = '') =>
  (socket: Socket): void => {
    socket.write(greeting);
    socket.once('data', (first: Buffer) => {
      const end = endOfLine(first);
      const client = parseEchoGreeting(first.subarray(0, end));
      heard.push(client.kind === 'named' ? `[${client.name}]` : client.reason);
      socket.write(formatEchoAnswer('Server', socket.remoteAddress ?? '', socket.remotePort ?? 0));
      socket.on('data', (chunk: Buffer) => heard.push(chunk.toString()));
      socket.write(first.subarray(end));
      socket.pipe(socket);
    });
  };

async function serve(t: TestContext, host: string, accept: (socket: Socket) => void): Promise<string> {
  return formatHostPort(host, await listenOn(t, host, accept));
}

const lookup = async (): Promise<Candidate[]> => [{ address: '127.0.0.1', family: 4 }];

/** The command with streams in place of a terminal or pipes. */
function start(args: string[], world: { isTTY?: boolean; environment?: EchoIo['environment'] } = {}) {
  const { isTTY = false, environment = {} } = world;
  const stdin = Object.assign(new PassThrough(), { isTTY });
  const stdout = Object.assign(new PassThrough(), { isTTY });
  const stderr = new PassThrough();
  const status = echo(args, { stdin, stdout, stderr, environment, lookup });
  let shown = '';
  stdout.setEncoding('latin1').on('data', (text: string) => {
    shown += text;
    stdout.emit('shown');
  });
  return {
    stdin,
    stdout,
    status,
    /** Waits until exactly this is on the screen. */
    until: async (text: string): Promise<void> => {
      const isThere = () => {
        assert.ok(text.startsWith(shown), `shown is ${JSON.stringify(shown)}, expected ${JSON.stringify(text)}`);
        return shown === text;
      };
      while (!isThere()) await once(stdout, 'shown');
    },
    async end() {
      const code = await status;
      stdout.end();
      if (!stdout.readableEnded) await once(stdout, 'end');
      return { code, stdout: shown, stderr: String(stderr.read() ?? '') };
    },
  };
}

function run(args: string[], input: string | Buffer = '', world: Parameters<typeof start>[1] = {}) {
  const command = start(args, world);
  command.stdin.end(input);
  return command.end();
}

for (const loopback of LOOPBACKS) {
  test(`a conversation with a named server, line by line, up to close, over ${loopback}`, async (t) => {
    const heard: string[] = [];
    const command = start([await serve(t, loopback, namedEcho(heard)), '--name', 'Client']);
    let shown = 'Connected with Server\n';
    await command.until(shown);
    for (const line of ['hello\n', 'nice to meet you\n']) {
      command.stdin.write(line);
      shown += `Server : ${line}`;
      await command.until(shown);
    }
    command.stdin.write('close\n');
    assert.deepEqual(await command.end(), { code: 0, stdout: shown, stderr: '' });
    assert.deepEqual(heard, ['[Client]', 'hello\n', 'nice to meet you\n', 'close\n']);
  });

  test(`a plain RFC 862 server is known by its echo of our first line, over ${loopback}`, async (t) => {
    const server = await serve(t, loopback, plainEcho);
    const { code, stdout } = await run([server], 'hello\nclose\nunheard\n');
    assert.deepEqual([code, stdout], [0, `Connected with ${loopback}\n${loopback} : hello\n`]);
  });

  test(`all that was piped in comes back after the half-close, over ${loopback}`, async (t) => {
    const bytes = randomBytes(3_000_000);
    // No byte is a line feed: the label then stands once, and the rest is comparable byte by byte.
    for (let at = 0; at < bytes.length; at++) if (bytes[at] === 10) bytes[at] = 11;
    const { code, stdout } = await run([await serve(t, loopback, plainEcho), '--raw'], bytes);
    const echoed = Buffer.from(stdout, 'latin1').subarray(`Connected with ${loopback}\n${loopback} : `.length);
    assert.equal(code, 0);
    assert.equal(createHash('sha256').update(echoed).digest('hex'), createHash('sha256').update(bytes).digest('hex'));
  });
}

test('--raw sends nothing of its own', async (t) => {
  let heard = '';
  const server = await serve(t, '::1', (socket) => {
    socket.on('data', (chunk: Buffer) => void (heard += chunk.toString()));
    plainEcho(socket);
  });
  const { stdout } = await run([server, '--raw'], 'a\nclose\n');
  assert.deepEqual([heard, stdout], ['a\n', 'Connected with ::1\n::1 : a\n']);
});

test('the prompt for slow line clients is skipped', async (t) => {
  const heard: string[] = [];
  const { code, stdout } = await run([await serve(t, '127.0.0.1', namedEcho(heard, 'Enter your name: '))], 'hi\n');
  assert.deepEqual([code, stdout, heard[0]], [0, 'Connected with Server\nServer : hi\n', '[Client]']);
});

test('a server that says something else is refused in one line, escaped', async (t) => {
  const server = await serve(t, '127.0.0.1', (socket) => void socket.end('SSH-2.0-Open\x1b[31mSSH\r\n'));
  const { code, stdout, stderr } = await run([server]);
  assert.deepEqual([code, stdout], [255, '']);
  assert.match(
    stderr,
    /^partyline echo: 127\.0\.0\.1 port \d+ does not speak ECHO: it answered "SSH-2\.0-Open\\x1b\[31mSSH"\n$/,
  );
});

test('a server that closes without a word is refused in one line', async (t) => {
  const server = await serve(t, '::1', (socket) => void socket.resume().end());
  const { code, stderr } = await run([server]);
  assert.equal(code, 255);
  assert.match(
    stderr,
    /^partyline echo: ::1 port \d+ does not speak ECHO: it closed the connection without an answer; if that port takes TLS alone it is tls:\/\/\[::1\]:\d+\n$/,
  );
});

test('an echo that is cut off says how much is missing', async (t) => {
  const server = await serve(t, '127.0.0.1', (socket) => {
    socket.once('data', (first: Buffer) => {
      socket.write(first);
      socket.once('data', () => socket.end('he'));
    });
  });
  const { code, stdout, stderr } = await run([server], 'hello\n');
  assert.deepEqual([code, stdout], [255, 'Connected with 127.0.0.1\n127.0.0.1 : he']);
  assert.equal(stderr, 'partyline echo: 127.0.0.1 closed the connection and still owes 4 bytes of the echo\n');
});

test('a server that goes away owing nothing ends it too, with a word on stderr', async (t) => {
  const server = await serve(t, '127.0.0.1', (socket) => {
    socket.once('data', (first: Buffer) => socket.end(first));
  });
  const { code, stderr } = await start([server]).end();
  assert.deepEqual([code, stderr], [0, 'partyline echo: 127.0.0.1 closed the connection\n']);
});

test('on a terminal there is a prompt after each answer, and nothing drives the terminal', async (t) => {
  const command = start([await serve(t, '127.0.0.1', namedEcho([]))], { isTTY: true });
  let shown = 'Connected with Server\nClient : ';
  await command.until(shown);
  command.stdin.write('a\x1b[2Jb\n');
  shown += 'Server : a\\x1b[2Jb\nClient : ';
  await command.until(shown);
  command.stdin.end('close\n');
  assert.deepEqual(await command.end(), { code: 0, stdout: shown, stderr: '' });
});

test('leaving at the prompt leaves the cursor on a line of its own', async (t) => {
  const command = start([await serve(t, '::1', plainEcho), '--name', 'Me'], { isTTY: true });
  await command.until('Connected with ::1\nMe : ');
  command.stdin.end();
  assert.equal((await command.end()).stdout, 'Connected with ::1\nMe : \n');
});

test('as JSON lines it tells the connection, each line, and the sums', async (t) => {
  const { code, stdout } = await run(
    [await serve(t, '::1', namedEcho([])), '--json'],
    Buffer.from('hi\n\xff\n', 'latin1'),
  );
  const [connected, ...rest] = stdout
    .trimEnd()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
  assert.ok(connected !== null && typeof connected === 'object' && 'seenAs' in connected && 'port' in connected);
  const { seenAs, port, ...fields } = connected;
  assert.deepEqual(fields, { event: 'connected', server: 'Server', kind: 'partyline', address: '::1', family: 'ipv6' });
  assert.ok(seenAs !== null && typeof seenAs === 'object' && 'address' in seenAs && seenAs.address === '::1');
  assert.equal(typeof port, 'number');
  assert.deepEqual(rest, [
    { event: 'echo', text: 'hi', endsLine: true },
    { event: 'echo', dataBase64: '/w==', endsLine: true },
    { event: 'closed', why: 'done', by: 'end', sent: 5, received: 5 },
  ]);
  assert.equal(code, 0);
});

test('when nobody reads the output any more, it ends quietly', async (t) => {
  const command = start([await serve(t, '127.0.0.1', plainEcho)]);
  await command.until('Connected with 127.0.0.1\n');
  command.stdout.destroy(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
  assert.equal(await command.status, 0);
});

test('the default server is PARTYLINE_HOST', async (t) => {
  const environment = { PARTYLINE_HOST: await serve(t, '::1', plainEcho) };
  assert.equal((await run(['-6'], '', { environment })).stdout, 'Connected with ::1\n');
});

test('wrong usage is status 64 and one line', async () => {
  const cases: [string[], RegExp][] = [
    [['--nonsense'], /Unknown option '--nonsense'/],
    [['a', 'b'], /one host is expected, 2 are given/],
    [['-4', '-6'], /-4 and -6 exclude each other/],
    [['--name', 'two words'], /"two words" is no name/],
    [['localhost:0'], /the port is "0"/],
    [['http://localhost'], /"http" does not carry echo/],
    [['--count', '3'], /need --probe/],
    [['--probe', '--count', '0'], /--count is a number from 1/],
    [['--probe', '--interval', '1s'], /--interval is a number of milliseconds/],
    [['--probe', '--size', '1048577'], /--size is a number of bytes/],
  ];
  for (const [args, expected] of cases) {
    const { code, stdout, stderr } = await run(args);
    assert.deepEqual([code, stdout], [64, ''], args.join(' '));
    assert.match(stderr, expected);
    assert.equal(stderr.split('\n').length, 2, stderr);
  }
});

test('what cannot be reached is status 255 and one line', async () => {
  const cases: [string[], string][] = [
    [
      ['hub.example', '-6'],
      'partyline echo: Cannot connect to hub.example port 7270: hub.example has no IPv6 address\n',
    ],
    [
      ['echo://127.0.0.1', '-6'],
      'partyline echo: Cannot connect to 127.0.0.1 port 7007: 127.0.0.1 is not an IPv6 address\n',
    ],
  ];
  for (const [args, expected] of cases) {
    assert.deepEqual(await run(args), { code: 255, stdout: '', stderr: expected });
  }
});

test('--help goes to stdout', async () => {
  assert.deepEqual(await run(['--help']), { code: 0, stdout: HELP, stderr: '' });
});
