// The line that a client sends for a terminal without a command (docs/protocol/native.md): told to people by what it is.

import type { RunCommand } from '../ports.ts';

const LOGIN_SHELL = /^(?:cd; )?exec "\$\{SHELL:-\/bin\/sh\}" -l$/;

export function isLoginShell(command: RunCommand): boolean {
  return command.kind === 'shell' && LOGIN_SHELL.test(command.line);
}

export const A_LOGIN_SHELL = 'a login shell';
