// `partyline join`: this machine takes commands from a server, until it is told to stop.

import { join as joinPath } from 'node:path';
import { oneExpected, parseOnce } from './kit/arguments.ts';
import { MACHINE, readTarget } from '../client/reach.ts';
import { RefusedError, UnreachableError } from '../client/errors.ts';
import type { Trust } from '../client/trust.ts';
import { REAL_WORLD } from '../client/world.ts';
import { readOwnFile } from '../config/files.ts';
import { lockDirectory, type Lock } from '../config/lock.ts';
import { KNOWN_SERVERS_FILE, KnownServers } from '../config/known-servers.ts';
import { stateDirectory } from '../config/state.ts';
import { DetachedRuns } from '../detached/detached-runs.ts';
import { beJoined } from '../host/joined.ts';
import {
  EVERYTHING,
  parseEnvironmentPattern,
  readHostPolicy,
  wordsForPolicy,
  type HostPolicy,
  type PolicyInForce,
} from '../host/policy.ts';
import { LateHead } from '../host/late-head.ts';
import { RECORDS_HEAD_FILE, RecordsHead } from '../host/records-head.ts';
import { ensureMachineKey, MACHINE_KEY_FILE } from '../net/machine.ts';
import { parseJoinCode, type JoinCode } from '../net/join-code.ts';
import { whyNoLabels } from '../protocol/native/methods/host.ts';
import { escapeControls, quote } from '../protocol/text.ts';
import { createRunner } from '../runner/runner.ts';
import { fail, misuse } from './kit/come-in.ts';
import { onHangUp } from './kit/hang-up.ts';
import { Questions } from './kit/input.ts';
import { jsonLine } from './kit/json-line.ts';
import { readCommandLine } from './kit/options.ts';
import { trustFor } from './kit/trust.ts';
import { reasonOf } from '../reason.ts';

/** In the state directory. */
const HOST_POLICY_FILE = 'host-policy.toml';
const DETACHED = 'host-detached';
/** Of group and others, the right to write: whoever has it says what is run here. */
const OTHERS_WRITE = 0o022;

export const HELP = `Let a server run commands on this machine, under the name it was invited by

Usage: partyline join HOST [--code CODE] [--label NAME=VALUE]... [--policy FILE] [--allow-env NAME]...

  --code CODE          of partyline invite NAME --as host, the first time; - reads it from standard input
  --label NAME=VALUE   what the machine can be addressed by, as in partyline run --on NAME=VALUE; repeatable
  --policy FILE        what the server may run here, instead of ${HOST_POLICY_FILE} in the state directory
  --allow-env NAME     a variable that commands may be given, beside LANG, LC_*, TERM and TZ; DEPLOY_* for all that
                       begin so; repeatable
  --json               one JSON object a line

Joining is consent: without a policy file the server may run everything that this user may. With one, only what it lists, and
no server can widen it; anything else comes back as denied, and is said on stderr. It is read at the start and on SIGHUP:

  allow = ["uptime", "systemctl status *"]     words of a command; * within or for a word, ** for any rest
  shell = false                                lines for /bin/sh: as good as everything
  cwd = ["/srv/app"]                           where a command may be started, where it is no line for a shell
  env = ["DEPLOY_*"]                           variables that it may have, beside LANG, LC_*, TERM and TZ

With each command the server says which hash its records of runs end with. The latest is kept in ${RECORDS_HEAD_FILE} of the state
directory: partyline verify --head HASH, at the server, tells whether all records up to it are there.

A run that was detached goes on while the server is away; it ends with this program, and what it said is kept in ${DETACHED}
of the state directory as long.

The machine dials out, over IPv4 or IPv6, and comes back by itself when the connection or the server was away. The first
time it makes a key of its own in the state directory (PARTYLINE_DATA) and needs no code after that. The code carries the
server's key, which is remembered in known-servers there: no other server is taken for it, and nothing is done for one. So it
speaks TLS alone, also to a server on this machine (localhost). Where the server has a new key, it takes a new code.

It stays in the foreground, says ready once it has joined, and ends what it runs when the server asks for it, or is gone,
and when it is stopped (Ctrl-C).

Examples:
  partyline join lab.example --code 2Q4S-… --label env=prod
  partyline join lab.example
  partyline join lab.example --policy /etc/partyline/policy.toml
`;

