// The completion of bash, from 3.2 on (macOS): no `mapfile`, and `compopt` where there is one.

import { COMMANDS, optionsOf, VALUES } from '../commands.ts';

/** What `compgen` offers in the place of a value; of every other value nothing is known. */
const GENERATORS: Readonly<Record<string, string>> = { DIR: '-d', FILE: '-f', USER: '-u' };

export function bashScript(): string {
  const values: string[] = [];
  const words: string[] = [];
  for (const [name, entry] of Object.entries(COMMANDS)) {
    const options = optionsOf(entry);
    for (const { flag, value } of options) {
      if (value === undefined) continue;
      const generator = VALUES[value] === undefined ? GENERATORS[value] : `-W '${VALUES[value]}'`;
      const offer = generator === undefined ? 'return' : `_partyline_offer ${generator}; return`;
      values.push(`    ${name}:${flag}) ${offer} ;;`);
    }
    const first = entry.words === undefined ? '' : ` ${entry.words}`;
    const own = `_partyline_offer -W '${options.map(({ flag }) => flag).join(' ')}${first}'`;
    const offer = entry.takesFile ? `if [[ $current == -* ]]; then ${own}; else _partyline_offer -f; fi` : own;
    words.push(`    ${name}) ${offer} ;;`);
  }
  return `# Completion of partyline for bash: source <(partyline completion bash)
_partyline_offer() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen "$@" -- "$current")
  [[ $1 == -[df] ]] && compopt -o filenames 2>/dev/null
}
_partyline() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} command=\${COMP_WORDS[1]} at
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    _partyline_offer -W '${Object.keys(COMMANDS).join(' ')} help --help --version'
    return
  fi
  for ((at = 2; at < COMP_CWORD; at++)); do
    # A command to run: its words are the shell's own to complete.
    [[ \${COMP_WORDS[at]} == -- ]] && { _partyline_offer -f; return; }
  done
  # bash cuts --option=value in three.
  [[ $current == '=' ]] && current=
  [[ $previous == '=' ]] && previous=\${COMP_WORDS[COMP_CWORD-2]}
  case $command:$previous in
${values.join('\n')}
  esac
  case $command in
${words.join('\n')}
    help) _partyline_offer -W '${Object.keys(COMMANDS).join(' ')}' ;;
  esac
}
complete -F _partyline partyline
`;
}
