import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRequest, type LineRequest } from './request.ts';

const TABLE: [line: string, request: LineRequest][] = [
  ['', { type: 'nothing' }],
  ['   ', { type: 'nothing' }],
  ['get_list', { type: 'get_list' }],
  [' get_list ', { type: 'get_list' }],
  ['get_list now', { type: 'misused', word: 'get_list' }],
  ['quit', { type: 'quit' }],
  ['help', { type: 'help' }],
  ['send all hello friends', { type: 'send', to: 'all', text: 'hello friends' }],
  ['send all  hello ', { type: 'send', to: 'all', text: ' hello ' }],
  ['send all: hello', { type: 'send', to: 'all', text: 'hello' }],
  ['send all:: hello', { type: 'send', to: 'all', text: ': hello' }],
  ['send all :-) hello', { type: 'send', to: 'all', text: ':-) hello' }],
  ['send all when is it due: 11:59pm', { type: 'send', to: 'all', text: 'when is it due: 11:59pm' }],
  ['send all', { type: 'send', to: 'all', text: '' }],
  ['send ALL hi', { type: 'send', to: 'all', text: 'hi' }],
  ['send allan : hi', { type: 'send', to: ['allan'], text: 'hi' }],
  ['send Prashanth : Today night 11:59pm', { type: 'send', to: ['Prashanth'], text: 'Today night 11:59pm' }],
  ['send c2: x', { type: 'send', to: ['c2'], text: 'x' }],
  ['send c2 :x', { type: 'send', to: ['c2'], text: 'x' }],
  ['send c2 c3  c4 :  x', { type: 'send', to: ['c2', 'c3', 'c4'], text: ' x' }],
  ['send bob all : x', { type: 'send', to: ['bob', 'all'], text: 'x' }],
  ['send c2 x', { type: 'misused', word: 'send' }],
  ['send : x', { type: 'misused', word: 'send' }],
  ['send', { type: 'misused', word: 'send' }],
  ['sendall x', { type: 'unknown', word: 'sendall' }],
  ['login abc', { type: 'login', secret: 'abc' }],
  ['login', { type: 'misused', word: 'login' }],
  ['run : ls -la', { type: 'run', targets: '', command: 'ls -la' }],
  ['run:echo a:b', { type: 'run', targets: '', command: 'echo a:b' }],
  ['run web1 web2 : uptime', { type: 'run', targets: 'web1 web2', command: 'uptime' }],
  ['run uptime', { type: 'misused', word: 'run' }],
  ['run : ', { type: 'misused', word: 'run' }],
  ['Hello', { type: 'unknown', word: 'Hello' }],
];

for (const [line, request] of TABLE) {
  test(`"${line}" is ${JSON.stringify(request)}`, () => assert.deepEqual(parseRequest(line), request));
}

test('names may have commas between them', () => {
  for (const line of ['send bob,eve : hi', 'send bob, eve : hi', 'send bob ,eve: hi', 'send bob eve, : hi']) {
    assert.deepEqual(parseRequest(line), { type: 'send', to: ['bob', 'eve'], text: 'hi' });
  }
  assert.deepEqual(parseRequest('send , : hi'), { type: 'misused', word: 'send' });
  assert.deepEqual(parseRequest('share 17 bob,#ops'), { type: 'share', id: 17, to: ['bob', '#ops'] });
});
