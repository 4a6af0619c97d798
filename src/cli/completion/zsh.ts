// The completion of zsh: to be sourced after `compinit`, or to stand as `_partyline` in a directory of `fpath`.

import { COMMANDS, optionsOf, VALUES } from '../commands.ts';

const ACTIONS: Readonly<Record<string, string>> = { DIR: '_directories', FILE: '_files', USER: '_users' };

function actionFor(value: string): string {
  return VALUES[value] === undefined ? (ACTIONS[value] ?? ' ') : `(${VALUES[value]})`;
}

export function zshScript(): string {
  const entries = Object.entries(COMMANDS);
  const described = entries.map(([name, { does }]) => `      '${name}:${does.replaceAll(':', String.raw`\:`)}'`);
  const cases = entries.map(([name, entry]) => {
    const options = optionsOf(entry).map(({ flag, value }) =>
      value === undefined ? `'${flag}'` : `'*${flag}:${value}:${actionFor(value)}'`,
    );
    // After -- the words of a command that runs elsewhere: files are as good a guess as any.
    const rest = name === 'run' ? ["'1:HOST:_hosts'", "'*:file:_files'"] : [];
    if (entry.words !== undefined) rest.push(`'1: :(${entry.words})'`);
    if (entry.takesFile) rest.push("'1:FILE:_files'");
    // A name or a file that nothing is known of, before an option that something is known of.
    if (name !== 'run') rest.push("'*: :()'");
    return `    ${name}) _arguments ${[...options, ...rest].join(' ')} ;;`;
  });
  return `#compdef partyline
# Completion of partyline for zsh: source <(partyline completion zsh)
_partyline() {
  if ((CURRENT == 2)); then
    local -a commands
    commands=(
${described.join('\n')}
      'help:explain a command'
    )
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  ((CURRENT--))
  case $command in
${cases.join('\n')}
    help) _arguments '1: :(${Object.keys(COMMANDS).join(' ')})' ;;
  esac
}
if [[ $funcstack[1] == _partyline ]]; then _partyline; else compdef _partyline partyline; fi
`;
}
