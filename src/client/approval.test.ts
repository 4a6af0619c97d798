// A command that needs a second person, as a program runs it: against a server that says what the test says, and in a house
// where somebody approves.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { anApprovingHouse } from '../../test/kit/approving-house.ts';
import { settled } from '../../test/kit/clock.ts';
import { StillWorld } from '../../test/kit/fake-chat.ts';
import { FakeCommands } from '../../test/kit/fake-commands.ts';
import { at, LOOPBACKS } from '../../test/kit/server.ts';
import { getApproval, type AskedApproval } from './approval.ts';
import { approvedFor } from './approved.ts';
import { CommandRun, type RunOptions } from './command-run.ts';
import { connect, type Client } from './mod.ts';
import { Running } from './running.ts';

const HASH = 'a'.repeat(64);
const ASKED = { approval: 7, hash: HASH, hosts: ['web1'], told: ['eve'], expires: '2026-01-02T03:14:05.678Z' };

/** A command that the policy wants somebody else for, as far as that this is asked for. */
async function aRefusedRun(options: Partial<RunOptions> = {}) {
  const wire = new FakeCommands();
  const running = new Running();
  running.attach(wire);
  const asked: AskedApproval[] = [];
  const onApproval = (one: AskedApproval) => void asked.push(one);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what a part of the options leaves out is here
  const all = { command: 'reboot', on: 'web1', onApproval, ...options } as RunOptions;
  const run = new CommandRun({ options: all, running, world: new StillWorld() });
  wire.refuse(0, 'needs-approval', 'Somebody else has to approve it');
  await settled();
  const methods = () => wire.asked.map(({ method }) => method);
  return { wire, run, asked, methods };
}

const NOT_STARTED = { result: 'cancelled', status: null, reason: 'nothing was started' };

test('what was approved is started as it was asked for, with the request, and its input is empty', async () => {
  const { wire, run, asked, methods } = await aRefusedRun({ env: { LANG: 'C' }, timeoutMs: 9 });
  assert.deepEqual(methods(), ['run.start', 'run.ask']);
  const wishes = { command: { shell: 'reboot' }, on: 'web1', env: { LANG: 'C' }, timeoutMs: 9 };
  assert.deepEqual(wire.asked[1]?.params, wishes);
  assert.deepEqual(asked, []);
  wire.answer(1, ASKED);
  await settled();
  assert.deepEqual([asked, wire.asked[2]?.params], [[ASKED], { approval: 7 }]);
  wire.answer(2, { how: 'approved', by: 'eve' });
  await settled();
  const { stdin, stdout, stderr, ...started } = wire.asked[3]?.params ?? {};
  assert.deepEqual([wire.asked[3]?.method, started], ['run.start', { ...wishes, approval: 7 }]);
  wire.answer(3, { run: 1, record: 5 });
  await settled();
  assert.ok(wire.ended.has(Number(stdin)), 'its input is open');
  wire.say(Number(stdout), 'off');
  for (const stream of [stdout, stderr]) wire.tell({ type: 'end', stream: Number(stream) });
  wire.finish({ run: 1, result: 'exited', status: 0 });
  const { stdout: said, ...result } = await run.text();
  assert.deepEqual([said, result.result, await run.record], ['off', 'exited', 5]);
});

test('what nobody approves is denied, and why is said', async () => {
  for (const [decided, reason] of [
    [{ how: 'denied', by: 'eve' }, 'Cannot run the command: it was denied by eve; nothing was started'],
    [{ how: 'expired', by: null }, 'Cannot run the command: nobody approved it in time; nothing was started'],
    [{ how: 'withdrawn', by: null }, 'Cannot run the command: the request was taken back; nothing was started'],
  ] as const) {
    const { wire, run, methods } = await aRefusedRun();
    wire.answer(1, ASKED);
    await settled();
    wire.answer(2, decided);
    assert.deepEqual(await run.result, { result: 'denied', status: null, code: 'not-approved', reason });
    assert.deepEqual(methods(), ['run.start', 'run.ask', 'approval.wait']);
    assert.equal(await run.record, undefined);
  }
  const { wire, run } = await aRefusedRun();
  wire.refuse(1, 'too-many-waiting', 'Too many wait');
  assert.deepEqual(await run.result, {
    result: 'denied',
    status: null,
    code: 'too-many-waiting',
    reason: 'Too many wait',
  });
});

