// A second person: who asks and who approves, over the native door and at `nc`, on a clock that stands still.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { anApprovingHouse, askFor, REBOOT, STREAMS, thatApprovedBy, until } from '../../../test/kit/approving-house.ts';
import { START } from '../../../test/kit/native.ts';
import { LOOPBACKS } from '../../../test/kit/server.ts';
import type { Talker } from '../../../test/kit/talker.ts';
import { APPROVAL_LIFETIME_MS, START_WITHIN_MS } from '../../core/run/approvals.ts';
import { NO_POLICY } from '../../core/run/policy.ts';
import { MAX_OUTSTANDING_REQUESTS } from '../../protocol/native/limits.ts';
import { approvalShow, approvalWait } from '../../protocol/native/methods/approval.ts';
import { runStart } from '../../protocol/native/methods/run.ts';

/** Without what the records add. */
function startedIn({ runner }: Awaited<ReturnType<typeof anApprovingHouse>>) {
  return runner.requests.map((request) => ({ ...request, recordsHead: undefined }));
}

async function show(talker: Talker, approval: number) {
  const answer = await talker.ask('approval.show', { approval });
  return approvalShow.parseResult(answer) ?? assert.fail(JSON.stringify(answer));
}

for (const host of LOOPBACKS) {
  test(`requests that are taken back in one turn take one place of those that a server answers at once: ${host}`, async () => {
    await using house = await anApprovingHouse(host);
    const janaki = await house.as('Janaki');
    const asked = [await askFor(janaki), await askFor(janaki), await askFor(janaki)];
    const [kept, ...others] = asked.map(({ approval }) => ({ approval }));
    const waiting = Array.from({ length: MAX_OUTSTANDING_REQUESTS - 1 }, () => janaki.ask('approval.wait', kept));
    const withdrawn = { how: 'withdrawn' };
    const answers = await Promise.all(others.map((one) => janaki.ask('approval.deny', one)));
    assert.deepEqual(answers, [withdrawn, withdrawn]);
    const last = janaki.ask('approval.wait', kept);
    assert.equal(await janaki.ask('approval.deny', kept), 'too-many-requests');
    const prashanth = await house.as('Prashanth');
    assert.deepEqual(await prashanth.ask('approval.deny', kept), { how: 'denied' });
    const decided = { how: 'denied', by: 'Prashanth' };
    for (const one of await Promise.all([...waiting, last])) assert.deepEqual(one, decided);
  });

  test(`a command that needs approval starts once, as it was approved, by the connection that asked: ${host}`, async () => {
    await using house = await anApprovingHouse(host);
    const eve = await house.as('Eve');
    await eve.ask('chat.subscribe');
    const janaki = await house.as('Janaki');
    assert.equal(await janaki.ask('run.start', { ...REBOOT, ...STREAMS }), 'needs-approval');
    assert.deepEqual(await janaki.ask('host.resolve', { targets: 'Server', command: REBOOT.command }), {
      hosts: [{ name: 'Server', state: 'online' }],
      isOneName: true,
      needsApproval: true,
    });
    const asked = await askFor(janaki);
    assert.deepEqual([asked.told, asked.hosts], [['Eve', 'Prashanth'], ['Server']]);
    const waiting = janaki.ask('approval.wait', { approval: asked.approval });
    const { from, text } = await eve.message();
    const how = `partyline approve 1, or here: approve 1 ${asked.hash.slice(0, 12)}; partyline deny 1`;
    const what = 'asks to run the program reboot -f on Server (LANG="C", timeoutMs: 9) as Janaki';
    assert.deepEqual([from, text], ['Janaki', `${what}, until 2026-01-02 03:14:05 UTC: ${how}; sha256 ${asked.hash}`]);
    const shown = await show(eve, 1);
    assert.equal(createHash('sha256').update(shown.canonical).digest('hex'), asked.hash);
    assert.deepEqual(JSON.parse(shown.canonical), {
      by: 'Janaki',
      hosts: ['Server'],
      request: { command: { kind: 'argv', argv: ['reboot', '-f'] }, env: { LANG: 'C' }, timeoutMs: 9 },
    });
    const start = (changes: object = {}) => janaki.ask('run.start', { ...REBOOT, ...STREAMS, approval: 1, ...changes });
    assert.equal(await start(), 'not-approved');
    const bob = await house.as('Bob');
    assert.equal(await bob.ask('approval.show', { approval: 1 }), 'may-not-approve');
    assert.equal(await bob.ask('approval.give', { approval: 1, hash: asked.hash }), 'may-not-approve');
    assert.equal(await janaki.ask('approval.give', { approval: 1, hash: asked.hash }), 'own-approval');
    assert.equal(await eve.ask('approval.give', { approval: 1, hash: '0'.repeat(64) }), 'approval-changed');
    assert.equal(await eve.ask('approval.give', { approval: 2, hash: asked.hash }), 'unknown-approval');
    assert.deepEqual(await eve.ask('approval.give', { approval: 1, hash: asked.hash }), {});
    assert.deepEqual(approvalWait.parseResult(await waiting), { how: 'approved', by: 'Eve' });
    // It would outlive the connection that asked.
    assert.equal(await janaki.ask('run.detach', REBOOT), 'needs-approval');
    assert.equal(await janaki.ask('run.detach', { ...REBOOT, approval: 1 }), 'bad-params');
    assert.equal(await start({ timeoutMs: 10 }), 'approval-changed');
    assert.equal(await start({ command: { argv: ['reboot', '-ff'] } }), 'approval-changed');
    assert.equal(await start({ env: { LANG: 'C', TERM: 'xterm' } }), 'approval-changed');
    const another = await house.as('Janaki');
    assert.equal(await another.ask('run.start', { ...REBOOT, ...STREAMS, approval: 1 }), 'unknown-approval');
    assert.deepEqual(house.runner.requests, []);
    const { run, record: id } = runStart.parseResult(await start()) ?? assert.fail();
    assert.equal(run, 1);
    assert.deepEqual(startedIn(house), [{ ...JSON.parse(shown.canonical).request, recordsHead: undefined }]);
    assert.ok(house.runner.runs[0]?.stdin.hasEnded, 'what is typed was not approved');
    assert.equal(await start({ stdin: 7, stdout: 9, stderr: 11 }), 'approval-over');
    // Whoever approved it may see what came of it, and no more than that.
    const isSeenBy = async (talker: Talker) => (await talker.ask('run.show', { id })) !== 'unknown-record';
    assert.deepEqual([await isSeenBy(janaki), await isSeenBy(eve), await isSeenBy(bob)], [true, true, false]);
    assert.match(JSON.stringify(await eve.ask('run.list')), /^\{"runs":\[\{"id":\d+,"by":"Janaki","approvedBy":"Eve",/);
    assert.equal(await eve.ask('run.end', { id }), 'not-allowed');
    assert.equal(await eve.ask('run.share', { run: id, to: ['Bob'] }), 'unknown-record');
    const told = house.told.map(({ text: line }) => line).filter((line) => /^(?:Approval|Given)/.test(line));
    const given = `Given command reboot -f (Janaki from ${host} on Server, approved by Eve)`;
    assert.deepEqual(told, [
      'Approval 1 asked by Janaki: the program reboot -f on Server (LANG="C", timeoutMs: 9)',
      'Approval 1 approved by Eve: the program reboot -f on Server (LANG="C", timeoutMs: 9)',
      given,
    ]);
  });

  test(`a request is denied, withdrawn, too old, or gone with its connection, and nothing starts: ${host}`, async () => {
    await using house = await anApprovingHouse(host);
    const [janaki, eve] = [await house.as('Janaki'), await house.as('Eve')];
    const outcome = async (approval: number) =>
      approvalWait.parseResult(await janaki.ask('approval.wait', { approval })) ?? assert.fail();
    const [denied, withdrawn, old] = [await askFor(janaki), await askFor(janaki), await askFor(janaki)];
    assert.equal(await eve.ask('approval.wait', { approval: 1 }), 'unknown-approval');
    const all = [denied, withdrawn, old].map(({ approval }) => outcome(approval));
    assert.deepEqual(await eve.ask('approval.deny', { approval: denied.approval }), { how: 'denied' });
    assert.deepEqual(await janaki.ask('approval.deny', { approval: withdrawn.approval }), { how: 'withdrawn' });
    house.time.ms += APPROVAL_LIFETIME_MS;
    house.approvals.expire();
    assert.deepEqual(await Promise.all(all), [
      { how: 'denied', by: 'Eve' },
      { how: 'withdrawn', by: null },
      { how: 'expired', by: null },
    ]);
    for (const { approval, hash } of [denied, withdrawn, old]) {
      assert.equal(await eve.ask('approval.give', { approval, hash }), 'approval-over');
      assert.equal(await janaki.ask('run.start', { ...REBOOT, ...STREAMS, approval }), 'approval-over');
    }
    const late = await askFor(janaki);
    assert.deepEqual(await eve.ask('approval.give', { approval: late.approval, hash: late.hash }), {});
    house.time.ms += START_WITHIN_MS;
    assert.equal(await janaki.ask('run.start', { ...REBOOT, ...STREAMS, approval: late.approval }), 'approval-over');
    const left = await askFor(janaki);
    janaki.cut();
    await janaki.closed();
    await until(async () => (await eve.ask('approval.show', { approval: left.approval })) === 'approval-over');
    assert.deepEqual(await eve.ask('approval.list'), { approvals: [] });
    assert.deepEqual(house.runner.requests, []);
  });

  test(`whoever was asked and comes later reads behind each request what became of it: ${host}`, async () => {
    await using house = await anApprovingHouse(host);
    const [janaki, eve] = [await house.as('Janaki'), await house.as('Eve')];
    const [approved, denied, withdrawn] = [await askFor(janaki), await askFor(janaki), await askFor(janaki)];
    await askFor(janaki);
    await eve.ask('approval.give', { approval: approved.approval, hash: approved.hash });
    await eve.ask('approval.deny', { approval: denied.approval });
    await janaki.ask('approval.deny', { approval: withdrawn.approval });
    house.time.ms += APPROVAL_LIFETIME_MS;
    house.approvals.expire();
    const left = await askFor(janaki);
    janaki.cut();
    await janaki.closed();
    await until(async () => (await eve.ask('approval.show', { approval: left.approval })) === 'approval-over');
    const late = await house.as('Prashanth');
    await late.ask('chat.subscribe');
    const heard: string[] = [];
    for (let count = 0; count < 10; count++) {
      const { from, to, text } = await late.message();
      assert.deepEqual([from, to], ['Janaki', ['Eve', 'Prashanth']]);
      heard.push(text.startsWith('asks to run') ? `asks: ${/deny (\d+);/.exec(text)?.[1]}` : text);
    }
    assert.deepEqual(heard, [
      'asks: 1',
      'asks: 2',
      'asks: 3',
      'asks: 4',
      'request 1 was approved by Eve',
      'request 2 was denied by Eve; nothing was started',
      'request 3 was taken back by whoever asked; nothing was started',
      'request 4 has expired: nobody approved it in time; nothing was started',
      'asks: 5',
      'request 5 was taken back by whoever asked; nothing was started',
    ]);
  });

  test(`a request is over with the rights that it was made with: ${host}`, async () => {
    await using house = await anApprovingHouse(host);
    const owner = await house.call();
    await owner.becomeOwner();
    const janaki = await house.as('Janaki');
    const { approval } = await askFor(janaki);
    const guest = await house.line('Vamshi');
    guest.type(`login ${house.tokenOf('Janaki')}\nrun Server : reboot`);
    await guest.until('Waiting for approval');
    assert.deepEqual(await owner.ask('account.revoke', { name: 'Janaki' }), { revoked: 'account' });
    await guest.until('error: Cannot run the command: request 2 was taken back by whoever asked\n');
    await janaki.closed();
    const eve = await house.as('Eve');
    for (const id of [approval, 2]) assert.equal(await eve.ask('approval.show', { approval: id }), 'approval-over');
    assert.deepEqual(house.runner.requests, []);
  });

  test(`whoever approves what the policy allows no longer is told so, and the request waits: ${host}`, async () => {
    await using house = await anApprovingHouse(host);
    const [janaki, eve, prashanth] = [await house.as('Janaki'), await house.as('Eve'), await house.as('Prashanth')];
    const { approval, hash } = await askFor(janaki);
    const nc = await house.line(`login ${house.tokenOf('Eve')}`);
    const before = house.policy.current;
    house.policy.current = NO_POLICY;
    assert.equal(await eve.ask('approval.give', { approval, hash }), 'not-allowed');
    nc.type(`approve ${approval} ${hash}`);
    const why = `the policy of the server does not allow any more what request ${approval} is about; nothing was started`;
    await nc.until(`error: Cannot approve: ${why}\n`);
    house.policy.current = thatApprovedBy('prashanth');
    assert.equal(await eve.ask('approval.give', { approval, hash }), 'may-not-approve');
    house.policy.current = before;
    assert.deepEqual([house.warned, house.runner.requests], [[], []]);
    assert.deepEqual(await prashanth.ask('approval.give', { approval, hash }), {});
    assert.ok(runStart.parseResult(await janaki.ask('run.start', { ...REBOOT, ...STREAMS, approval })));
  });

  test(`what needs nobody, is not allowed or cannot be told to anybody is not asked for: ${host}`, async () => {
    await using house = await anApprovingHouse(host);
    const janaki = await house.as('Janaki');
    assert.equal(await janaki.ask('run.ask', { command: { shell: 'id' } }), 'not-allowed');
    assert.equal(await janaki.ask('run.ask', { command: { shell: 'reboot' }, on: 'web1' }), 'unknown-host');
    const long = { command: { argv: ['reboot', 'x'.repeat(20_000)] } };
    assert.equal(await janaki.ask('run.ask', long), 'request-too-long');
    // The longest there is, four times as long where it is quoted, still is a message.
    const quotes = { command: { argv: ['reboot', "'".repeat(16_260)] } };
    const { approval } = await askFor(janaki, quotes);
    assert.deepEqual(await janaki.ask('approval.deny', { approval }), { how: 'withdrawn' });
    assert.deepEqual(await janaki.ask('approval.list'), { approvals: [] });
    const owner = await house.call();
    await owner.becomeOwner();
    assert.equal(await owner.ask('run.ask', REBOOT), 'needs-no-approval');
    assert.equal(await owner.ask('run.start', { ...START, approval: 7 }), 'unknown-approval');
    assert.deepEqual(house.runner.requests, []);
  });

  test(`at nc one asks by running, and another approves what it has seen the digest of: ${host}`, async () => {
    await using house = await anApprovingHouse(host);
    const eve = await house.line(`login ${house.tokenOf('Eve')}`);
    const janaki = await house.line(`login ${house.tokenOf('Janaki')}`);
    janaki.type('run Server : reboot -f');
    const told = await janaki.until(
      /^Waiting for approval by Eve, Prashanth until .*: request 1 [0-9a-f]{12}; deny 1 takes it back\n/m,
    );
    const [, short = ''] = /request 1 ([0-9a-f]+)/.exec(told) ?? assert.fail(told);
    await eve.until(
      new RegExp(
        `^Janaki \\(multicasted\\) : asks to run the program reboot -f on Server as Janaki, .*approve 1 ${short}`,
        'm',
      ),
    );
    eve.type('approvals');
    await eve.until(new RegExp(`^1 ${short} until .* Janaki : the program reboot -f on Server\n`, 'm'));
    eve.type('approve 1');
    await eve.until(new RegExp(`^sha256 ${short}[0-9a-f]{52}: approve 1 ${short}, or deny 1\n`, 'm'));
    for (const [typed, why] of [
      [`approve 1 ${short.slice(0, 4)}`, 'Cannot approve: at least 8 digits of the digest are to follow the number'],
      ['approve 1 00000000', 'Cannot approve: that is not what request 1 is about'],
      [`approve 2 ${short}`, 'Cannot approve: there is no request 2; requests end with the connection that asked, and'],
      ['approve x', 'Cannot read the command: its form is approve ID [HASH]'],
      ['deny 1 2', 'Cannot read the command: its form is deny ID'],
    ] as const) {
      eve.type(typed);
      await eve.until(`error: ${why}`);
    }
    janaki.type(`approve 1 ${short}`);
    await janaki.until('error: Cannot approve: request 1 is your own, and somebody else has to approve it\n');
    // Neither by borrowed rights.
    const guest = await house.line('Vamshi');
    guest.type(`approve 1 ${short}`);
    await guest.until('error: Cannot approve or deny anything as Vamshi: it takes an account, and a guest has none');
    guest.type(`login ${house.tokenOf('Janaki')}\napprove 1 ${short}`);
    await guest.until('error: Cannot approve: request 1 is your own');
    janaki.type(`login ${house.tokenOf('Eve')}\napprove 1 ${short}`);
    await janaki.until('error: Cannot approve: request 1 is your own');
    assert.deepEqual(house.runner.requests, []);
    eve.type(`approve 1 ${short}`);
    await eve.until('Approved 1 ');
    // The rights that it had when it asked are those that count.
    await until(async () => (await janaki.barrier(), house.runner.runs.length > 0));
    house.runner.runs[0]?.finish({ result: 'exited', status: 0 });
    await janaki.until('Server no output\nServer exited 0\n');
    assert.deepEqual(startedIn(house), [
      { command: { kind: 'argv', argv: ['reboot', '-f'] }, env: {}, recordsHead: undefined },
    ]);
  });

  test(`at nc a request is taken back, denied, or over with the connection: ${host}`, async () => {
    await using house = await anApprovingHouse(host);
    const eve = await house.line(`login ${house.tokenOf('Eve')}`);
    const janaki = await house.line(`login ${house.tokenOf('Janaki')}`);
    for (const [by, typed, why] of [
      [janaki, 'deny 1', 'was taken back by whoever asked'],
      [eve, 'deny 2', 'was denied by Eve'],
    ] as const) {
      janaki.type('run Server : reboot');
      await janaki.until('Waiting for approval');
      by.type(typed);
      await by.until(by === janaki ? /^Taken back: 1 [0-9a-f]{12} until /m : /^Denied 2 [0-9a-f]{12} until /m);
      await janaki.until(`error: Cannot run the command: request ${typed.slice(-1)} ${why}\n`);
    }
    janaki.type('run Server : reboot');
    await janaki.until('Waiting for approval');
    house.time.ms += APPROVAL_LIFETIME_MS;
    house.approvals.expire();
    await janaki.until('error: Cannot run the command: request 3 has expired: nobody approved it in time\n');
    // After its end of input the connection stays for an answer, as it does for a command that runs.
    janaki.type('run Server : reboot');
    await janaki.until('Waiting for approval');
    janaki.socket.end();
    eve.type('approvals');
    await eve.until(/^4 .* Janaki : the program reboot on Server\n/m);
    eve.type('deny 4');
    await janaki.until('error: Cannot run the command: request 4 was denied by Eve\n');
    await janaki.heard.rest();
    const again = await house.line(`login ${house.tokenOf('Janaki')}`);
    again.type('run Server : reboot');
    await again.until('Waiting for approval');
    again.socket.resetAndDestroy();
    const isWithdrawn = async (id: number) => {
      eve.type(`approve ${id}`);
      return (await eve.barrier()).includes(`request ${id} was taken back`);
    };
    await until(() => isWithdrawn(5));
    assert.deepEqual(house.runner.requests, []);
  });
}
