// Which machines a command is to run on: asked of the server, shown, and confirmed where they are many.

import type { NativeClient } from '../../client/native.ts';
import { shown } from '../../client/shown.ts';
import { hostResolve } from '../../protocol/native/methods/host.ts';
import type { WireCommand } from '../../protocol/native/methods/run.ts';
import type { Questions } from '../kit/input.ts';
import { formatMachines, MANY_MACHINES } from '../../protocol/node-set.ts';

export interface TargetHost {
  readonly name: string;
  readonly state: 'online' | 'offline';
}

export interface Resolved {
  readonly hosts: readonly TargetHost[];
  /** Somebody else has to say yes first. */
  readonly needsApproval: boolean;
}

interface Resolving {
  readonly targets: string;
  readonly command: WireCommand | undefined;
  readonly cwd?: string | undefined;
  /** Nothing is to run. */
  readonly isDryRun?: boolean;
}

/** All of them, and the command may run there; or why not. */
export async function resolveTargets(
  client: NativeClient,
  { targets, command, cwd, isDryRun = false }: Resolving,
): Promise<Resolved | { readonly refused: string }> {
  const answer = await client.request(hostResolve.name, {
    targets,
    command,
    ...(cwd === undefined ? {} : { cwd }),
    ...(isDryRun ? { dryRun: true } : {}),
  });
  if ('lost' in answer) return { refused: `Cannot tell which machines are meant: ${answer.lost}` };
  if ('error' in answer) return { refused: shown(answer.error.message) };
  const found = hostResolve.parseResult(answer.result);
  if (found === undefined) return { refused: 'Cannot tell which machines are meant: the answer is not known here' };
  const hosts = found.hosts.map(({ name, state }) => ({ name: shown(name), state }));
  return { hosts, needsApproval: found.needsApproval === true };
}

/** `37 machines, 2 of them offline: web[1-37]`. */
export function wordsForTargets(hosts: readonly TargetHost[]): string {
  return formatMachines(hosts.map(({ name, state }) => ({ name, isOffline: state === 'offline' })));
}

/** Whether so many have to be confirmed; all of them always, as `all` or by nothing but stars. */
export function isWide(targets: string, hosts: readonly TargetHost[]): boolean {
  return hosts.length > MANY_MACHINES || targets.split(/[\s,]+/).some((item) => /^(?:all|\*+)$/i.test(item));
}

/** Somebody types how many they are, if anybody may be asked. Undefined: they have. */
export async function confirm(hosts: readonly TargetHost[], questions?: Questions): Promise<string | undefined> {
  const count = String(hosts.length);
  const question = `Type ${count} to run ${hosts.length === 1 ? 'there' : 'on all of them'}: `;
  const typed = (await questions?.askShown(question)) ?? 'end';
  if (typed === 'interrupted') return 'interrupted; nothing was started';
  if (typed !== 'end' && typed.line.trim() === count) return undefined;
  const were = hosts.length === 1 ? 'machine was' : 'machines were';
  return `${count} ${were} not confirmed, by typing ${count} or with --yes; nothing was started`;
}
