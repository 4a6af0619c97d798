import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'smol-toml';
import {
  MAX_POLICY_LENGTH,
  parseHostPolicy,
  parsePolicy,
  type PolicyFault,
  type PolicyRefusal,
} from './policy-file.ts';
import { lineOf } from './policy-line.ts';
import { isSpelledOut, spellOut } from './verb.ts';

function faultOf(policy: object | PolicyRefusal): string {
  if (!('refused' in policy)) return 'none';
  return `${policy.line}: ${whatOf(policy.why)}`;
}

function whatOf(why: PolicyFault): string {
  switch (why.kind) {
    case 'words':
      return why.words;
    case 'name':
      return why.name.refused;
    case 'group':
      return typeof why.group.why === 'string' ? why.group.why : why.group.why.refused;
    case 'targets':
      return why.targets.refused;
  }
}

const RULE = `[[allow]]
who = ["janaki"]
on = "web1"
run = ["uptime"]
`;

const NO_CLASS =
  'brackets stand for no characters here: * is any characters of a word, ? is one, a bracket too; ** at the end is any words';

test('a fault is told with its line, and the whole file is refused', () => {
  const faults: [text: string, fault: string][] = [
    ['', 'none'],
    [RULE, 'none'],
    [`# a comment\n\n${RULE}who = ["bob"]\n`, '7: trying to redefine an already defined table or value'],
    ['[[allow]]\nwho = ["a" "b"]\n', '2: expected comma or end of structure'],
    [`${RULE}rum = ["id"]\n`, '5: rum is not known here: who, on, run, verbs, shell, cwd, tty, approve are'],
    [`${RULE}\n[allows]\n`, '6: allows is not known here: groups, allow, verb, env are'],
    [`${RULE}[[allow]]\non = "web1"\nrun = ["id"]\n`, '5: the rule does not say who'],
    [`${RULE}[[allow]]\nwho = ["eve"]\nrun = ["id"]\n`, '5: the rule does not say on which machines'],
    [`${RULE}[[allow]]\nwho = []\non = "web1"\nrun = ["id"]\n`, '6: the rule is for nobody'],
    [`${RULE}[[allow]]\nwho = "eve"\non = "web1"\nrun = ["id"]\n`, '6: a list of texts is expected'],
    [RULE.replace('run = ["uptime"]', 'run = []'), '1: the rule allows nothing: run, verbs or shell = true is missing'],
    [RULE.replace('run = ["uptime"]', 'shell = "yes"'), '4: true or false is expected'],
    [RULE.replace('"uptime"', '\n"uptime",\n"a ** b"\n'), '6: ** stands at the end of a pattern'],
    [RULE.replace('"uptime"', '\n"uptime",\n"ls [a-z]*"\n'), `6: ${NO_CLASS}`],
    [RULE.replace('"uptime"', '["cat", "[!a] b"]'), `4: ${NO_CLASS}`],
    [RULE.replace('"uptime"', '"[ -f *", "curl http://[::1]:7270/healthz", "jq .[]"'), 'none'],
    [`${RULE}cwd = ["/srv", "/srv/[a-z]"]\n`, `5: ${NO_CLASS}`],
    [`${RULE}[verb.scale]\ncommand = ["scale", "{count}"]\ncount = "[0-9]"\n`, `7: ${NO_CLASS}`],
    [RULE.replace('"uptime"', '7'), '4: a pattern is a text, or a list of words'],
    [RULE.replace('"uptime"', '[]'), '4: a pattern begins with a program'],
    [RULE.replace('"uptime"', '["df", 7]'), '4: a pattern is a text, or a list of words'],
    [RULE.replace('["uptime"]', '"uptime"'), '4: a list of patterns is expected'],
    [RULE.replace('"web1"', '"web[1"'), '3: bad-target'],
    [RULE.replace('"web1"', '""'), '3: no-targets'],
    [RULE.replace('janaki', 'a b'), '2: bad-character'],
    [RULE.replace('janaki', 'role:guest'), '2: guests never run anything'],
    [RULE.replace('janaki', 'role:owner'), '2: the owner may run everything as it is'],
    [RULE.replace('janaki', 'role:admin'), '2: a role is role:operator or role:member'],
    [RULE.replace('janaki', '#ops'), '2: #ops is not in [groups] of this file'],
    [`${RULE}approve = []\n`, '5: nobody could approve; without the key nobody need'],
    [`[groups]\nops = []\n${RULE}approve = ["#ops"]\n`, '7: nobody could approve; without the key nobody need'],
    [`${RULE}approve = "eve"\n`, '5: a list of texts is expected'],
    [`${RULE}approve = ["role:owner", "role:operator", "role:member", "eve"]\n`, 'none'],
    [`${RULE}approve = ["role:guest"]\n`, '5: guests never approve anything'],
    [`${RULE}approve = ["role:admin"]\n`, '5: a role is role:owner, role:operator or role:member'],
    [`${RULE}approve = ["#leads"]\n`, '5: #leads is not in [groups] of this file'],
    [`[groups]\nops = ["x y"]\n${RULE}`, '2: bad-character'],
    [`[groups]\n"a b" = []\n${RULE}`, '2: bad-character'],
    [`[groups]\nops = []\n\n"#OPS" = ["bob"]\n${RULE}`, '4: #OPS is in [groups] already, in another spelling'],
    [`${RULE}verbs = ["restart"]\n`, '5: there is no [verb.restart]'],
    [`${RULE}[verb.x]\n`, '5: the verb has no command'],
    [`${RULE}[verb.x]\ncommand = []\n`, '6: the command is empty'],
    [`${RULE}[verb.x]\ncommand = ["a", "{b}"]\n`, '6: what {b} may be is not said: b = […]'],
    [`${RULE}[verb.x]\ncommand = ["a"]\nb = ["c"]\n`, '7: the command has no {b}'],
    [`${RULE}[verb.x]\ncommand = ["a", "{b}"]\nb = []\n`, '7: the parameter can have no value'],
    [`${RULE}[verb.x]\ncommand = ["a", "{b}{c}"]\nb = ["1"]\nc = ["1"]\n`, '6: a word has one parameter at most'],
    [`${RULE}[verb.x]\ncommand = ["{b}"]\nb = ["id"]\n`, '6: the program itself is no parameter'],
    [`${RULE}[verb."x y"]\ncommand = ["a"]\n`, '5: a verb is called by letters, digits, - and _'],
    [`${RULE}cwd = ["srv"]\n`, '5: a directory is named from the root: /srv/app'],
    [`${RULE}cwd = "/srv"\n`, '5: a list of texts is expected'],
    [`env = ["LD_*"]\n${RULE}`, '1: LD_* is never passed on'],
    [`env = [\n"OK_*",\n"A-B"]\n${RULE}`, '3: a variable is a name, or the beginning of one and a *'],
    [`env = [\n"OK_*",\n # [ ' "\n7,]\n${RULE}`, '4: a list of texts is expected'],
    ['line = 7\n', '1: line is not known here: groups, allow, verb, env are'],
    [
      'allow = [\n{ who = [\n"a"\n], on = "all",\n\nrun = [["a"\n, "b"], ["**", "b"]\n]\n\n}]',
      '7: ** stands at the end of a pattern',
    ],
    ['[verb]\nx = { command = ["a"],\n\n b = ["c"] }\n', '4: the command has no {b}'],
    ['verb.x.command = ["a"]\nverb.y.command = ["a"]\nverb.x.b = 7\n', '3: the command has no {b}'],
    ['[verb.x]\ncommand = ["a", """\n[{b}\\"""""]\n', '2: what {b} may be is not said: b = […]'],
    ["[verb.x]\ncommand = ['''\n'[''',\n'{b}']\n", '4: what {b} may be is not said: b = […]'],
    [
      `${RULE.replaceAll('\n', '\r\n')}\r\nrum = ["id"]\r\n`,
      '6: rum is not known here: who, on, run, verbs, shell, cwd, tty, approve are',
    ],
    ['allow = 7\n', '1: [[allow]] is expected'],
    ['verb = 7\n', '1: [verb] is expected'],
    [
      '#'.repeat(MAX_POLICY_LENGTH + 1),
      `1: it has ${MAX_POLICY_LENGTH + 1} characters, ${MAX_POLICY_LENGTH} are the most`,
    ],
  ];
  for (const [text, fault] of faults) assert.equal(faultOf(parsePolicy(text)), fault, text.slice(0, 200));
});

