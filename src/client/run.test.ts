import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allowedEnvironment } from '../core/run/environment.ts';
import { refusalOfLength, Runs, sentEnvironment } from './run.ts';

test('what is sent of the environment is what a server lets through, no more and no less', () => {
  const names = ['LANG', 'LANGUAGE', 'LC_ALL', 'LC_CTYPE', 'LC_', 'lc_all', 'TERM', 'TERMINFO', 'TZ', 'TZDIR', 'PATH'];
  names.push('HOME', 'LD_PRELOAD', 'BASH_ENV', 'NODE_OPTIONS', 'PARTYLINE_TOKEN_FILE', 'AWS_SECRET_ACCESS_KEY');
  names.push('XLANG', 'LANG ', 'LC_ALL=', 'LANG\n', '__proto__', '', ...Object.keys(process.env));
  const environment = Object.fromEntries(names.map((name) => [name, 'x']));
  const sent = sentEnvironment(environment);
  assert.deepEqual(sent, allowedEnvironment(environment));
  for (const name of ['LANG', 'LC_ALL', 'LC_CTYPE', 'TERM', 'TZ']) assert.equal(sent[name], 'x');
  assert.equal('PATH' in sent, false);
});

test('a command longer than a request may be is refused with both numbers', () => {
  assert.equal(refusalOfLength({ shell: 'true' }), undefined);
  assert.match(
    refusalOfLength({ shell: 'é'.repeat(2_000_000) }) ?? '',
    /^the command has 40000\d\d bytes, and \d+ are/,
  );
});

test('an end that comes in one piece with the answer is not missed', async () => {
  let tellEnded: (params: unknown) => void = () => {};
  const answer = Promise.withResolvers<object>();
  const client = {
    openStream: () => 1,
    request: () => answer.promise,
    onDrain() {},
    onNotification: (_: string, listener: typeof tellEnded) => (tellEnded = listener),
    gone: new Promise(() => {}),
  };
  const listener = { onOutput() {}, onOutputEnd() {}, onInputRoom() {}, onInputClosed() {} };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- no more of a client is needed here
  const runs = new Runs(client as never);
  const { ended } = runs.start({ command: { shell: 'true' } }, listener);
  answer.resolve({ result: { run: 7 } });
  tellEnded({ run: 7, result: 'denied', status: null, reason: 'no' });
  assert.deepEqual(await ended, { end: 'refused', code: 'denied', message: 'no' });
});
