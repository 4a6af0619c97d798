import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { chat, type ChatMachine } from './chat.ts';

/** Runs the command as far as it comes without a server; what it says on stderr, and its status. */
async function said(t: TestContext, args: string[], machine?: ChatMachine): Promise<[number, string]> {
  let words = '';
  const { mock } = t.mock.method(process.stderr, 'write', (text: string) => {
    words += text;
    return true;
  });
  try {
    return [await chat(args, machine), words];
  } finally {
    mock.restore();
  }
}

test('a user id without a name is told to give one', async (t) => {
  const userName = () => {
    throw Object.assign(new Error('uv_os_get_passwd returned ENOENT'), { code: 'ERR_SYSTEM_ERROR' });
  };
  assert.deepEqual(await said(t, [], { userName }), [
    64,
    'partyline chat: your user id has no name on this machine: give --name NAME\n',
  ]);
});

test('wrong usage is status 64 and one sentence', async (t) => {
  const cases = [
    [['--wat'], "Unknown option '--wat'; --help lists those that there are"],
    [['--name'], '--name takes a value, and none follows'],
    [['a', 'b'], 'one HOST is expected, not 2'],
    [
      ['::1:99999'],
      'Cannot use "::1:99999" as an address: "::1:99999" is not an IPv6 address; an IPv6 address with a port is written [IPV6]:PORT',
    ],
    [
      ['http://localhost'],
      '"http" does not carry the line protocol: expected tcp://, tls://, line://, tcp+insecure:// or no scheme',
    ],
    [['--name', 'two\nlines'], 'a name is one line'],
  ] as const;
  for (const [args, why] of cases) {
    assert.deepEqual(await said(t, [...args]), [64, `partyline chat: ${why}\n`]);
  }
});
