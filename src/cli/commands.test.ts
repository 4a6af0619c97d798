import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HELP as CHAT } from './chat.ts';
import { COMMANDS, optionsOf } from './commands.ts';
import { HELP as COMPLETION } from './completion.ts';
import { HELP as ECHO } from './echo.ts';
import { HELP as RUN } from './run.ts';
import { HELP as SERVE } from './serve.ts';

const HELPS: Readonly<Record<string, string>> = {
  serve: SERVE,
  chat: CHAT,
  echo: ECHO,
  run: RUN,
  completion: COMPLETION,
};

/** What a help explains: the lines that begin with an option, `-4, -6` being two. */
function explainedBy(help: string): string[] {
  const lines = help.matchAll(/^ {2,4}(-\S(?:\S| (?! ))*)/gm);
  return Array.from(lines, ([, options = '']) => options.split(', ')).flat();
}

test('the table has every command, and every option that its help explains, with its value', () => {
  assert.deepEqual(Object.keys(COMMANDS), Object.keys(HELPS));
  for (const [name, entry] of Object.entries(COMMANDS)) {
    const held = optionsOf(entry).map(({ flag, value }) => (value === undefined ? flag : `${flag} ${value}`));
    const explained = explainedBy(HELPS[name] ?? '').filter((option) => option !== '--help');
    assert.doesNotMatch(entry.does, /['\\\n]/);
    assert.deepEqual(held.sort(), [...explained, '--help'].sort(), name);
  }
});

test('an option is read with the word for its value, if it has one', () => {
  assert.deepEqual(optionsOf({ does: '', options: '--run-as USER -4 --json' }), [
    { flag: '--run-as', value: 'USER' },
    { flag: '-4', value: undefined },
    { flag: '--json', value: undefined },
    { flag: '--help', value: undefined },
  ]);
});
