import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BrokenLines, brokenText } from './broken-lines.ts';
import { lineOf } from './past.ts';

test('a text of several lines is shown as such, each escaped and further in', () => {
  assert.equal(
    brokenText('a\r\n1042 2020-12-17 20:08:03 owner to bob : me\x1b[1m\n'),
    ['a', '1042 2020-12-17 20:08:03 owner to bob : me\\x1b[1m', ''].join('\n    '),
  );
});

test('a run that was shared has its lines, in every chunking, and nothing else is broken', () => {
  const said = [
    '2020-12-17 20:08:03',
    String.raw`bob (singlecasted) : run 17 on web1 by bob at 2020-12-17T20:08:03.000Z: ls\n1 ok\nweb1| a`,
    String.raw`bob (singlecasted) : see C:\new`,
    String.raw`18 2020-12-17 20:08:03 bob to eve : run 17 on web1 by bob: ls\nweb1| \x1b[1m`,
    'New password: ',
  ].join('\n');
  const expected = [
    '2020-12-17 20:08:03',
    'bob (singlecasted) : run 17 on web1 by bob at 2020-12-17T20:08:03.000Z: ls',
    '    1 ok',
    '    web1| a',
    String.raw`bob (singlecasted) : see C:\new`,
    '18 2020-12-17 20:08:03 bob to eve : run 17 on web1 by bob: ls',
    String.raw`    web1| \x1b[1m`,
    'New password: ',
  ].join('\n');
  for (let size = 1; size <= said.length; size++) {
    const lines = new BrokenLines();
    let shown = '';
    for (let at = 0; at < said.length; at += size) shown += lines.show(said.slice(at, at + size));
    assert.equal(shown, expected, `${size} at once`);
  }
});

test('a server that never ends a line is shown all the same', () => {
  const lines = new BrokenLines();
  const long = `bob (singlecasted) : ${'x'.repeat(300_000)}`;
  assert.equal(lines.show(long), long);
});

test('a message has its lines on a terminal, and is one line elsewhere', () => {
  const message = {
    id: 7,
    at: '2020-12-17T20:08:03.000Z',
    from: 'bob',
    to: ['eve'],
    cast: 'singlecast',
    text: 'run 17\nok',
  } as const;
  assert.match(lineOf(message, true), /^7 .* bob to eve : run 17\n {4}ok\n$/);
  assert.match(lineOf(message, false), /^7 .* bob to eve : run 17\\nok\n$/);
});
