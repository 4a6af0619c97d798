import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PLAIN } from '../../core/run/record.ts';
import { formatError } from '../../protocol/line/reply.ts';
import { toAskedCommand, wordsForMalformed, wordsForMisuse, wordsForResult, wordsForRunning } from './translate.ts';
import { wordsForAsking } from '../shared/words-approval.ts';
import { wordsForEntering, wordsForName, wordsForSending } from '../shared/words.ts';

const BOB = { by: 'bob', role: 'member', command: { kind: 'shell', line: 'uptime' }, setting: PLAIN } as const;
const COUNT = { name: 'count', values: { pattern: '1?' } };
const SERVICE = { name: 'service', values: { oneOf: ['nginx', 'redis'] } } as const;
const HOSTILE = '\x1b]0;owned\x07\u202e\n';

test('every refusal is one sentence: what was attempted, and what is true now', () => {
  const names = ['bob', 'eve'];
  const sentences: [words: string, said: string][] = [
    [wordsForEntering({ refused: 'name-reserved' }, 'all', '::1'), 'Cannot come in as "all": the name is reserved'],
    [
      wordsForEntering({ refused: 'name-in-use' }, 'bob', '::1'),
      'Cannot come in as "bob": somebody of that name is here',
    ],
    [
      wordsForEntering({ refused: 'guests-not-let-in' }, 'bob', '192.0.2.7'),
      'Cannot come in as "bob" from 192.0.2.7: this server lets guests in from its own machine only',
    ],
    [
      wordsForEntering({ refused: 'bad-name', why: { refused: 'empty' } }, '', '::1'),
      'Cannot come in as "": a name has at least one character',
    ],
    [
      wordsForSending({ refused: 'unknown-recipient', names }),
      'Cannot send: nobody named "bob", "eve" is here or has an account; the message was sent to nobody',
    ],
    [
      wordsForSending({ refused: 'all-among-names' }),
      'Cannot send: all is everyone already and stands alone; the message was sent to nobody',
    ],
    [
      wordsForSending({ refused: 'empty-message' }),
      'Cannot send: the message is empty; the message was sent to nobody',
    ],
    [
      wordsForSending({ refused: 'machine-recipient', names: ['web1'] }),
      'Cannot send: "web1" is a machine, which runs commands and reads no messages ' +
        '(run web1 : COMMAND, or partyline run --on web1 -- COMMAND); the message was sent to nobody',
    ],
    [
      wordsForAsking({ refused: 'unknown-recipient', names: ['eve'] }),
      'Cannot ask for approval: nobody can be told of it: nobody named "eve" is here or has an account; ' +
        'nothing was started',
    ],
    [
      wordsForRunning({ refused: 'not-allowed', names: ['web1'], why: 'policy' }, { ...BOB, role: 'guest' }),
      'Cannot run uptime on "web1" as bob, a guest: guests run nothing; nothing was started; ' +
        'whoever has an account shows it with login TOKEN',
    ],
    [
      wordsForRunning({ refused: 'not-allowed', names: ['web1', 'web2'], why: 'policy' }, BOB),
      'Cannot run uptime on "web1", "web2" as bob, a member: the policy of the server does not allow it; ' +
        'nothing was started',
    ],
    [
      wordsForRunning({ refused: 'not-allowed', names: ['Lab'], why: 'server' }, BOB),
      'Cannot run uptime on "Lab" as bob, a member: only the owner runs commands on the server itself; ' +
        'nothing was started',
    ],
    [
      wordsForRunning({ refused: 'unknown-verb', verb: 'stop', known: ['restart'] }, BOB),
      'Cannot run @stop: there is no such verb; this server has @restart; nothing was started',
    ],
    [
      wordsForRunning({ refused: 'bad-verb', verb: 'restart', parameters: [SERVICE] }, BOB),
      'Cannot run @restart: its form is @restart SERVICE; nothing was started',
    ],
    [
      wordsForRunning(
        {
          refused: 'bad-verb',
          verb: 'restart',
          parameters: [SERVICE],
          wrong: { parameter: SERVICE, value: 'sshd' },
        },
        BOB,
      ),
      'Cannot run @restart: service is one of nginx, redis, not "sshd"; nothing was started',
    ],
    [
      wordsForRunning(
        {
          refused: 'bad-verb',
          verb: 'scale',
          parameters: [COUNT],
          wrong: { parameter: COUNT, value: '30' },
        },
        BOB,
      ),
      'Cannot run @scale: count "30" does not fit the pattern "1?"; nothing was started',
    ],
    [
      wordsForRunning({ refused: 'unknown-host', names }, BOB),
      'Cannot run: no machine named "bob", "eve" has joined; nothing was started',
    ],
    [
      wordsForMalformed({ malformed: 'overlong', begins: '' }),
      'Cannot read the line: it is longer than 65536 bytes and was skipped',
    ],
    [
      wordsForMalformed({ malformed: 'not-utf8', begins: '' }),
      'Cannot read the line: it is not UTF-8 and went nowhere',
    ],
    [wordsForMisuse({ type: 'misused', word: 'run' }), 'Cannot read the command: its form is run [HOSTS] : COMMAND'],
    ...['list', 'HELP', '/quit'].map((word): [string, string] => [
      wordsForMisuse({ type: 'unknown', word }),
      `Unknown command "${word}": perhaps ${{ list: 'get_list', HELP: 'help' }[word] ?? 'quit'} is meant; ` +
        'help lists those that there are',
    ]),
    [
      wordsForMisuse({ type: 'unknown', word: '__proto__' }),
      'Unknown command "__proto__": help lists those that there are',
    ],
    [wordsForMisuse({ type: 'unknown', word: 'dance' }), 'Unknown command "dance": help lists those that there are'],
  ];
  for (const [words, said] of sentences) assert.equal(words, said);
});

