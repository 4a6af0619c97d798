import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  formatError,
  formatIdentity,
  formatList,
  formatMessage,
  formatOutput,
  formatReceipt,
  formatWelcome,
} from './reply.ts';
import { formatHelp } from './help.ts';
import { PROMPT } from './prompt.ts';
import { FORMS, parseRequest } from './request.ts';

/** The same on every machine: built from local time, as it is shown. */
const AT_MS = new Date(2020, 11, 7, 9, 6, 3, 999).getTime();
const DATE = '2020-12-07 09:06:03';

test('a prompt ends without a line end, everything else with one', () => {
  assert.equal(PROMPT, 'Enter your name: ');
  const said = { fromName: 'a', cast: 'broadcast', text: 'x' } as const;
  const replies = [formatHelp(), formatList([], AT_MS), formatMessage(DATE, said), formatError('x')];
  for (const reply of [...replies, formatWelcome('Lab', AT_MS), formatOutput('Lab', 'stdout', '')]) {
    assert.ok(reply.endsWith('\n') && !reply.includes('\r'), JSON.stringify(reply));
  }
});

test('the welcome names the server, then come a blank line, every command, and a blank line', () => {
  const welcome = formatWelcome('Lab', AT_MS);
  assert.ok(welcome.startsWith(`Connected with Lab at date_time = ${DATE}\n\nFormat: `));
  assert.match(welcome, /^[^\n]+\n\nFormat: [^\n]+\n\n$/);
  for (const word of Object.keys(FORMS)) assert.ok(welcome.includes(word), word);
  for (const form of [FORMS.get_list, FORMS.send, FORMS.quit]) assert.ok(welcome.includes(form), form);
});

test('each command is explained with its form, in a sentence, and by an example that is one', () => {
  for (const word of Object.keys(FORMS)) {
    const request = parseRequest(`help ${word}`);
    assert.ok(request.type === 'help' && request.about !== undefined, word);
    const [before, form, does = '', example = '', ...after] = formatHelp(request.about).split('\n');
    assert.deepEqual([before, form, after], ['', `Format: ${FORMS[request.about]}`, ['', '']], word);
    assert.match(does, /^[A-Z].*[^.]$/, word);
    assert.ok(example.startsWith('Example: '), word);
    assert.equal(parseRequest(example.slice('Example: '.length)).type, word);
  }
});

test('somebody is told its name, its role, and whose rights it has', () => {
  const vamshi = { name: 'Vamshi', role: 'guest' };
  assert.equal(formatIdentity({ ...vamshi, rightsOf: undefined }, 'Lab'), 'Vamshi (guest) at Lab\n');
  const rightsOf = { name: 'owner', role: 'owner' };
  assert.equal(
    formatIdentity({ ...vamshi, rightsOf }, 'Lab'),
    'Vamshi (guest) at Lab, with the rights of owner (owner)\n',
  );
});

test('a list is a date and the names in their order', () => {
  assert.equal(formatList(['Vamshi', 'Janaki'], AT_MS), `${DATE}\nAvailable client: Vamshi Janaki\n`);
});

test('a message says who, how far, and what; each cast has its word', () => {
  for (const cast of ['singlecast', 'multicast', 'broadcast'] as const) {
    assert.equal(
      formatMessage(DATE, { fromName: 'Janaki', cast, text: 'a: b ' }),
      `${DATE}\nJanaki (${cast}ed) : a: b \n`,
    );
  }
});

test('whatever another wrote stays on its line and drives no terminal', () => {
  const hostile = 'a\nb\r\x1b[2J\u202e\u2028';
  const shown = 'a\\nb\\r\\x1b[2J\\u202e\\u2028';
  assert.equal(
    formatMessage(DATE, { fromName: 'eve', cast: 'broadcast', text: hostile }),
    `${DATE}\neve (broadcasted) : ${shown}\n`,
  );
  assert.equal(formatError(hostile), `error: ${shown}\n`);
  assert.equal(formatOutput('Lab', 'stdout', hostile), `Lab| ${shown}\n`);
  assert.equal(formatOutput('Lab', 'stderr', hostile), `Lab! ${shown}\n`);
});

test('a receipt says what became of a message for each, and that it is for nobody where nobody else is in the group', () => {
  const outcomes = [
    ['bob', 'delivered'],
    ['eve', 'stored'],
  ] as const;
  assert.equal(formatReceipt(1042, outcomes), '1042 bob=delivered eve=stored\n');
  assert.equal(formatReceipt(16, []), '16 stored for nobody\n');
});
