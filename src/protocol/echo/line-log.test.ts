import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EchoLineLog, MAX_LOG_LINE_LENGTH, MAX_LOG_LINES_PER_SECOND, NO_TEXT } from './line-log.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

function aLog(): { log: EchoLineLog; told: string[] } {
  const told: string[] = [];
  return { log: new EchoLineLog('Client', (line) => told.push(line)), told };
}

test('lines are told however the bytes were cut, a last one without its end too', () => {
  const text = 'hello\nwörld\r\n\nclose';
  for (let size = 1; size <= text.length; size++) {
    const { log, told } = aLog();
    const whole = bytes(text);
    for (let at = 0; at < whole.length; at += size) log.push(whole.subarray(at, at + size), 0);
    log.end(0);
    assert.deepEqual(told, ['Client : hello', 'Client : wörld', 'Client : ', 'Client : close'], `cut every ${size}`);
  }
});

test('a line is escaped and cut to 200 characters, whatever its length', () => {
  const { log, told } = aLog();
  log.push(bytes(`\x1b]0;x\x07\n${'é'.repeat(100_000)}\n${'\x1b'.repeat(300)}\n`), 0);
  assert.equal(told[0], 'Client : \\x1b]0;x\\x07');
  assert.equal(told[1], `Client : ${'é'.repeat(MAX_LOG_LINE_LENGTH - 10)}…`);
  assert.equal(told[2]?.length, MAX_LOG_LINE_LENGTH);
  assert.equal(told.length, 3);
});

test('what is not UTF-8 is shown as replacement characters', () => {
  const { log, told } = aLog();
  log.push(new Uint8Array([0xff, 0x41, 10]), 0);
  assert.deepEqual(told, ['Client : \ufffdA']);
});

test('what is no text is said once in a connection', () => {
  const all = Uint8Array.from({ length: 256 }, (_, at) => at);
  const sent = [
    all,
    Uint8Array.from([...all.subarray(11, 64), 10]),
    new Uint8Array(3_000).fill(0xe9),
    bytes('\nhello\n'),
    all,
  ];
  const { log, told } = aLog();
  for (const [second, chunk] of sent.entries()) log.push(chunk, second * 1_000);
  log.end(9_000);
  assert.deepEqual(told, [`Client : ${NO_TEXT}`, 'Client : hello']);
});

test('at most ten lines a second are told, the rest is not, and the next second begins anew', () => {
  const { log, told } = aLog();
  for (let i = 0; i < 30; i++) log.push(bytes(`${i}\n`), 5_000);
  assert.equal(told.length, MAX_LOG_LINES_PER_SECOND);
  log.push(bytes('still the same second\n'), 5_999);
  assert.equal(told.length, MAX_LOG_LINES_PER_SECOND);
  log.push(bytes('later\n'), 6_000);
  assert.deepEqual(told.slice(MAX_LOG_LINES_PER_SECOND), ['Client : later']);
  for (let i = 0; i < 30; i++) log.push(bytes(`${i}\n`), 6_999);
  assert.equal(told.length, 2 * MAX_LOG_LINES_PER_SECOND);
});

test('ten lines in one chunk use up the budget as well', () => {
  const { log, told } = aLog();
  log.push(bytes('x\n'.repeat(1_000)), 0);
  assert.equal(told.length, MAX_LOG_LINES_PER_SECOND);
});

test('a line whose beginning went by unlogged is not told in part', () => {
  const { log, told } = aLog();
  log.push(bytes('x\n'.repeat(MAX_LOG_LINES_PER_SECOND)), 0);
  log.push(bytes('the beginning '), 10);
  log.push(bytes('the end\nwhole\n'), 2_000);
  assert.deepEqual(told.slice(MAX_LOG_LINES_PER_SECOND), ['Client : whole']);
});
