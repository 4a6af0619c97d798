import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseName, type NameKey } from '../name.ts';
import type { Member, Role } from '../session.ts';
import { parsePolicy } from './policy-file.ts';
import { NO_POLICY, placesFor, type AskedCommand, type Policy } from './policy.ts';
import { resultOf } from './result.ts';

const runner = { start: () => assert.fail('nothing is to be started') };
const nobody = () => assert.fail('nothing is detached here');
const machine = {
  runner,
  labels: new Map([['env', 'prod']]),
  family: 'ipv6',
  detached: { start: nobody, attach: nobody, ended: nobody, cancel: nobody },
  rttMs: undefined,
  heardAtMs: 2,
  dismiss: () => {},
} as const;

function member(given: string): Member {
  const parsed = parseName(given);
  assert.ok(!('refused' in parsed));
  return { ...parsed, id: 1, since: 0, delivered: 0, account: undefined, sessions: [] };
}

const MACHINES = [
  { member: member('web1'), machine, labels: machine.labels, seenAtMs: 2 },
  { member: member('Old'), machine: undefined, labels: new Map([['rack', 'r1']]), seenAtMs: 1 },
];

function aWorld(current: Policy = NO_POLICY, isServerOpen = false) {
  const hosts = { all: () => MACHINES, of: (key: NameKey) => MACHINES.find((host) => host.member.key === key) };
  const directory = { account: () => undefined, group: () => undefined };
  const policy = { current, isServerOpen };
  return { serverName: 'Lab', runner, hosts, directory, policy, isPresent: (key: NameKey) => key === 'bob' };
}

test('without a policy only the owner may run, on the server and on machines that have joined', () => {
  const world = aWorld();
  const { key } = member('janaki');
  for (const role of ['guest', 'member', 'operator'] as const) {
    for (const targets of ['', 'web1', 'nobody']) {
      const names = [targets || 'Lab'];
      const refused = { refused: 'not-allowed', names, why: targets === '' ? 'server' : 'policy' };
      assert.deepEqual(placesFor(targets, { role, key, command: undefined }, world), refused);
    }
  }
  const server = { name: 'Lab', runner };
  const [web1, old] = [
    { name: 'web1', runner },
    { name: 'Old', runner: undefined },
  ];
  const command = { kind: 'shell', line: 'rm -rf *' } as const;
  const ask = (targets: string) => placesFor(targets, { role: 'owner', key, command }, world);
  assert.deepEqual(ask(' '), { places: [server], isOneName: true, reach: 'names', command });
  assert.deepEqual(ask('WEB1'), { places: [web1], isOneName: true, reach: 'names', command });
  assert.deepEqual(ask('lab WEB1,web1 old'), {
    places: [server, old, web1],
    isOneName: false,
    reach: 'names',
    command,
  });
  assert.deepEqual(ask('all'), { places: [old, web1], isOneName: false, reach: 'all', command });
  assert.deepEqual(ask('rack=r1,env=prod'), { places: [old, web1], isOneName: false, reach: 'pattern', command });
  assert.deepEqual(ask('env=prod,!old'), { places: [web1], isOneName: false, reach: 'pattern', command });
  assert.deepEqual(ask('web1 Lab web2'), { refused: 'unknown-host', names: ['web2'] });
  assert.deepEqual(ask('bob'), { refused: 'no-machine', names: ['bob'] });
});

const POLICY = `
[groups]
ops = ["Janaki", "vamshi"]
[[allow]]
who = ["role:operator"]
on = "all"
run = ["uptime", "systemctl status *"]
[[allow]]
who = ["#OPS"]
on = ["env=prod", "!web9"]
verbs = ["restart"]
[[allow]]
who = ["eve"]
on = "web1,Lab"
shell = true
run = ["uptime"]
[verb.restart]
command = ["systemctl", "restart", "{service}.service"]
service = ["nginx", "redis"]
`;

function policyIn(text: string): Policy {
  const policy = parsePolicy(text);
  if ('refused' in policy) assert.fail(JSON.stringify(policy));
  return policy;
}

const shell = (line: string): AskedCommand => ({ kind: 'shell', line });
const words = (line: string): AskedCommand => ({ kind: 'argv', argv: line.split(' ') });
const restart = (...args: string[]): AskedCommand => ({ kind: 'verb', verb: 'restart', args });

