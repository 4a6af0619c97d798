// Runs over a connection in memory, on a clock that stands still.

import { CommandRun, type RunOptions } from '../../src/client/command-run.ts';
import { Running } from '../../src/client/running.ts';
import { StillWorld } from './fake-chat.ts';
import { FakeCommands } from './fake-commands.ts';

export function aRunHouse({ isConnected = true } = {}) {
  const wire = new FakeCommands();
  const running = new Running();
  const world = new StillWorld();
  if (isConnected) running.attach(wire);
  const run = (options: RunOptions) => new CommandRun({ options, running, world });
  return { wire, running, world, run };
}
