// Runs in the conversation: told to others from the records, and shown to whoever started them where they talk; with the
// programs themselves over both families.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Caller } from '../kit/caller.ts';
import { aDirectory } from '../kit/directory.ts';
import { aMachine } from '../kit/machine.ts';
import { writePolicy } from '../kit/policy.ts';
import { partyline } from '../kit/program.ts';
import { at, LOOPBACKS, startServer } from '../kit/server.ts';
import { loggedIn, refused, someone } from '../kit/someone.ts';

const POLICY = '[[allow]]\nwho = ["janaki"]\non = "web[1-2]"\nshell = true\n';

for (const host of LOOPBACKS) {
  test(`a run is told to others with its output, by whoever may see it: ${host}`, async (t) => {
    const directory = aDirectory(t);
    writePolicy(directory, POLICY);
    await using server = await startServer({ directory });
    await using _web1 = await aMachine('web1', server, host);
    await using _web2 = await aMachine('web2', server, host);
    const target = at(host, server.port);
    const owner = someone(directory, target);
    const janaki = await loggedIn('janaki', { owner, state: aDirectory(t), target });
    const eve = await loggedIn('eve', { owner, state: aDirectory(t), target });
    const say = String.raw`printf 'hello\033[2J\nthere\n'; echo oops >&2; exit 3`;
    assert.equal((await janaki.run(['run', '--on', 'web[1-2]', '--', say])).status, 3);
    const [run] = await janaki.json('runs');
    const id = String(run?.['id']);
    const [sent] = await janaki.json('share', id, 'eve');
    assert.deepEqual([sent?.['run'], sent?.['to']], [Number(id), { eve: 'stored' }]);
    const [told] = await eve.json('history', '--with', 'janaki');
    const [first, ...rest] = String(told?.['text']).split('\n');
    assert.match(first ?? '', new RegExp(`^run ${id} on web\\[1-2\\] by janaki at 20[0-9: -]+ UTC: printf `));
    assert.deepEqual(rest, ['2 exit 3: web[1-2]', 'web[1-2]| hello\u001b[2J', 'web[1-2]| there', 'web[1-2]! oops']);
    // Shown as every text: nobody's bytes drive another's terminal.
    const shown = (await eve.run(['history', '--with', 'janaki'])).stdout;
    assert.match(shown, /web\[1-2\]\| hello\\x1b\[2J\\nweb\[1-2\]\| there\\n/);
    refused(await eve.run(['share', id, 'janaki']), /Cannot share run \d+: there is none of that number among those/);
    refused(await janaki.run(['share', '999', 'eve']), /Cannot share run 999: there is none of that number/);
    refused(await janaki.run(['share', id, 'nobody']), /Cannot send: nobody named "nobody" is here or has an account/);
    refused(await janaki.run(['share', id]), /NAMES are missing after ID/, 64);
    refused(await janaki.run(['share', id, 'bob', 'eve']), /NAMES are one word, .* and "eve" is one more/, 64);
    refused(await janaki.run(['runs', 'show', id, id]), /show takes one ID, not 2/, 64);
    // The owner sees all, and at nc the number is found there.
    await using listener = await Caller.named('Vamshi', host, server.port);
    await using caller = await Caller.named(`login ${await server.token()}`, host, server.port);
    caller.type('runs');
    await caller.until(new RegExp(`^${id} 20.* janaki on web\\[1-2\\] : printf .* \\(2 exit 3\\)\n`, 'm'));
    caller.type(`share ${id} all`);
    await caller.until(`Shared run ${id} with all\n`);
    await listener.until(
      /^owner \(broadcasted\) : run \d+ on web\[1-2\] by janaki at .*\\n2 exit 3: web\[1-2\]\\nweb\[1-2\]\| hello\\x1b\[2J\\n.*\n/m,
    );
    caller.type(`share 999 all\nshare x all\nshare ${id}`);
    await caller.until(
      'error: Cannot share run 999: there is none of that number among those that you may see; nothing',
    );
    await caller.until('error: Cannot read the command: its form is share ID NAME [NAME...], or share ID all\n');
    await caller.until('error: Cannot read the command: its form is share');
    listener.type('runs');
    await listener.until('No runs\n');
  });

  test(`what is run in a chat is shown there, and messages come through however much it writes: ${host}`, async () => {
    await using server = await startServer();
    const target = at(host, server.port);
    const file = { PARTYLINE_DATA: server.directory, PARTYLINE_TOKEN_FILE: '' };
    await using chat = partyline(['chat', target, '--name', 'Janaki'], { env: file });
    chat.stdin.write(`login ${await server.token()}\nrun : echo here; exit 3\n`);
    await chat.stdout.until('Server| here\nServer exited 3\n');
    chat.stdin.write('run : yes\n');
    await chat.stdout.until('Server| y\n');
    await using other = await Caller.named('Vamshi', host, server.port);
    other.type('send Janaki : can you hear me');
    await chat.stdout.until('Vamshi (singlecasted) : can you hear me\n');
    chat.kill('SIGTERM');
    await chat.ended;
  });
}