/** `yes`, or which machines are in the way, or what else is. */
function verdict(
  name: string,
  [on, command]: [string, AskedCommand | undefined],
  { role = 'member', isServerOpen = false }: { role?: Role; isServerOpen?: boolean } = {},
): string {
  const key = role === 'guest' ? undefined : member(name).key;
  const found = placesFor(on, { role, key, command }, aWorld(policyIn(POLICY), isServerOpen));
  if (!('refused' in found)) return 'yes';
  return found.refused === 'not-allowed' ? found.names.join(',') : found.refused;
}

test('a rule allows its people its commands on its machines, and nothing else', () => {
  const operator = { role: 'operator' } as const;
  assert.equal(verdict('zoe', ['web1', words('uptime')], operator), 'yes');
  assert.equal(verdict('zoe', ['all', shell('uptime')], operator), 'yes', 'a plain line needs no shell');
  assert.equal(verdict('zoe', ['web1', words('systemctl status nginx')], operator), 'yes');
  assert.equal(verdict('zoe', ['web1', shell('uptime; id')], operator), 'web1');
  assert.equal(verdict('zoe', ['web1', words('reboot')], operator), 'web1');
  assert.equal(verdict('zoe', ['web1', words('uptime')]), 'web1', 'a member is no operator');
  assert.equal(verdict('janaki', ['web1', restart('nginx')]), 'yes', 'by the group, in any spelling');
  assert.equal(verdict('janaki', ['old', restart('nginx')]), 'Old', 'who has no label that says prod');
  assert.equal(verdict('janaki', ['web1', words('systemctl restart nginx.service')]), 'yes', 'a verb typed out');
  assert.equal(verdict('janaki', ['web1', words('systemctl restart sshd.service')]), 'web1');
  assert.equal(verdict('janaki', ['web1', words('uptime')]), 'web1');
  assert.equal(verdict('eve', ['web1', shell('uptime; id')]), 'yes');
  assert.equal(verdict('eve', ['web1,old', shell('uptime')]), 'Old', 'on all of them, or on none');
  assert.equal(verdict('eve', ['web1', words('reboot')]), 'web1', 'a shell is no pattern');
  assert.equal(verdict('eve', ['web1', undefined]), 'yes');
  assert.equal(verdict('eve', ['all', undefined]), 'Old');
  assert.equal(verdict('eve', ['web1', shell('id')], { role: 'guest' }), 'web1', 'a guest of the same name');
  assert.equal(verdict('owner', ['all', shell('x')], { role: 'owner' }), 'yes');
});

test('on the server itself others run only where commands have a user of their own', () => {
  for (const on of ['', 'Lab', 'Lab,web1']) {
    assert.equal(verdict('eve', [on, shell('id')]), 'Lab');
    assert.equal(verdict('eve', [on, shell('id')], { isServerOpen: true }), 'yes');
  }
  const operator = { role: 'operator', isServerOpen: true } as const;
  assert.equal(verdict('zoe', ['', shell('uptime')], operator), 'Lab', 'all is not the server');
});

test('a line of plain words runs without a shell where a shell is not allowed', () => {
  const ask = (name: string, on: string) =>
    placesFor(on, { role: 'operator', key: member(name).key, command: shell('uptime') }, aWorld(policyIn(POLICY)));
  const commandOf = (found: ReturnType<typeof ask>) => ('refused' in found ? found.refused : found.command);
  assert.deepEqual(commandOf(ask('zoe', 'web1')), words('uptime'));
  assert.deepEqual(commandOf(ask('eve', 'web1')), shell('uptime'));
});

test('a verb has values that it may have, as many as it takes', () => {
  const found = placesFor(
    'web1',
    { role: 'owner', key: undefined, command: restart('redis') },
    aWorld(policyIn(POLICY)),
  );
  assert.deepEqual('command' in found && found.command, words('systemctl restart redis.service'));
  assert.equal(verdict('janaki', ['web1', restart('sshd')]), 'bad-verb');
  assert.equal(verdict('janaki', ['web1', restart()]), 'bad-verb');
  assert.equal(verdict('janaki', ['web1', restart('nginx', 'redis')]), 'bad-verb');
  assert.equal(verdict('janaki', ['web1', { kind: 'verb', verb: 'stop', args: [] }]), 'unknown-verb');
  assert.equal(
    verdict('bob', ['web1', { kind: 'verb', verb: 'stop', args: [] }]),
    'web1',
    'who may nothing learns nothing',
  );
});

