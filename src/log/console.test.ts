import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConsoleLog, type ConsoleOptions } from './console.ts';

/** A reader that can stop reading. */
class Reader {
  text = '';
  writableLength = 0;
  onError: (() => void) | undefined;

  write(text: string): void {
    this.text += text;
  }

  on(_event: 'error', listener: () => void): void {
    this.onError = listener;
  }
}

function aLog(options: Omit<ConsoleOptions, 'stdout' | 'stderr'> = {}) {
  const stdout = new Reader();
  const stderr = new Reader();
  return { log: new ConsoleLog({ ...options, stdout, stderr }), stdout, stderr };
}

const ARRIVED = { event: 'arrived', text: 'Name of client: bob', name: 'bob' };

test('the console gets the words, or with json the fields without the words, a line each', () => {
  const plain = aLog();
  plain.log.tell(ARRIVED);
  plain.log.tell({ event: 'ready', text: 'ready' });
  assert.equal(plain.stdout.text, 'Name of client: bob\nready\n');
  assert.equal(plain.stderr.text, '');
  const json = aLog({ json: true });
  json.log.tell(ARRIVED);
  assert.equal(json.stdout.text, '{"event":"arrived","name":"bob"}\n');
});

test('a warning is an event with fields on stderr, whose values cannot leave their line', () => {
  const plain = aLog();
  plain.log.warn('slow reader closed', { address: '::1', waitingBytes: 9, why: 'a\nb\x1b[31m', nothing: undefined });
  assert.match(
    plain.stderr.text,
    /^warn slow reader closed address="::1" waitingBytes=9 why="a\\nb\\u001b\[31m"[^\n]*\n$/,
  );
  assert.equal(plain.stdout.text, '');
  const json = aLog({ json: true });
  json.log.warn('slow reader closed', { address: '::1' });
  assert.equal(json.stderr.text, '{"level":"warn","event":"slow reader closed","address":"::1"}\n');
});

test('what is only of interest when looking for something is said with verbose alone', () => {
  const quiet = aLog();
  quiet.log.info('opened', { port: 1 });
  assert.equal(quiet.stderr.text, '');
  const verbose = aLog({ verbose: true });
  verbose.log.info('opened', { port: 1 });
  verbose.log.info('ready');
  assert.equal(verbose.stderr.text, 'info opened port=1\ninfo ready\n');
});

test('for a reader that does not read, lines are left out and counted, and said when it reads again', () => {
  const { log, stdout } = aLog();
  stdout.writableLength = 2_000_000;
  for (let n = 0; n < 3; n++) log.tell(ARRIVED);
  assert.equal(stdout.text, '');
  stdout.writableLength = 0;
  log.tell({ event: 'left', text: 'bob connection closed', name: 'bob' });
  log.tell(ARRIVED);
  assert.equal(stdout.text, '3 lines were left out: nobody read them\nbob connection closed\nName of client: bob\n');
  const json = aLog({ json: true });
  json.stdout.writableLength = 2_000_000;
  json.log.tell(ARRIVED);
  json.stdout.writableLength = 0;
  json.log.tell({ event: 'ready', text: 'ready' });
  assert.equal(json.stdout.text, '{"event":"left-out","lines":1}\n{"event":"ready"}\n');
});

test('of one warning so many lines are said in a second, and the next one says how many were left out', () => {
  const time = { ms: 0 };
  const { log, stderr } = aLog({ clock: () => time.ms });
  for (let count = 0; count < 1_000; count++) log.warn('wrong token', { count });
  log.warn('slow reader cut');
  const lines = stderr.text.split('\n');
  assert.deepEqual(lines.slice(9), ['warn wrong token count=9', 'warn slow reader cut', '']);
  stderr.text = '';
  time.ms = 1_000;
  for (const count of [1, 2]) log.warn('wrong token', { count });
  assert.equal(stderr.text, 'warn wrong token count=1 leftOut=990\nwarn wrong token count=2\n');
});

test('a log that nobody reads costs lines as well, and says nothing of it on the console', () => {
  const { log, stdout, stderr } = aLog({ verbose: true });
  stderr.writableLength = 2_000_000;
  log.warn('connection refused');
  log.info('opened');
  assert.deepEqual([stdout.text, stderr.text], ['', '']);
  log.tell(ARRIVED);
  assert.equal(stdout.text, 'Name of client: bob\n');
});

test('a reader that has gone is no error of the server', () => {
  const { log, stdout, stderr } = aLog();
  for (const { onError } of [stdout, stderr]) {
    assert.ok(onError, 'somebody listens for EPIPE');
    assert.doesNotThrow(onError);
  }
  log.tell(ARRIVED);
});
