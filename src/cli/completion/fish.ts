// The completion of fish, which asks for one line for each thing that it may offer.

import { COMMANDS, optionsOf, VALUES } from '../commands.ts';

const OFFERS: Readonly<Record<string, string>> = {
  DIR: "-a '(__fish_complete_directories)'",
  FILE: '-F',
  USER: "-a '(__fish_complete_users)'",
};

function offerFor(value: string): string {
  return VALUES[value] === undefined ? (OFFERS[value] ?? '') : `-a '${VALUES[value]}'`;
}

export function fishScript(): string {
  const lines: string[] = [];
  for (const [name, entry] of Object.entries(COMMANDS)) {
    lines.push(`complete -c partyline -n __fish_use_subcommand -a ${name} -d '${entry.does}'`);
    const line = `complete -c partyline -n '__fish_seen_subcommand_from ${name}'`;
    for (const { flag, value } of optionsOf(entry)) {
      const option = flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`;
      lines.push(`${line} ${option}${value === undefined ? '' : ` -x ${offerFor(value)}`}`.trimEnd());
    }
    if (entry.words !== undefined) lines.push(`${line} -a '${entry.words}'`);
    if (entry.takesFile) lines.push(`${line} -F`);
  }
  return `# Completion of partyline for fish: partyline completion fish | source
complete -c partyline -f
complete -c partyline -n __fish_use_subcommand -a help -d 'explain a command'
complete -c partyline -n '__fish_seen_subcommand_from help' -a '${Object.keys(COMMANDS).join(' ')}'
${lines.join('\n')}
complete -c partyline -n '__fish_seen_subcommand_from run; and contains -- -- (commandline -opc)' -F
`.replaceAll('-x -F', '-r -F');
}