test('where a command starts counts, unless a shell is allowed: a file there may say what it does', () => {
  const policy = policyIn(`${POLICY}
[[allow]]
who = ["max"]
on = "web1"
run = ["make *"]
cwd = ["/srv/app", "/srv/app/*"]
`);
  const ask = (name: string, given: AskedCommand, cwd: string | undefined) => {
    const asking = { role: 'member', key: member(name).key, command: given, manner: { cwd } } as const;
    return 'refused' in placesFor('web1', asking, aWorld(policy)) ? 'no' : 'yes';
  };
  const make = words('make test');
  for (const cwd of [undefined, '/srv/app', '/srv/app/one/two']) assert.equal(ask('max', make, cwd), 'yes');
  for (const cwd of ['/tmp', '/srv/app/../../tmp', 'srv/app', '.', '', '/srv/app2', '/srv/app//../..']) {
    assert.equal(ask('max', make, cwd), 'no', cwd);
  }
  assert.equal(ask('max', words('rm -r'), '/srv/app'), 'no', 'the command counts as well');
  assert.equal(ask('eve', shell('make'), '/tmp'), 'yes', 'a shell may go anywhere');
  assert.equal(ask('eve', words('uptime'), '/tmp'), 'yes', 'so it may with a vector');
});

test('a status is the command’s own, 128+N for signal N, 124 when time ran out', () => {
  const code = { kind: 'code', code: 3 } as const;
  const killed = { kind: 'signal', signal: 9 } as const;
  assert.deepEqual(resultOf(code, undefined), { result: 'exited', status: 3 });
  assert.deepEqual(resultOf(killed, undefined), { result: 'signalled', status: 137, signal: 9 });
  assert.deepEqual(resultOf(killed, 'timeout'), { result: 'timeout', status: 124 });
  assert.deepEqual(resultOf(killed, 'cancel'), { result: 'cancelled', status: 137 });
});

test('what a rule allows only with a second person is refused until there is one, unless another rule needs nobody', () => {
  const policy = policyIn(`
[groups]
leads = ["eve"]
[[allow]]
who = ["role:member"]
on = "all"
run = ["reboot", "uptime"]
approve = ["role:operator"]
[[allow]]
who = ["janaki"]
on = "old"
run = ["reboot"]
approve = ["#leads"]
[[allow]]
who = ["bob"]
on = "web1"
run = ["reboot"]
shell = true
`);
  const world = aWorld(policy);
  const ask = (who: string, targets: string, command: AskedCommand | undefined = shell('reboot')) =>
    placesFor(targets, { role: who === 'boss' ? 'owner' : 'member', key: member(who).key, command }, world);
  const argv = { kind: 'argv', argv: ['reboot'] };
  const operators = [{ kind: 'role', role: 'operator' }];
  const leads = [...operators, { kind: 'account', key: member('eve').key }];
  const web1 = { name: 'web1', runner };
  const old = { name: 'Old', runner: undefined };
  assert.deepEqual(ask('janaki', 'web1'), {
    refused: 'needs-approval',
    names: ['web1'],
    places: { places: [web1], isOneName: true, reach: 'names', command: argv },
    approvers: [operators],
  });
  assert.deepEqual(ask('janaki', 'all'), {
    refused: 'needs-approval',
    names: ['Old', 'web1'],
    places: { places: [old, web1], isOneName: false, reach: 'all', command: argv },
    approvers: [leads, operators],
  });
  // As a shell line it needs nobody, as a vector it would.
  assert.deepEqual(ask('bob', 'web1'), { places: [web1], isOneName: true, reach: 'names', command: shell('reboot') });
  // Where one machine wants a second person, the whole does.
  assert.equal(refusalOf(ask('bob', 'all')), 'needs-approval');
  assert.equal(refusalOf(ask('janaki', 'web1', shell('id'))), 'not-allowed');
  assert.deepEqual(ask('boss', 'web1'), { places: [web1], isOneName: true, reach: 'names', command: shell('reboot') });
  // Asking where starts nothing.
  const asking = { role: 'member', key: member('janaki').key, command: undefined } as const;
  assert.deepEqual(placesFor('web1', asking, world), {
    places: [web1],
    isOneName: true,
    reach: 'names',
    command: undefined,
  });
});

function refusalOf(found: object): string | undefined {
  return 'refused' in found ? String(found.refused) : undefined;
}
