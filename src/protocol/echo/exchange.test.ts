import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  endOfLine,
  formatEchoAnswer,
  formatEchoGreeting,
  formatEchoRefusal,
  MAX_ECHO_LINE_BYTES,
  parseEchoAnswer,
  parseEchoGreeting,
} from './exchange.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const nameOf = (line: string) => {
  const greeting = parseEchoGreeting(bytes(line));
  return greeting.kind === 'named' ? greeting.name : undefined;
};
const reasonOf = (line: Uint8Array) => {
  const greeting = parseEchoGreeting(line);
  return greeting.kind === 'refused' ? greeting.reason : '';
};

test('a name is taken as it is said, of any script, with LF, CRLF or no line end, trimmed', () => {
  for (const name of ['Client', 'a', 'zoë', '日本', 'x'.repeat(64), '🙄'.repeat(64), '-rf', '1.2.3']) {
    for (const end of ['\n', '\r\n', '']) assert.equal(nameOf(`ECHO ${name}${end}`), name);
  }
  assert.equal(nameOf('ECHO   Client  \n'), 'Client');
});

test('what is no name is refused in one line that says what was given and what is expected', () => {
  const lines = ['ECHO \n', 'ECHO    \n', `ECHO ${'x'.repeat(65)}\n`, 'ECHO a b\n', 'ECHO a\u00a0b\n'];
  const controls = ['ECHO a\x1b[2J\n', 'ECHO a\tb\n', 'ECHO a\x00\n', 'ECHO a\u202eb\n', 'ECHO a\u0085\u2028b\n'];
  for (const line of [...lines, ...controls]) {
    const reason = reasonOf(bytes(line));
    assert.match(reason, /^error: .*expected is "ECHO NAME".*\n$/, JSON.stringify(line));
    // oxlint-disable-next-line no-control-regex -- these are what must not come through
    assert.doesNotMatch(reason.slice(0, -1), /[\x00-\x1f\x7f-\x9f\u202e\u2028]/);
  }
  assert.match(reasonOf(new Uint8Array([...bytes('ECHO a'), 0xff, 10])), /^error: .*not UTF-8/);
  assert.match(reasonOf(bytes(`ECHO ${'x'.repeat(65)}\n`)), /a name of 65 characters/);
  assert.match(reasonOf(bytes('ECHO a b\n')), /the name "a b"/);
  assert.match(reasonOf(bytes('ECHO')), /no name/);
});

test('a refusal fits into the line that the other end reads', () => {
  assert.ok(bytes(reasonOf(bytes(`ECHO ${'\x1b'.repeat(64)}`))).length <= MAX_ECHO_LINE_BYTES);
  assert.ok(bytes(formatEchoRefusal(`${MAX_ECHO_LINE_BYTES} bytes without an end`)).length <= MAX_ECHO_LINE_BYTES);
});

test('the answer comes back as it was sent, and an echo is told from it', () => {
  assert.equal(formatEchoGreeting('Client'), 'ECHO Client\n');
  assert.equal(formatEchoAnswer('Server', '::1', 40_000), 'ECHO Server ::1 40000\n');
  const answer = bytes(formatEchoAnswer('Server', '127.0.0.1', 40_000));
  assert.deepEqual(parseEchoAnswer(answer, 'Client'), {
    kind: 'partyline',
    server: 'Server',
    address: '127.0.0.1',
    port: 40_000,
  });
  for (const port of [1, 65_535]) {
    assert.equal(parseEchoAnswer(bytes(`ECHO S ::1 ${port}`), 'Client').kind, 'partyline', `${port}`);
  }
  assert.deepEqual(parseEchoAnswer(bytes('ECHO Client\r\n'), 'Client'), { kind: 'plain' });
  for (const text of [
    '',
    'error: no',
    'ECHO Server',
    'ECHO S 1.2.3.4 x',
    'ECHO S 1.2.3.4 5 6',
    'ECHO S ::1 65536',
    'ECHO S ::1 0',
    'HTTP/1.1 400 B 1',
  ]) {
    assert.equal(parseEchoAnswer(bytes(text), 'Client').kind, 'refused', text);
  }
  assert.deepEqual(parseEchoAnswer(bytes('a\x1bb\n'), 'Client'), { kind: 'refused', text: '"a\\x1bb"' });
});

test('a line ends after its first LF', () => {
  assert.equal(endOfLine(bytes('ECHO a\nb\n')), 7);
  assert.equal(endOfLine(bytes('\n')), 1);
  assert.equal(endOfLine(bytes('ECHO a')), -1);
  assert.equal(endOfLine(bytes('')), -1);
});
