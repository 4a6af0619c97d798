// A terminal of a test's own with somebody who types and looks: tmux, with a server of its own.

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { newDirectory, removeDirectory } from './directory.ts';
import { until } from './proc.ts';

const run = promisify(execFile);

export interface Tmux extends AsyncDisposable {
  /** Types: names of keys (`Enter`, `C-c`, `Escape`), or text. */
  type(...keys: readonly string[]): Promise<void>;
  /** What is on the screen, without the blank lines at its end. */
  screen(): Promise<string>;
  /** Resolves with the screen once it shows that. */
  shows(expected: RegExp): Promise<string>;
  resize(columns: number, rows: number): Promise<void>;
  /** As tmux calls them: `alternate_on`, `cursor_flag`. */
  is(format: string): Promise<string>;
}

/** Runs a shell line; what it leaves behind ends with it. */
export async function aTmux(line: string, env: Readonly<Record<string, string>> = {}): Promise<Tmux> {
  const directory = newDirectory();
  const tmux = async (...args: readonly string[]): Promise<string> => {
    const { stdout } = await run('tmux', ['-S', join(directory, 'socket'), '-f', '/dev/null', ...args], {
      // Whatever shell and terminal the tests were started in.
      env: { ...process.env, ...env, SHELL: '/bin/sh', TERM: 'xterm-256color', TMUX: '' },
    });
    return stdout;
  };
  await tmux('new-session', '-d', '-x', '100', '-y', '30', line);
  const screen = async (): Promise<string> => (await tmux('capture-pane', '-p')).trimEnd();
  return {
    type: async (...keys) => void (await tmux('send-keys', '--', ...keys)),
    screen,
    async shows(expected) {
      let seen = '';
      await until(async () => expected.test((seen = await screen())), `the screen shows ${String(expected)}`).catch(
        (error: unknown) => {
          throw new Error(`the screen shows\n${seen}`, { cause: error });
        },
      );
      return seen;
    },
    resize: async (columns, rows) => void (await tmux('resize-window', '-x', String(columns), '-y', String(rows))),
    is: async (format) => (await tmux('display-message', '-p', `#{${format}}`)).trim(),
    async [Symbol.asyncDispose]() {
      await tmux('kill-server').catch(() => {});
      await removeDirectory(directory);
    },
  };
}
