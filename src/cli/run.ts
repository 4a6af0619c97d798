// `partyline run`: a command on the server, with its input, its outputs and its status as they were.

import type { NativeClient, Refused } from '../client/native.ts';
import { entered, OWNER_TOKEN_FILE } from '../client/on-socket.ts';
import { Runs, type RunEnd, type RunHandle, type RunWishes } from '../client/run.ts';
import type { ErrorCode } from '../protocol/native/methods.ts';
import { exitNow, INTERRUPTED, watchInterruption, type Interruption } from './kit/interruption.ts';
import type { OwnTerminal } from './terminal/lent.ts';
import { hintOfWords, isOneName, readRunArguments, type PromptArguments, type RunArguments } from './run/arguments.ts';
import { enterForRuns } from './run/connect.ts';
import { Outlet, say } from './run/outlet.ts';
import { NOT_ENDED_STATUS, UNREACHED_STATUS } from './kit/status.ts';

export const HELP = `Run a command on a server, or on machines that joined it: input, output and status as they are there

Usage: partyline run [HOST] [OPTION...] -- COMMAND [ARG...]
       partyline run [HOST] [OPTION...] -t [-- COMMAND [ARG...]]
       partyline run [HOST] [OPTION...]          at a terminal: a prompt, for one command after the other

HOST is [SCHEME://]HOST[:PORT], else PARTYLINE_HOST, else localhost. One argument after -- is a line for /bin/sh; several
are a program and its arguments, which no shell sees; @NAME is a verb of the server's policy, with its values.

  --host HOST        the server, as HOST before the options
  --on TARGETS       where to run it; without it on the server itself; repeatable: all of them are meant
  --cwd PATH         start it in that directory there, seen from where it would start by itself
  --env NAME=VALUE   pass a variable on, if the machine lets it; NAME alone: as it is set here; repeatable
  -t, --tty          run it in a terminal there, as large as this one; without COMMAND the user's shell there. Twice (-tt):
                     also where standard input is no terminal
  -n, --no-stdin     leave standard input alone: for the body of while read, and for what runs in the background (&)
  --timeout SECONDS  end it after so long (status 124)
  --detach           print the number of the run as soon as it has started, and leave it: partyline attach shows it; where
                     there is no such command, 127 or 126 and no number
  --wait SECONDS     show it for so long; if it has not ended then, leave it, say how to come back, and end with ${NOT_ENDED_STATUS}
  --json             one JSON object a line instead of the bytes: host, stream and data (or dataBase64), at the end
                     host, result and status

TARGETS are names, web[1-9], globs, #groups, NAME=VALUE for labels, and all or *, joined by commas; !NAME takes away. Where they are
not one name each line has its machine before it, web[1-9] where several say the same, and standard input goes to
none of them. More than 10 machines, or all, are to be confirmed by typing how many they are.

  --yes              do not ask
  --dry-run          show which machines are meant, and start nothing
  --batch N          at most N machines at once
  --stop-after N     begin with no other machine after N failures
  --stdin            pass standard input to all of them; with --detach leave it open, for partyline attach --stdin
  --out DIR          a file for each machine's output, DIR/NAME.stdout and DIR/NAME.stderr, in the place of lines; files that are there
                     already are emptied when the run begins
  --no-fold          each machine's lines by themselves

With -t everything that is typed goes there, Ctrl-C too. At the beginning of a line ~. ends it from here, ~^Z stops this program,
~~ is a ~, and ~? lists these.

A run that was left goes on without this program and its connection, until it ends, partyline runs cancel ends it, or the
program that runs it there (partyline join, or the server for itself) ends. Its standard input is empty.

The status is the command's own; 128+N if it died of signal N, 124 after the timeout, 126 or 127 if it could not be
started, 130 or 143 if it was interrupted here (at a terminal it dies of the signal then, so that a shell's loop ends too), 255 for everything that went wrong on the way to it. Of several machines: 255
if it did not start on one, or one was lost; else 0 if all are 0, the one that all failures have, or 1.

Where the policy of the server wants somebody else to approve the command, they are told in the chat, and it waits, at most 10
minutes; Ctrl-C takes the request back. What starts then is what they saw, with empty standard input.

It comes in with the token of an account in PARTYLINE_TOKEN_FILE, else with what partyline login keeps for the server, else
as the owner of a server on this machine: by ${OWNER_TOKEN_FILE} in PARTYLINE_DATA or the platform's state directory, or in
PARTYLINE_TOKEN_FILE, which proves who is there and is never sent. The owner may run everything, anybody else what the
policy of the server lets them; a machine may have a policy of its own.

Examples:
  partyline run -- 'uptime; df -h | head -3'
  partyline run localhost -- ls -l '/tmp/a file'
  partyline run ::1 --timeout 10 -- make test < input > output
  partyline run --on web1 --cwd /srv/app --env DEPLOY_ENV=test -- make deploy
  partyline run --on web1 -t -- top
  partyline run --on web1 -t
  partyline run --on 'web*'
  partyline run --on 'web[1-9],!web3' --batch 2 --stop-after 1 -- systemctl restart nginx
  partyline run --on env=prod --dry-run -- reboot
  partyline run --on web1 -- @restart nginx
  partyline run --on 'web*' --detach -- ./backup.sh
  partyline run --on web1 --wait 60 -- make test
  partyline run --json -- 'date -u' | jq -r .data
`;