test('whoever does not wait takes the request back, whenever that is', async () => {
  for (const answered of [0, 1, 2]) {
    const { signal, abort } = stoppable();
    const { wire, run, asked, methods } = await aRefusedRun({ signal });
    if (answered >= 1) wire.answer(1, ASKED);
    await settled();
    abort();
    assert.deepEqual(await run.result, NOT_STARTED);
    if (answered === 0) wire.answer(1, ASKED);
    await settled();
    assert.equal(asked.length, answered === 0 ? 0 : 1);
    const withdrawn = wire.asked.find(({ method }) => method === 'approval.deny');
    assert.deepEqual(withdrawn?.params, { approval: 7 });
    // Somebody was quicker: it does not start all the same.
    const waiting = wire.asked.findIndex(({ method }) => method === 'approval.wait');
    wire.answer(waiting, { how: 'approved', by: 'eve' });
    await settled();
    assert.equal(methods().filter((method) => method === 'run.start').length, 1);
  }
});

test('a callback that fails takes the request back, and is why it was cancelled', async () => {
  const onApproval = () => {
    throw new Error('no place to show it');
  };
  const { wire, run, methods } = await aRefusedRun({ onApproval });
  wire.answer(1, ASKED);
  const reason = 'onApproval failed: no place to show it';
  assert.deepEqual(await run.result, { result: 'cancelled', status: null, reason });
  assert.deepEqual(methods(), ['run.start', 'run.ask', 'approval.deny']);
});

test('a connection that goes meanwhile takes the request along', async () => {
  const { wire, run } = await aRefusedRun();
  wire.answer(1, ASKED);
  await settled();
  wire.lose();
  assert.deepEqual(await run.result, { result: 'lost', status: null, reason: 'the cable; nothing was started' });
});

test('a command with input asks nobody: nobody would have seen what it reads', async () => {
  const { wire, run, methods } = await aRefusedRun({ stdin: 'yes\n' });
  const result = await run.result;
  assert.ok(result.result === 'denied' && result.code === 'needs-approval', JSON.stringify(result));
  assert.match(result.reason, /what they approve gets no input; nothing was started$/);
  assert.deepEqual([methods(), [...wire.written]], [['run.start'], []]);
});

/** One request for several machines, asked for over the wire, if there is one yet. */
function aRequestForMany(running = new Running()) {
  const wire = new FakeCommands();
  const { signal, abort } = stoppable();
  const asked: AskedApproval[] = [];
  const onApproval = (one: AskedApproval) => void asked.push(one);
  const meant = approvedFor({ command: 'reboot', on: 'web*', onApproval, signal }, running);
  return { wire, running, asked, abort, meant, methods: () => wire.asked.map(({ method }) => method) };
}

test('a request for several that is taken back before there is a connection is never made', async () => {
  const running = new Running();
  // As many as may wait: none of them takes a place any more.
  const many = Array.from({ length: 10_000 }, () => aRequestForMany(running));
  for (const { abort } of many) abort();
  await Promise.all(many.map(({ meant }) => assert.rejects(meant, { name: 'AbortError' })));
  const { wire, methods, meant, abort } = aRequestForMany(running);
  running.attach(wire);
  await settled();
  assert.deepEqual(methods(), ['run.ask']);
  abort();
  await assert.rejects(meant, { name: 'AbortError' });
});

test('whoever takes a request for several back does not wait for the server, which hears of it all the same', async () => {
  for (const answered of [0, 1]) {
    const { wire, running, asked, abort, meant } = aRequestForMany();
    running.attach(wire);
    if (answered === 1) wire.answer(0, ASKED);
    await settled();
    abort();
    await assert.rejects(meant, { name: 'AbortError' });
    if (answered === 0) wire.answer(0, ASKED);
    await settled();
    assert.equal(asked.length, answered);
    assert.deepEqual(wire.asked.find(({ method }) => method === 'approval.deny')?.params, { approval: 7 });
  }
});

