import assert from 'node:assert/strict';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { Live } from './live.ts';
import type { Look } from './look.ts';

const look = (columns: number, isUtf8 = true): Look => ({ isLive: true, columns, hasColor: false, isUtf8 });

/** The next painting. */
async function painted(output: PassThrough): Promise<string> {
  const [text] = await once(output, 'data');
  return String(text);
}

test('both families are painted with one scale, and painted over', async () => {
  const output = new PassThrough();
  const live = new Live(output, () => look(60));
  live.stage('echoing');
  for (const tookMs of [10, 80, undefined]) live.echo(4, tookMs);
  live.echo(6, 40);
  assert.equal(
    await painted(output),
    '\u001b[KSending echoes …\n\u001b[KIPv4  ▂█×  lost  3 sent, 1 lost\n\u001b[KIPv6  ▅  40.0 ms  1 sent, 0 lost\n',
  );
  live.echo(6, 80);
  assert.ok((await painted(output)).startsWith('\r\u001b[3A\u001b[KSending'));
  const cleared = painted(output);
  live.clear();
  assert.equal(await cleared, '\r\u001b[3A\u001b[J');
});

test('a line is never longer than the terminal is wide, and plain where the locale is', async () => {
  const output = new PassThrough();
  const live = new Live(output, () => look(40, false));
  live.stage('echoing');
  for (let echo = 0; echo < 500; echo++) live.echo(4, 10);
  live.echo(4, undefined);
  const lines = (await painted(output)).replaceAll('\u001b[K', '').split('\n');
  assert.deepEqual(lines, ['Sending echoes ...', 'IPv4  ########x  lost  501 sent, 1 lost', '']);
  live.stage('sizing');
  const narrow = new PassThrough();
  const small = new Live(narrow, () => look(12));
  small.stage('connecting');
  small.echo(6, 1);
  for (const line of (await painted(narrow)).replaceAll('\u001b[K', '').split('\n')) assert.ok(line.length < 12, line);
  live.clear();
  small.clear();
});

test('what was not painted yet leaves nothing to clear', () => {
  const output = new PassThrough();
  const live = new Live(output, () => look(80));
  live.stage('resolving');
  live.clear();
  assert.equal(output.read(), null);
});
