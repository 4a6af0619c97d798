// `partyline run --on TARGETS` where they are not one name: which machines, whether they are meant, how far it has come,
// and what came of it.

import { fstatSync } from 'node:fs';
import type { NativeClient } from '../../client/native.ts';
import { quote } from '../../protocol/text.ts';
import { makeDirectory } from '../../config/directory.ts';
import { codeOf, wordsFor } from '../../config/files.ts';
import { exitNow, INTERRUPTED, type Interruption } from '../kit/interruption.ts';
import { Questions } from '../kit/input.ts';
import { isInForeground } from '../terminal/foreground.ts';
import { jsonLine } from '../kit/json-line.ts';
import { runOnMany } from './many.ts';
import type { RunArguments } from './arguments.ts';
import { emptyFiles, faultOfFiles, FileView } from './files.ts';
import { confirm, isWide, resolveTargets, wordsForTargets, type Resolved, type TargetHost } from './targets.ts';
import { FoldedView, JsonView, type Drop, type View } from './view.ts';
import { UNREACHED_STATUS } from '../kit/status.ts';
import { summarise } from '../../protocol/summary.ts';
import { formatProgress, overallStatus } from './summary.ts';

/** Columns of a terminal that does not say how many it has. */
const COLUMNS = 80;
/** Clears the line that the cursor is in. */
const CLEAR = '\r\u001b[K';

interface Wide {
  readonly targets: string;
  readonly given: RunArguments;
  readonly interruption: Interruption;
  readonly confirmTimeoutMs: number;
}

/** The status to end with; the client is closed then. */
export async function runWide(client: NativeClient, wide: Wide): Promise<number> {
  try {
    return await carryOut(client, wide);
  } finally {
    client.close();
  }
}

async function carryOut(
  client: NativeClient,
  { targets, given, interruption, confirmTimeoutMs }: Wide,
): Promise<number> {
  const { wide, isJson } = given;
  const chosen = await chooseTargets(client, { targets, given, interruption });
  if (typeof chosen === 'number') return chosen;
  const { hosts, needsApproval } = chosen;
  const names = hosts.map(({ name }) => name);
  let { wishes } = given;
  if (needsApproval && wide.hasInput) {
    return fail('--stdin: what somebody approves gets no input; nothing was started');
  }
  // Before anybody is asked: what they approve would be lost.
  const unwritable = wide.out === undefined ? undefined : (makeOut(wide.out) ?? faultOfFiles(wide.out, names));
  if (unwritable !== undefined) return fail(unwritable);
  if (needsApproval) {
    const { waitForApproval } = await import('./approval.ts');
    const approved = await waitForApproval(client, { wishes, hosts: names, isJson, interruption });
    if (interruption.name !== undefined) return INTERRUPTED[interruption.name];
    if ('refused' in approved) return deny(approved.refused, { targets, isJson });
    wishes = { ...wishes, ...approved };
  }
  const unemptied = wide.out === undefined ? undefined : emptyFiles(wide.out, names);
  if (unemptied !== undefined) return fail(unemptied);
  const progress = new Progress(hosts.length, isJson);
  const { results, view } = await runOnMany({
    client,
    hosts,
    wishes,
    viewFor: (drop) => viewFor(given, { hosts, progress, drop }),
    interruption,
    confirmTimeoutMs,
    batch: wide.batch,
    stopAfter: wide.stopAfter,
    hasInput: wide.hasInput,
    onProgress: (running, done) => progress.show(running, done.size),
  });
  progress.clear();
  if (!isJson) for (const { text } of summarise(results)) process.stderr.write(`${text}\n`);
  if (interruption.name !== undefined) {
    const status = INTERRUPTED[interruption.name];
    // Whoever interrupted us is not kept waiting for a reader that has stopped.
    if (view.isBehind) exitNow(status);
    return status;
  }
  if (view.failure !== undefined) return fail(view.failure);
  // We did not ask for that: the server did, which goes away.
  if (results.values().some(({ result }) => result === 'cancelled')) return UNREACHED_STATUS;
  return overallStatus(results.values());
}

