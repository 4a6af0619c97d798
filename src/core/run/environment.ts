// Which names of a client's environment may reach a command: an allow-list, which the machine where the command runs
// may widen. What makes other programs load, run or trust something (LD_PRELOAD, BASH_ENV, PATH) is on no list.

/** `NAME`, or `BEGINNING*`. */
export interface EnvironmentPattern {
  readonly beginning: string;
  /** More may follow. */
  readonly isOpen: boolean;
}

/** `never`: no machine can allow it. `not-listed`: this one does not. `value`: the name may pass, and what it is set to may not. */
export type EnvironmentFault = 'never' | 'not-listed' | 'value';

export interface EnvironmentRefusal {
  readonly refused: 'env-not-allowed';
  readonly names: readonly string[];
  readonly why: EnvironmentFault;
}

/** The names of POSIX (XBD 8.1), of a length that a log can show. */
const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;
/** UTF-16 units: a sentence or a list of paths, and no document. */
export const MAX_VALUE_LENGTH = 4_096;
/** A pattern of fewer characters before its `*` would let in what nobody has thought of. */
const MIN_BEGINNING = 3;

const ALWAYS = /^(?:LANG|LC_[A-Z]+|TERM|TZ)$/;
/** What the C library or a terminal's description takes for a path is none (as sudo checks it). */
const PATHLESS = /^[^/%]*$/;
const ZONE = /^:?(?:\/etc\/localtime|\/usr\/share\/zoneinfo\/[\w+./-]*|[\w+<>,.-][\w+<>,./:-]*)?$/;

/**
 * What the loader, shells and interpreters read as they start, what has programs start or trust others, who the user is
 * and where things are; and our own.
 */
const NEVER = [
  // The loader and the C library.
  /^(?:LD|DYLD|LDR|GLIBC|MALLOC|RES|NSS)_/,
  /^(?:GCONV_PATH|GETCONF_DIR|LOCPATH|NLSPATH|TZDIR|HOSTALIASES|LOCALDOMAIN|SHLIB_PATH|LIBPATH)$/,
  // Shells, and what they and their pagers and editors run.
  /^(?:ENV|IFS|CDPATH|FPATH|ZDOTDIR|SHELLOPTS|GLOBIGNORE|FUNCNEST|PROMPT_COMMAND|PS\d|HISTFILE|INPUTRC|EXINIT)$/,
  /^(?:BASH|KSH|ZSH|FISH|LESS|VIM|TERMINFO|TERMCAP|TERMPATH)/i,
  /^(?:\w*PAGER|\w*EDITOR|VISUAL|BROWSER|XDG_\w+)$/,
  // Interpreters and what they load.
  /^(?:PYTHON|PERL|RUBY|GEM_|BUNDLE|LUA_|PHP|JAVA_|JDK_|_JAVA_|TCL|GUILE|AWK|GAWK|ERL_|ELIXIR|MONO_|DOTNET_|CORECLR_|R_)/,
  /^(?:NODE_(?!ENV$)\w*|NPM_\w*|DENO_\w*|BUN_\w*|CLASSPATH|VIRTUAL_ENV)$/i,
  // Programs that start others, or trust what they are told.
  /^(?:GIT|SSH|SUDO|GPG|GNUPG|OPENSSL|SSL|GNUTLS|CURL|KRB5|DBUS|SYSTEMD|NOTIFY|LISTEN|RSYNC|TAR|CARGO|RUSTC)_/,
  /^(?:MAKE|MAKEFLAGS|MFLAGS|GNUMAKEFLAGS|CC|CXX|LD|AR|GOFLAGS|RUSTFLAGS|POSIXLY_CORRECT|(?:HTTPS?|ALL|NO)_PROXY)$/i,
  // The user, and ourselves.
  /^(?:PATH|HOME|USER|LOGNAME|SHELL|TMPDIR|TMP|TEMP|PWD|OLDPWD|MAIL|_)$/,
  /^PARTYLINE_/,
];

/** No machine can let it pass. */
export function isNeverPassed(name: string): boolean {
  return !NAME.test(name) || NEVER.some((one) => one.test(name));
}

/** What a machine passes beside the usual; `decided-there`: another one says. */
export type Wider = readonly EnvironmentPattern[] | 'decided-there';

export type Environment = Readonly<Record<string, string>>;

/** All of it, or the names for which it is refused; the first reason counts. */
export function passedEnvironment(
  given: Environment,
  wider: Wider,
): { readonly env: Environment } | EnvironmentRefusal {
  const faults = Map.groupBy(Object.keys(given), (name) => faultOf(name, given[name] ?? '', wider));
  for (const why of FAULTS) {
    const names = faults.get(why);
    if (names !== undefined) return { refused: 'env-not-allowed', names, why };
  }
  return { env: given };
}

const FAULTS: readonly EnvironmentFault[] = ['never', 'not-listed', 'value'];

function faultOf(name: string, value: string, wider: Wider): EnvironmentFault | undefined {
  if (isNeverPassed(name)) return 'never';
  const isUsual = ALWAYS.test(name);
  if (!isUsual && wider !== 'decided-there' && !wider.some((one) => fits(one, name))) return 'not-listed';
  const isLong = value.length > MAX_VALUE_LENGTH || value.includes('\0');
  return isLong || (isUsual && !(name === 'TZ' ? isZone(value) : PATHLESS.test(value))) ? 'value' : undefined;
}

function isZone(value: string): boolean {
  return ZONE.test(value) && !value.includes('..');
}

function fits({ beginning, isOpen }: EnvironmentPattern, name: string): boolean {
  return isOpen ? name.startsWith(beginning) : name === beginning;
}

/** As it stands in a file or on a command line: `DEPLOY_ENV`, `DEPLOY_*`. A text says why it is none. */
export function parseEnvironmentPattern(text: string): EnvironmentPattern | string {
  const [, beginning = '', star] = /^([A-Za-z_][A-Za-z0-9_]{0,127})(\*?)$/.exec(text) ?? [];
  if (beginning === '') return 'a variable is a name, or the beginning of one and a *';
  const isOpen = star === '*';
  if (isOpen && beginning.length < MIN_BEGINNING) return `a * stands after ${MIN_BEGINNING} characters at least`;
  // Of an open one what is never passed stays out of it; one that is nothing else is a mistake.
  return isNeverPassed(beginning) || (isOpen && isNeverPassed(`${beginning}A`))
    ? `${text} is never passed on`
    : { beginning, isOpen };
}