const LABEL = /^([A-Za-z0-9_.-]+)=(.*)$/su;

export async function join(args: string[]): Promise<number> {
  const read = readCommandLine('join', () =>
    parseOnce({
      args,
      allowPositionals: true,
      options: {
        code: { type: 'string' },
        label: { type: 'string', multiple: true, default: [] },
        policy: { type: 'string' },
        'allow-env': { type: 'string', multiple: true, default: [] },
        json: { type: 'boolean', default: false },
      },
    }),
  );
  if (typeof read === 'number') return read;
  const { values, positionals } = read;
  const [host] = positionals;
  if (host === undefined || positionals.length > 1) {
    return misuse('join', oneExpected('HOST', positionals.length));
  }
  const target = readTarget(host, MACHINE);
  if ('wrong' in target) return misuse('join', target.wrong);
  const labels = new Map<string, string>();
  for (const label of values.label) {
    const [, name, value] = LABEL.exec(label) ?? [];
    if (name === undefined || value === undefined)
      return misuse('join', `--label takes NAME=VALUE, not ${quote(label)}`);
    labels.set(name, value);
  }
  const unfit = whyNoLabels(labels);
  if (unfit !== undefined) return misuse('join', `--label: ${unfit}`);
  const env: HostPolicy['env'][number][] = [];
  for (const text of values['allow-env']) {
    const pattern = parseEnvironmentPattern(text);
    if (typeof pattern === 'string') return misuse('join', `--allow-env ${quote(text)}: ${pattern}`);
    env.push(pattern);
  }
  const given = await codeFrom(values.code);
  if (typeof given === 'string') return misuse('join', given);
  const tell = (event: string, facts: Readonly<Record<string, string>>, text: string) => {
    if (values.json) process.stdout.write(jsonLine({ event, ...facts }));
    else (event === 'ready' ? process.stdout : process.stderr).write(`${escapeControls(text)}\n`);
  };
  return await stay({ host, given, labels, policyFile: values.policy, env, tell });
}

type Given = JoinCode | undefined;

interface Stay {
  readonly host: string;
  readonly given: Given;
  readonly labels: ReadonlyMap<string, string>;
  /** As it was named. */
  readonly policyFile: string | undefined;
  /** Beside what the file says. */
  readonly env: HostPolicy['env'];
  readonly tell: (event: string, facts: Readonly<Record<string, string>>, text: string) => void;
}