/** The machines that are meant, once that is sure; a number is the status to end with, and nothing is to start. */
export async function chooseTargets(
  client: NativeClient,
  { targets, given, interruption }: Omit<Wide, 'confirmTimeoutMs'>,
): Promise<Resolved | number> {
  const { wishes, wide, isJson } = given;
  const resolved = await resolveTargets(client, {
    targets,
    command: wishes.command,
    cwd: wishes.cwd,
    isDryRun: wide.isDryRun,
  });
  if ('refused' in resolved) return deny(resolved.refused, { targets, isJson });
  const { hosts } = resolved;
  if (wide.isDryRun) return showTargets(resolved, isJson);
  if (!isJson) say(wordsForTargets(hosts));
  if (wide.hasInput && hosts.length > wide.batch) {
    return fail(
      `--stdin goes to all at once: ${hosts.length} machines, and ${wide.batch} at once; nothing was started`,
    );
  }
  if (!wide.isConfirmed && isWide(targets, hosts)) {
    const questions = given.hasNoInput ? undefined : new Questions();
    const refused = await Promise.race([confirm(hosts, questions), interruption.happened]);
    if (interruption.name !== undefined) return INTERRUPTED[interruption.name];
    if (refused !== undefined) return fail(refused);
  }
  return resolved;
}

function deny(reason: string, { targets, isJson }: { targets: string; isJson: boolean }): number {
  if (isJson) process.stdout.write(jsonLine({ host: targets, result: 'denied', status: null, reason }));
  return fail(reason);
}

/** What is said otherwise than of a file. */
const UNMADE: Readonly<Record<string, string>> = {
  EEXIST: 'it is a file',
  ENOTDIR: 'a part of that path is a file',
  ENOENT: 'none can be made there',
};

/** Why there is no such directory. */
function makeOut(path: string): string | undefined {
  try {
    makeDirectory(path, 0o777);
    return undefined;
  } catch (error) {
    const why = UNMADE[codeOf(error)] ?? wordsFor(error);
    return `Cannot make the directory ${quote(path)}: ${why}; nothing was started`;
  }
}

interface ViewWishes {
  readonly hosts: readonly TargetHost[];
  readonly progress: Progress;
  readonly drop: Drop;
}

function viewFor({ isJson, wide }: RunArguments, { hosts, progress, drop }: ViewWishes): View {
  const names = hosts.map(({ name }) => name);
  const view = isJson
    ? new JsonView(drop)
    : new FoldedView(names, { isFolding: wide.isFolding, onPrint: () => progress.clear(), drop });
  return wide.out === undefined ? view : new FileView(wide.out, { drop, ends: view });
}

/** One a line on stdout: for a look, and for other programs. */
function showTargets({ hosts, needsApproval }: Resolved, isJson: boolean): number {
  for (const { name, state } of hosts) {
    process.stdout.write(
      isJson ? jsonLine({ host: name, state }) : `${name}${state === 'offline' ? '  offline' : ''}\n`,
    );
  }
  const approval = needsApproval ? '; somebody else would have to approve it' : '';
  if (!isJson) say(`${wordsForTargets(hosts)}${approval}; nothing was started`);
  return 0;
}

/** Whoever reads a pipe may print to the very terminal (`| head`, `| jq`), when we cannot know of it. */
function isPipe(fd: number): boolean {
  return fstatSync(fd).isFIFO();
}

/** One line on a terminal, which gives way to whatever else we print; there is none where others print between, or type. */
class Progress {
  readonly #total: number;
  readonly #isWanted: boolean;
  #isShown = false;

  constructor(total: number, isJson: boolean) {
    this.#total = total;
    this.#isWanted = process.stderr.isTTY && !isJson && !isPipe(process.stdout.fd);
  }

  show(running: readonly string[], done: number): void {
    if (!this.#isWanted || !isInForeground()) return;
    const width = process.stderr.columns || COLUMNS;
    process.stderr.write(`${CLEAR}${formatProgress({ total: this.#total, done, running }, width)}`);
    this.#isShown = true;
  }

  clear(): void {
    if (this.#isShown && isInForeground()) process.stderr.write(CLEAR);
    this.#isShown = false;
  }
}

function fail(reason: string): number {
  say(reason);
  return UNREACHED_STATUS;
}

function say(text: string): void {
  process.stderr.write(`partyline run: ${text}\n`);
}