const NEEDS_APPROVAL: ErrorCode = 'needs-approval';
/** Milliseconds for the server to say that an interrupted command has ended: as long as a stubborn one is given. */
const CONFIRM_TIMEOUT_MS = 10_000;

const LEFT = 'Ended from here (~.): the server ends what ran over this connection';

export interface RunTimes {
  readonly confirmTimeoutMs?: number;
}

export async function run(args: string[], times: RunTimes = {}): Promise<number> {
  // Node has put it in the place of what is not UTF-8, unless it was typed itself.
  const isDoubtful = args.some((word) => word.includes('\uFFFD'));
  const lost = isDoubtful ? (await import('./kit/given-words.ts')).whyNotAsTyped(args) : undefined;
  const given = lost === undefined ? readRunArguments(args) : `${lost}; nothing was started`;
  if (typeof given === 'string') {
    say(given);
    return UNREACHED_STATUS;
  }
  const { host } = given;
  const isJson = 'isJson' in given && given.isJson;
  const interruption = watchInterruption();
  try {
    const { signal } = interruption;
    const refusedAs = ({ refused, kind }: Refused): number => {
      const hint = 'hint' in given ? hintOfMachine(given, refused) : hintOfPrompt(given, refused);
      new Outlet({ host, isJson }).fail(kind === 'denied' ? 'denied' : 'lost', `${refused}${hint}`);
      return UNREACHED_STATUS;
    };
    const entering = await enterForRuns(host, { command: 'run', signal });
    if ('refused' in entering) return refusedAs(entering);
    const { client, cameIn, keep } = entering;
    // One command is asked for behind the login, whose answer may still be on its way, and the name of the server with it.
    const isAtOnce = isOfOne(given) && (!isJson || given.wishes.on !== undefined || client.serverName !== '');
    const came = isAtOnce ? client : await entered(entering, signal);
    if ('refused' in came) return refusedAs(came);
    if ('prompt' in given) {
      // Whoever is interrupted at the prompt is asked again.
      interruption.stop();
      const { prompt } = await import('./run/prompt.ts');
      const status = await prompt({ client, args: given.prompt, on: given.on });
      client.close();
      return status;
    }
    const { wishes } = given;
    const { on } = wishes;
    if (given.away !== undefined)
      return await (await import('./run/detach.ts')).detach(client, { given, interruption });
    if (on !== undefined && !isOfOne(given)) {
      const { runWide } = await import('./run/wide.ts');
      const { confirmTimeoutMs = CONFIRM_TIMEOUT_MS } = times;
      return await runWide(client, { targets: on, given, interruption, confirmTimeoutMs });
    }
    const { timeoutMs } = wishes;
    const outlet = new Outlet({ host: on?.trim() ?? client.serverName, isJson, timeoutMs });
    const terminal = given.hasTerminal ? new (await import('./terminal/lent.ts')).OwnTerminal() : undefined;
    const { hasNoInput } = given;
    const around = { outlet, interruption, terminal, hasNoInput, cameIn, keep, refusedAs, ...times };
    return await runOn(client, wishes, around);
  } catch (error) {
    if (interruption.name === undefined) throw error;
    return INTERRUPTED[interruption.name];
  } finally {
    interruption.stop();
  }
}

/** Whether it is a command, shown as it runs, on one machine or on the server itself. */
function isOfOne(given: RunArguments | PromptArguments): given is RunArguments {
  if ('prompt' in given || given.away !== undefined) return false;
  const { wishes, wide } = given;
  return wishes.on === undefined || (isOneName(wishes.on) && !wide.isDryRun && wide.out === undefined);
}

/** A machine's name in the place of the server's is what everybody types once. */
function hintOfMachine({ hint, host, wishes }: RunArguments, refused: string): string {
  const isOfName = hint !== '' && wishes.on === undefined && isOneName(host) && UNRESOLVED.test(refused);
  return isOfName ? `; for a machine that has joined: --on ${host}` : '';
}

/** One that was typed at a terminal may have been meant otherwise. */
function hintOfPrompt({ host, isHostGiven, on }: PromptArguments, refused: string): string {
  return isHostGiven && isOneName(host) && UNRESOLVED.test(refused) ? hintOfWords([host], on) : '';
}

const UNRESOLVED = /: (?:name does not resolve|the name service does not answer)$/;

interface Around extends RunTimes {
  readonly outlet: Outlet;
  readonly interruption: Interruption;
  /** Ours, for a command that runs in one. */
  readonly terminal: OwnTerminal | undefined;
  /** Ours is left alone: it is the rest of a script's, or a terminal that somebody else types at. */
  readonly hasNoInput: boolean;
  /** What the login came to, if it was refused. */
  readonly cameIn: Promise<Refused | undefined>;
  readonly keep: () => void;
  readonly refusedAs: (refused: Refused) => number;
}

