import assert from 'node:assert/strict';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { MatrixView } from './view.ts';

const PROBE = { host: 'hub', ipv4: null, ipv6: null, winner: null, verdict: 'hub does not answer', from: 'another' };

interface Terminal {
  readonly columns: number;
  readonly rows: number;
}

function aView(machines: readonly string[], terminal?: Terminal) {
  const stdout = Object.assign(new PassThrough(), terminal === undefined ? {} : { isTTY: true, ...terminal });
  const [stdin, stderr] = [new PassThrough(), new PassThrough()];
  const dropped: unknown[] = [];
  const drop = (...what: unknown[]): void => void dropped.push(what);
  const io = { stdin, stdout, stderr, environment: { LANG: 'C.UTF-8', TERM: 'xterm' } };
  const made = { host: 'hub', port: 7270, families: [4, 6], wants: 'echo', machines } as const;
  const view = new MatrixView(made, { io, drop, isJson: terminal === undefined });
  const says = (host: string, said: string) =>
    view.output(host, { stream: 'stdout', bytes: Buffer.from(said) }, () => {});
  return {
    view,
    stdout,
    says,
    dropped,
    ends: (host: string) => view.ended(host, { result: 'exited', status: 3 }, undefined),
  };
}

test('while it fills it is never wider nor higher than the terminal', async () => {
  const machines = Array.from({ length: 20 }, (_, at) => `machine-with-a-long-name-${at}${'x'.repeat(at)}`);
  const { view, stdout, ends } = aView(machines, { columns: 24, rows: 6 });
  for (const name of machines.slice(0, 10)) ends(name);
  const [painted] = await once(stdout, 'data');
  const lines = String(painted).replaceAll('\u001b[K', '').trimEnd().split('\n');
  assert.equal(lines.length, 5);
  assert.match(lines[4] ?? '', /^and \d+ more lines$/);
  for (const line of lines) assert.ok(line.length < 24, line);
  await view.close();
});

test('for a program each machine is an object as it answers, under its own name', async () => {
  const { view, stdout, says, ends } = aView(['web1', 'web2', 'web3']);
  for (const character of JSON.stringify(PROBE)) says('web2', character);
  ends('web2');
  says('web1', 'nonsense');
  ends('web1');
  await view.close();
  stdout.end();
  const told = (await text(stdout))
    .trimEnd()
    .split('\n')
    .map((line): Record<string, unknown> => JSON.parse(line));
  assert.deepEqual(
    told.map(({ from, verdict, result, status, reason }) => ({ from, verdict, result, status, reason })),
    [
      { from: 'web2', verdict: 'hub does not answer', result: 'exited', status: 3, reason: undefined },
      {
        from: 'web1',
        verdict: 'nothing was measured from web1: what it says is no probe: "nonsense"',
        result: 'exited',
        status: 3,
        reason: 'what it says is no probe: "nonsense"',
      },
      {
        from: 'web3',
        verdict: 'nothing was measured from web3: not measured',
        result: 'not-started',
        status: null,
        reason: 'not measured',
      },
    ],
  );
});

test('a machine that says more than a probe does is not listened to', async () => {
  const { view, says, ends, dropped } = aView(['web1']);
  for (let said = 0; said < 10; said++) says('web1', 'x'.repeat(65_536));
  assert.deepEqual(dropped[0], ['stdout', 'web1']);
  ends('web1');
  const answer = view.answers.get('web1');
  assert.deepEqual(answer, { kind: 'unanswered', word: 'no probe', why: 'it says more than a probe does' });
  await view.close();
});