test('what was taken back already is not asked for', async () => {
  const wire = new FakeCommands();
  const signal = AbortSignal.abort();
  const decided = await getApproval(wire, { command: { shell: 'reboot' } }, { onApproval() {}, signal });
  assert.ok('refused' in decided && decided.code === 'not-approved', JSON.stringify(decided));
  assert.deepEqual(wire.asked, []);
});

test('a request takes the place of the start until the server has taken it: so many are under way, and no more', async () => {
  const wire = new FakeCommands();
  const running = new Running();
  running.attach(wire);
  const methods = () => wire.asked.map(({ method }) => method);
  const options: RunOptions = { command: 'reboot', onApproval() {} };
  for (let count = 0; count < 13; count++) void new CommandRun({ options, running, world: new StillWorld() });
  await settled();
  const starts = Array<string>(12).fill('run.start');
  assert.deepEqual(methods(), starts);
  wire.refuse(0, 'needs-approval', 'Somebody else has to approve it');
  await settled();
  assert.deepEqual(methods(), [...starts, 'run.ask']);
  wire.answer(12, ASKED);
  await settled();
  assert.deepEqual(methods().toSorted(), ['approval.wait', 'run.ask', ...starts, 'run.start']);
});

test('so many requests for several machines are under way, and the next one when one of them was answered', async () => {
  const running = new Running();
  const { wire, methods } = aRequestForMany(running);
  for (let count = 0; count < 12; count++) aRequestForMany(running);
  running.attach(wire);
  await settled();
  assert.deepEqual(methods(), Array<string>(12).fill('run.ask'));
  wire.answer(0, ASKED);
  await settled();
  assert.deepEqual(methods().slice(12).toSorted(), ['approval.wait', 'run.ask']);
});

function stoppable() {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}

for (const host of LOOPBACKS) {
  test(`a program asks, somebody else looks at it and approves, and it runs: ${host}`, async (t) => {
    await using house = await anApprovingHouse(host);
    const [janaki, eve] = [await clientOf('Janaki', house, t, host), await clientOf('Eve', house, t, host)];
    const without = await janaki.run({ argv: ['reboot'] }).result;
    assert.ok(without.result === 'denied' && without.code === 'needs-approval', JSON.stringify(without));
    const { promise: shown, resolve: onApproval } = Promise.withResolvers<AskedApproval>();
    const run = janaki.run({ argv: ['reboot', '-f'], onApproval });
    const { approval, hash, told } = await shown;
    assert.deepEqual(told, ['Eve', 'Prashanth']);
    const [waiting] = await eve.approvals();
    assert.deepEqual([waiting?.approval, waiting?.hash, waiting?.own], [approval, hash, false]);
    assert.equal((await eve.approval(approval)).hash, hash);
    await assert.rejects(janaki.approve(approval, hash), { code: 'own-approval' });
    await eve.approve(approval, hash);
    assert.equal(await run.record, 1);
    const [started] = house.runner.runs;
    started?.finish({ result: 'exited', status: 0 });
    assert.deepEqual(await run.result, { result: 'exited', status: 0 });
    assert.equal(house.runner.runs.length, 1);
  });

  test(`a program that stops waiting takes its request back: ${host}`, async (t) => {
    await using house = await anApprovingHouse(host);
    const [janaki, eve] = [await clientOf('Janaki', house, t, host), await clientOf('Eve', house, t, host)];
    const { promise: shown, resolve: onApproval } = Promise.withResolvers<AskedApproval>();
    const run = janaki.run({ argv: ['reboot', '-f'], onApproval });
    const { approval, hash } = await shown;
    assert.deepEqual(await run.cancel(), NOT_STARTED);
    // What is asked after it is answered after it.
    assert.deepEqual(await janaki.approvals(), []);
    await assert.rejects(eve.approve(approval, hash), { code: 'approval-over' });
    assert.equal(house.runner.runs.length, 0);
  });
}

type House = Awaited<ReturnType<typeof anApprovingHouse>>;

async function clientOf(name: string, house: House, t: TestContext, host: string): Promise<Client> {
  const client = await connect({ host: at(host, house.native.port), credential: { token: house.tokenOf(name) } });
  t.after(() => client.close());
  return client;
}