test('the line of a fault is looked for by halves, however long the file is', () => {
  const text = `${'# [\n'.repeat(5_000)}a = [\n${'1,\n'.repeat(5_000)}2\n]\n${'\n'.repeat(5_000)}`;
  let looks = 0;
  const look = (beginning: string) => {
    looks++;
    return parse(beginning);
  };
  assert.equal(lineOf(text, ['a', 5_000], look), 10_002);
  assert.equal(lineOf(text, ['a'], look), 5_001);
  assert.ok(looks <= 2 * Math.ceil(Math.log2(15_003)), `${looks} looks`);
});

test('a machine says in its file what it lets anybody run', () => {
  const policy = parseHostPolicy(`allow = ["uptime"]\nshell = true\n[verb.x]\ncommand = ["a"]\n`);
  assert.ok(!('refused' in policy));
  assert.deepEqual([policy.patterns.length, policy.hasShell, policy.verbs.length], [1, true, 1]);
  assert.deepEqual(parseHostPolicy(''), {
    patterns: [],
    hasShell: false,
    verbs: [],
    hasTerminal: false,
    directories: [],
    env: [],
  });
  assert.equal(faultOf(parseHostPolicy('[[allow]]\nwho = ["x"]\n')), '1: a pattern is a text, or a list of words');
  assert.equal(
    faultOf(parseHostPolicy('run = ["x"]\n')),
    '1: run is not known here: allow, shell, verb, cwd, tty, env are',
  );
});

test('a verb is spelled out, and known again from what it came to', () => {
  const policy = parsePolicy(`[verb.copy]
command = ["cp", "--from={file}", "{file}", "/srv/{to}.bak"]
file = "/etc/*"
to = ["a", "b"]
`);
  assert.ok(!('refused' in policy));
  const verb = policy.verbs.get('copy');
  assert.ok(verb);
  const argv = ['cp', '--from=/etc/x y', '/etc/x y', '/srv/a.bak'];
  assert.deepEqual(spellOut(verb, ['/etc/x y', 'a']), argv);
  assert.ok(isSpelledOut(verb, argv));
  const wrong = [['/etc/../x', 'a'], ['-x', 'a'], ['/etc/x', 'c'], ['/etc/x', ''], ['/etc/x'], ['/etc/x', 'a', 'b']];
  for (const values of wrong) assert.ok('refused' in spellOut(verb, values), values.join(' '));
  for (const [at, word] of ['cp2', '--from=/etc/other', '/tmp/x y', '/srv/a', '/srv/.bak'].entries()) {
    assert.ok(!isSpelledOut(verb, argv.with(Math.min(at, 3), word)), word);
  }
  assert.ok(!isSpelledOut(verb, argv.slice(0, 3)));
});