async function stay({ host, given, labels, policyFile, env, tell }: Stay): Promise<number> {
  const directory = stateDirectory();
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  let lock: Lock | undefined;
  try {
    lock = lockDirectory(directory, 'machine');
    const policy = openPolicy(policyFile ?? joinPath(directory, HOST_POLICY_FILE), {
      isNamed: policyFile !== undefined,
      env,
      tell,
    });
    // Before it says that it is ready: who hears that may send the signal.
    void onHangUp(() => policy.reload()).then(onSignal);
    const key = ensureMachineKey(joinPath(directory, MACHINE_KEY_FILE));
    const runner = createRunner({ directory: joinPath(directory, 'host-pipes') });
    const detached = new DetachedRuns({
      runner,
      directory: joinPath(directory, DETACHED),
      onTrouble: (reason) => tell('trouble', { reason }, `partyline join: ${reason}`),
    });
    const head = recordsHead(host, directory, tell);
    try {
      await beJoined(
        {
          host,
          key,
          code: given,
          labels,
          trust: trustIn(given, directory),
          runner,
          detached,
          policy,
          onDenied: (command, where) =>
            tell('denied', { command, where: where.trim() }, `partyline join: denied: ${command}${where}`),
          world: REAL_WORLD,
          onRecordsHead: (hash) => head.keep(hash),
          onJoined: (name) => tell('ready', { name, host }, 'ready'),
          onLost: (reason) => tell('lost', { reason }, `partyline join: ${host} is away: ${reason}`),
        },
        stop.signal,
      );
    } finally {
      head.close();
      await runner.close();
      await detached.close();
    }
    return 0;
  } catch (error) {
    if (error instanceof RefusedError || error instanceof UnreachableError) return fail('join', error.message);
    return fail('join', reasonOf(error));
  } finally {
    lock?.release();
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}

interface PolicyOptions extends Pick<Stay, 'env' | 'tell'> {
  /** It has to be there. */
  readonly isNamed: boolean;
}

/** Throws an Error in words. A reload keeps what there was where the file is of no use, and says why. */
function openPolicy(path: string, { isNamed, env, tell }: PolicyOptions): PolicyInForce & { reload(): void } {
  let read = readPolicy(path);
  if (read === undefined && isNamed) read = { why: 'it does not exist' };
  if (read !== undefined && 'why' in read) {
    throw new Error(`Cannot use the policy ${path}: ${read.why}; nothing was joined`);
  }
  let isFile = read !== undefined;
  const wider = (policy: HostPolicy): HostPolicy => ({ ...policy, env: [...policy.env, ...env] });
  const policy = {
    current: wider(read ?? EVERYTHING),
    reload() {
      const again = readPolicy(path) ?? (isFile ? { why: GONE } : EVERYTHING);
      if ('why' in again) {
        const reason = `Cannot use the policy ${path}: ${again.why}`;
        return tell('policy not reloaded', { reason }, `partyline join: ${reason}; the old one stays in force`);
      }
      policy.current = wider(again);
      isFile ||= again !== EVERYTHING;
      const allows = wordsForPolicy(policy.current);
      return tell('policy', { allows }, `partyline join: policy in force: ${allows}`);
    },
  };
  return policy;
}

/** A file that is moved away to be written anew must not open the machine for a moment. */
const GONE = 'it does not exist any more, and only a new start lets the server run everything';

/** Undefined: there is no file. */
function readPolicy(path: string): HostPolicy | { readonly why: string } | undefined {
  const text = readOwnFile(path, { others: OTHERS_WRITE, verb: 'write to' });
  return typeof text === 'string' ? readHostPolicy(text) : text;
}

/** A disk that is full stops no command; it is said once, and again if it has been well meanwhile. */
function recordsHead(host: string, directory: string, tell: Stay['tell']): LateHead {
  const path = joinPath(directory, RECORDS_HEAD_FILE);
  let isWell = true;
  return new LateHead(new RecordsHead(path, { server: host, now: Date.now }), (reason) => {
    if (reason !== undefined && isWell) tell('head not kept', { reason }, `partyline join: ${reason}`);
    isWell = reason === undefined;
  });
}

/** The code's key, or one that was met before: never the word of whoever answers. */
function trustIn(given: Given, directory: string): Trust {
  const known = new KnownServers(joinPath(directory, KNOWN_SERVERS_FILE));
  const { tell } = trustFor('join');
  // It vouches for the key until that is known.
  let code = given;
  return {
    tell,
    meet: (server, fingerprint) => {
      if (code === undefined) return known.recognise(server, fingerprint);
      if (code.fingerprint !== fingerprint) {
        return { refused: `its key is ${fingerprint} and the code is for ${code.fingerprint}; the code still counts` };
      }
      const met = known.meet(server, fingerprint);
      if ('met' in met) code = undefined;
      return 'met' in met && met.met === 'first' ? { ...met, isVouched: true } : met;
    },
  };
}

/** A text says what is wrong with it. */
async function codeFrom(given: string | undefined): Promise<Given | string> {
  if (given === undefined) return undefined;
  const typed = given === '-' ? await new Questions().ask('Code: ') : { line: given };
  if (typeof typed === 'string' || typed.line.trim() === '') return 'a code is missing';
  return (
    parseJoinCode(typed.line) ?? 'that is no code of partyline invite NAME --as host: it carries no key of a server'
  );
}
