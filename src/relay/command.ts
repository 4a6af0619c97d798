// A command as the core has it, and as it goes over a native connection.

import type { RunCommand } from '../core/ports.ts';
import type { WireCommand } from '../protocol/native/methods/run.ts';

export function toWireCommand(command: RunCommand): WireCommand {
  return command.kind === 'shell' ? { shell: command.line } : { argv: command.argv };
}
