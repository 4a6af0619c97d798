// A command as the core has it, and as it goes over a native connection.

import type { RunCommand } from '../core/ports.ts';
import type { AskedCommand } from '../core/run/policy.ts';
import type { WireCommand } from '../protocol/native/methods/run.ts';

export function toWireCommand(command: AskedCommand): WireCommand {
  switch (command.kind) {
    case 'shell':
      return { shell: command.line };
    case 'argv':
      return { argv: command.argv };
    case 'verb':
      return { verb: command.verb, args: command.args };
  }
}

/** As it is to be run: a verb has been spelled out. */
export function toRunCommand(command: Exclude<WireCommand, { verb: string }>): RunCommand {
  return 'shell' in command ? { kind: 'shell', line: command.shell } : { kind: 'argv', argv: command.argv };
}

/** As it was asked for. */
export function toAskedCommand(command: WireCommand): AskedCommand {
  return 'verb' in command ? { kind: 'verb', verb: command.verb, args: command.args } : toRunCommand(command);
}
