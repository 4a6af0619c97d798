// `partyline completion`: the script that makes a shell complete subcommands, options and what they take.

import { parseOnce, whyUnusable } from './kit/arguments.ts';
import { bashScript } from './completion/bash.ts';
import { fishScript } from './completion/fish.ts';
import { zshScript } from './completion/zsh.ts';
import { jsonLine } from './kit/json-line.ts';
import { USAGE_STATUS } from './kit/status.ts';

export const HELP = `Print the script that makes a shell complete partyline's subcommands and options

Usage: partyline completion bash|zsh|fish

  --json  the script as a JSON object: shell, script

Examples:
  source <(partyline completion bash)     in ~/.bashrc
  source <(partyline completion zsh)      in ~/.zshrc, after compinit
  partyline completion fish | source      in ~/.config/fish/config.fish
`;

const SCRIPTS: Readonly<Record<string, () => string>> = { bash: bashScript, zsh: zshScript, fish: fishScript };

export async function completion(args: string[]): Promise<number> {
  let read;
  try {
    read = parseOnce({ args, allowPositionals: true, options: { json: { type: 'boolean', default: false } } });
  } catch (error) {
    return fail(whyUnusable(error));
  }
  const [shell = '', ...rest] = read.positionals;
  const script = rest.length === 0 && Object.hasOwn(SCRIPTS, shell) ? SCRIPTS[shell]?.() : undefined;
  if (script === undefined) return fail(`one of ${Object.keys(SCRIPTS).join(', ')} is expected`);
  process.stdout.write(read.values.json ? jsonLine({ shell, script }) : script);
  return 0;
}

function fail(reason: string): number {
  process.stderr.write(`partyline completion: ${reason}\n`);
  return USAGE_STATUS;
}
