import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expandBrackets } from './brackets.ts';

function faultOf(text: string): unknown {
  const expanded = expandBrackets(text, 100);
  assert.ok(typeof expanded === 'object' && 'refused' in expanded, `${text} was accepted`);
  return expanded;
}

test('ranges are written out in the order of their numbers, zeros kept', () => {
  const table: [text: string, names: string][] = [
    ['web1', 'web1'],
    ['web[1-3]', 'web1 web2 web3'],
    ['web[9-11]', 'web9 web10 web11'],
    ['web[09-11]', 'web09 web10 web11'],
    ['web[000-001]', 'web000 web001'],
    ['web[0-1]', 'web0 web1'],
    ['web[1,3,5-7]', 'web1 web3 web5 web6 web7'],
    ['web[ 1 , 03 ]', 'web1 web03'],
    ['web[7]', 'web7'],
    ['web[1-2].lab', 'web1.lab web2.lab'],
    ['r[1-2]n[1-2]', 'r1n1 r1n2 r2n1 r2n2'],
    ['[1-2]', '1 2'],
    ['[1-2][1-2]', '11 12 21 22'],
    ['web[999999999999998-999999999999999]', 'web999999999999998 web999999999999999'],
  ];
  for (const [text, names] of table) assert.deepEqual(expandBrackets(text, 100), names.split(' '), text);
});

test('what no person can have meant is refused, and named', () => {
  const table: [text: string, fault: object][] = [
    ['web[1-3', { refused: 'unclosed-bracket' }],
    ['web[[1-3]]', { refused: 'unclosed-bracket' }],
    ['web1]', { refused: 'unopened-bracket' }],
    ['web[1]]', { refused: 'unopened-bracket' }],
    ['web[]', { refused: 'empty-brackets' }],
    ['web[ ]', { refused: 'empty-brackets' }],
    ['web[abc]', { refused: 'not-a-range', range: 'abc' }],
    ['web[1,]', { refused: 'not-a-range', range: '' }],
    ['web[1-]', { refused: 'not-a-range', range: '1-' }],
    ['web[-1]', { refused: 'not-a-range', range: '-1' }],
    ['web[1-2-3]', { refused: 'not-a-range', range: '1-2-3' }],
    ['web[1..3]', { refused: 'not-a-range', range: '1..3' }],
    ['web[١-٣]', { refused: 'not-a-range', range: '١-٣' }],
    ['web[3-1]', { refused: 'backwards', range: '3-1' }],
    ['web[01-100]', { refused: 'uneven-zeros', range: '01-100' }],
    ['web[1-09]', { refused: 'uneven-zeros', range: '1-09' }],
    ['web[1-1000000000000000]', { refused: 'too-many-digits', range: '1-1000000000000000', maxDigits: 15 }],
  ];
  for (const [text, fault] of table) assert.deepEqual(faultOf(text), fault, text);
});

test('as many as are allowed are written out, one more is not, however large the range', () => {
  const most = expandBrackets('web[1-100]', 100);
  assert.ok(Array.isArray(most) && most.length === 100);
  for (const text of ['web[1-101]', 'r[1-11]n[1-10]', 'web[1-99999999]', '[0-999999999999999]'.repeat(50)]) {
    assert.equal(expandBrackets(text, 100), 'too-many', text);
  }
  assert.equal(expandBrackets('web1', 0), 'too-many');
});
