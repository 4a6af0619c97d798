import assert from 'node:assert/strict';
import { test } from 'node:test';
import { completions, isKept, MAX_HISTORY_LINES, parsePromptLine, readHistory, targetsOf } from './prompt-line.ts';

test('a line is a command for a shell there, or a word for the prompt', () => {
  const command = (...words: string[]) => ({ kind: 'run', options: [] as string[], words });
  for (const [line, meant] of [
    ['', { kind: 'nothing' }],
    ['  # later', { kind: 'nothing' }],
    [' uptime; df ', command('uptime; df')],
    ['only if', command('only if')],
    ['on', { kind: 'on', targets: undefined }],
    ['on  web[1-3], !web2', { kind: 'on', targets: 'web[1-3], !web2' }],
    ['@restart nginx', command('@restart', 'nginx')],
    ['-t vim x', { kind: 'run', options: ['-t'], words: ['vim x'] }],
    ['-t', { kind: 'run', options: ['-t'], words: [] }],
    ['-ta', command('-ta')],
    ['help', { kind: 'help' }],
    ['exit', { kind: 'leave' }],
    ['exit 3', command('exit 3')],
  ] as const) {
    assert.deepEqual(parsePromptLine(line), meant, line);
  }
});

test('Tab completes targets after on, in lists and taken away', () => {
  const hosts = [
    { name: 'web1', labels: new Map([['env', 'prod']]) },
    { name: 'web2', labels: new Map([['env', 'prod']]) },
    { name: 'db1', labels: new Map([['what', 'a b']]) },
  ];
  const targets = targetsOf(hosts);
  assert.deepEqual(targets, ['all', 'db1', 'env=prod', 'web1', 'web2']);
  assert.deepEqual(completions('on we', targets), [['web1', 'web2'], 'we']);
  assert.deepEqual(completions('on db1,WEB2', targets), [['web2'], 'WEB2']);
  assert.deepEqual(completions('on all !d', targets), [['!db1'], '!d']);
  assert.deepEqual(completions('on ', targets), [targets, '']);
  assert.deepEqual(completions('o', targets), [['on '], 'o']);
  assert.deepEqual(completions('cat we', targets), [[], 'cat we']);
});

test('what is kept is bounded, and not what begins with a space', () => {
  assert.ok(isKept('uptime', 'df'));
  for (const line of ['', '  ', ' export TOKEN=x', 'x'.repeat(5_000)]) assert.ok(!isKept(line, undefined));
  assert.ok(!isKept('uptime', 'uptime'), 'once is enough');
  const many = Array.from({ length: MAX_HISTORY_LINES + 5 }, (_, index) => `echo ${index}`);
  const read = readHistory(`${many.join('\n')}\n`);
  assert.deepEqual([read.length, read[0], read.at(-1)], [MAX_HISTORY_LINES, 'echo 1004', 'echo 5']);
});