test('a name that is none is told which rule it breaks', () => {
  assert.equal(
    wordsForName({ refused: 'too-long', maxCodePoints: 32, codePoints: 40 }),
    'a name has at most 32 characters, this has 40',
  );
  assert.match(wordsForName({ refused: 'bad-character', codePoint: 0x20 }), /, not of U\+0020$/);
  assert.match(wordsForName({ refused: 'bad-character', codePoint: 0x1f644 }), /, not of U\+1F644$/);
  assert.equal(wordsForName({ refused: 'bad-start', codePoint: 0x2d }), 'a name does not begin with "-" or "."');
  assert.match(wordsForName({ refused: 'bad-direction' }), /writing directions/);
});

test('a run ends in words that name the host', () => {
  assert.equal(wordsForResult('Lab', { result: 'exited', status: 0 }), 'Lab exited 0');
  assert.equal(wordsForResult('Lab', { result: 'signalled', status: 137, signal: 9 }), 'Lab died of signal 9');
  assert.equal(wordsForResult('Lab', { result: 'timeout', status: 124 }), 'Lab ran out of time');
  assert.equal(wordsForResult('Lab', { result: 'cancelled', status: 143 }), 'Lab cancelled');
  assert.equal(wordsForResult('Lab', { result: 'lost', status: null, reason: 'it fell' }), 'Lab lost: it fell');
});

test('what somebody typed is quoted short and harmless', () => {
  const answers = [
    wordsForEntering({ refused: 'name-in-use' }, HOSTILE, '::1'),
    wordsForSending({ refused: 'unknown-recipient', names: [HOSTILE] }),
    wordsForMisuse({ type: 'unknown', word: HOSTILE }),
  ];
  for (const answer of answers) {
    assert.ok(answer.includes('"\\x1b]0;owned\\x07\\u202e\\n"'), answer);
    assert.equal(formatError(answer), `error: ${answer}\n`, 'nothing is left to be escaped');
  }
  const long = wordsForMisuse({ type: 'unknown', word: 'x'.repeat(60_000) });
  assert.ok(long.length < 200, `${long.length} characters`);
});

test('a line that begins with @ and a name is a verb, and any other is for a shell', () => {
  assert.deepEqual(toAskedCommand(' @restart  nginx\tx '), { kind: 'verb', verb: 'restart', args: ['nginx', 'x'] });
  assert.deepEqual(toAskedCommand('@restart'), { kind: 'verb', verb: 'restart', args: [] });
  for (const line of ['echo @restart', '@', '@1', '@a;b c', ' uptime']) {
    assert.deepEqual(toAskedCommand(line), { kind: 'shell', line });
  }
});

test('of many unknown names ten are listed and the others counted', () => {
  const names = Array.from({ length: 25 }, (_, n) => `n${n}`);
  const answer = wordsForSending({ refused: 'unknown-recipient', names });
  assert.match(answer, /nobody named "n0", .*"n9" and 15 more is here/);
  assert.ok(!answer.includes('n10'));
  assert.match(wordsForRunning({ refused: 'unknown-host', names: names.slice(0, 10) }, BOB), /"n8", "n9" has joined/);
});