async function runOn(client: NativeClient, wishes: RunWishes, around: Around): Promise<number> {
  const { outlet, interruption, terminal, hasNoInput } = around;
  const input = process.stdin;
  // Of the size that was approved, where it was; it is told of another one once it runs.
  const asked = terminal === undefined ? wishes : { terminal: terminal.size, ...wishes };
  // What somebody else has approved gets no input, unless it is a terminal that they have approved.
  const isPassedOn = !hasNoInput && (wishes.approval === undefined || terminal !== undefined);
  const handle: RunHandle = new Runs(client).start(asked, {
    onStarted: () => terminal?.lend(handle),
    onOutput(name, bytes, done, release) {
      terminal?.shown(bytes);
      outlet.write(name, bytes, done, release);
    },
    onOutputEnd: (name) => outlet.end(name),
    onInputRoom: () => {
      if (isPassedOn) input.resume();
    },
    onInputClosed: () => input.destroy(),
  });
  around.keep();
  outlet.onBroken((name) => handle.dropOutput(name));
  if (isPassedOn) passOn(input, handle, terminal);
  else handle.endInput();
  const ended = await endOf(handle, around);
  if (ended.end !== 'ended' && interruption.name === undefined && terminal?.hasLeft !== true) {
    const refused = await around.cameIn;
    if (refused !== undefined) {
      terminal?.giveBack(false);
      input.destroy();
      return around.refusedAs(refused);
    }
  }
  if (ended.end === 'refused' && ended.code === NEEDS_APPROVAL && interruption.name === undefined) {
    return await runApproved(client, asked, around);
  }
  terminal?.giveBack(ended.end === 'ended' && ended.result !== 'cancelled');
  input.destroy();
  client.close();
  if (terminal?.hasLeft) outlet.fail('lost', LEFT);
  else outlet.conclude(ended);
  await Promise.race([outlet.flushed(), interruption.happened]);
  if (interruption.name !== undefined) {
    const status = INTERRUPTED[interruption.name];
    // Whoever interrupted us is not kept waiting for a reader that has stopped.
    if (outlet.isBehind) exitNow(status);
    return status;
  }
  if (outlet.failure !== undefined) {
    say(outlet.failure);
    return UNREACHED_STATUS;
  }
  if (ended.end !== 'ended') return UNREACHED_STATUS;
  // We did not ask for that: the server did, which goes away.
  return ended.result === 'cancelled' ? UNREACHED_STATUS : ended.status;
}

/** Somebody else has to say yes first; what starts then is what they have seen. */
async function runApproved(client: NativeClient, wishes: RunWishes, around: Around): Promise<number> {
  const { outlet, interruption, terminal } = around;
  const input = process.stdin;
  if (terminal === undefined) input.destroy();
  else input.pause().removeAllListeners('data').removeAllListeners('end').removeAllListeners('error');
  const { waitForApproval } = await import('./run/approval.ts');
  const { on = client.serverName } = wishes;
  const approved = await waitForApproval(client, { wishes, hosts: [on], isJson: outlet.isJson, interruption });
  if ('approval' in approved) return runOn(client, { ...wishes, ...approved }, around);
  input.destroy();
  client.close();
  if (interruption.name !== undefined) return INTERRUPTED[interruption.name];
  outlet.fail('denied', approved.refused);
  return UNREACHED_STATUS;
}

function passOn(input: typeof process.stdin, handle: RunHandle, terminal: OwnTerminal | undefined): void {
  const write = (chunk: Uint8Array): void => {
    if (!handle.write(chunk)) input.pause();
  };
  input.on('data', (chunk: Uint8Array) => {
    if (terminal === undefined) write(chunk);
    else terminal.typed(chunk, write);
  });
  input.on('end', () => handle.endInput());
  // A directory, or a terminal that went away: as good as an end.
  input.on('error', () => handle.endInput());
  // It may have been paused, while somebody else was asked.
  input.resume();
}

/** How it ended; once we are interrupted it is asked to, and not waited for endlessly. */
async function endOf(handle: RunHandle, around: Around): Promise<RunEnd> {
  const { outlet, interruption, terminal, confirmTimeoutMs } = around;
  const withinMs = confirmTimeoutMs ?? CONFIRM_TIMEOUT_MS;
  let timer: NodeJS.Timeout | undefined;
  const unconfirmed = interruption.happened.then(() => {
    outlet.hurry();
    handle.cancel();
    const reason = `the server did not confirm within ${withinMs / 1_000} s that the command has ended`;
    return new Promise<RunEnd>((resolve) => (timer = setTimeout(() => resolve({ end: 'lost', reason }), withinMs)));
  });
  // Whoever types ~. is not to wait, least of all for a server that is not there any more: it ends what ran over a
  // connection that has ended.
  const left = terminal?.left.then((): RunEnd => {
    outlet.hurry();
    return { end: 'lost', reason: LEFT };
  });
  const ended = await Promise.race([handle.ended, unconfirmed, ...(left === undefined ? [] : [left])]);
  clearTimeout(timer);
  return ended;
}
