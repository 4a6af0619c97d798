// What was attempted and not allowed is on record; what was only looked at is not.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aNativeHouse } from '../../../test/kit/native-house.ts';
import { LOOPBACKS } from '../../../test/kit/server.ts';
import { STREAMS } from '../../../test/kit/approving-house.ts';
import { parsePolicy } from '../../core/run/policy-file.ts';

const RULE = `
[[allow]]
who = ["janaki"]
on = "Server"
run = ["ls"]
verbs = ["say"]
[verb.say]
command = ["echo", "{whom}"]
whom = ["moon"]
`;

for (const host of LOOPBACKS) {
  test(`a verb that there is not is an attempt like what no rule allows, and a look is none: ${host}`, async () => {
    const policy = parsePolicy(RULE);
    assert.ok(!('refused' in policy));
    await using house = await aNativeHouse(host, { policy, isServerOpen: true });
    const janaki = await house.talk();
    await janaki.ask('login.token', await house.account('Janaki'));
    const look = (command: object) =>
      janaki.ask('host.resolve', { targets: 'Server', command, dryRun: true }).then((answer) => String(answer));
    assert.equal(await look({ argv: ['id'] }), 'not-allowed');
    assert.equal(await look({ verb: 'nope', args: [] }), 'unknown-verb');
    assert.deepEqual(house.warned, []);
    const command = { verb: 'say', args: ['sun'] };
    assert.equal(await janaki.ask('run.start', { command: { verb: 'nope', args: [] }, ...STREAMS }), 'unknown-verb');
    assert.equal(await janaki.ask('host.resolve', { targets: 'Server, web9', command }), 'bad-verb');
    const nc = await house.nc();
    nc.type('Vamshi\nrun Server : @nope');
    await nc.until(/^error: Cannot run @nope on .* as Vamshi, a guest: guests run nothing; nothing was started.*\n/m);
    assert.deepEqual(house.warned, Array(3).fill('command not allowed'));
    const { runs } = await house.journal.runs({ member: undefined, limit: 9, maxBytes: 99_999 });
    assert.deepEqual(
      runs.map(({ byName, command: asked, hosts }) => [byName, asked, hosts.map((on) => [on.host, on.end?.result])]),
      [
        [
          'Janaki',
          { kind: 'verb', verb: 'nope', args: [] },
          [['Server', { result: 'denied', status: null, reason: 'there is no such verb; this server has @say' }]],
        ],
        [
          'Janaki',
          { kind: 'verb', verb: 'say', args: ['sun'] },
          [['Server, web9', { result: 'denied', status: null, reason: 'whom is one of moon, not "sun"' }]],
        ],
      ],
    );
    assert.deepEqual(house.runner.requests, []);
  });
}
