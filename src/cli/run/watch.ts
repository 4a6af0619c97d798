// Watching a detached run: on one host its bytes as they are, on several lines with the host before them. To stop watching
// ends nothing, and says how to come back.

import { Attached } from '../../client/attach.ts';
import type { NativeClient } from '../../client/native.ts';
import { Runs, type OutputName, type RunEnd } from '../../client/run.ts';
import { shown } from '../../client/shown.ts';
import type { ErrorCode } from '../../protocol/native/methods.ts';
import { runShow } from '../../protocol/native/methods/records.ts';
import { exitNow, INTERRUPTED, type Interruption } from '../kit/interruption.ts';
import { jsonLine } from '../kit/json-line.ts';
import { Gate, MAX_UNANSWERED } from './many.ts';
import { say } from './outlet.ts';
import { isOpen, ManyScreen, OneScreen } from './screen.ts';
import { NOT_ENDED_STATUS, UNREACHED_STATUS } from '../kit/status.ts';

export interface WatchedHost {
  readonly name: string;
  /** Which of the run's hosts it is, counted from 0. */
  readonly at: number;
}

export interface Watching {
  /** As it is called on the command line. */
  readonly command: string;
  readonly id: number;
  readonly hosts: readonly WatchedHost[];
  readonly from: number | 'end';
  readonly isJson: boolean;
  readonly isFolding: boolean;
  readonly givesInput: boolean;
  readonly interruption: Interruption;
  /** It is watched for so long at most. */
  readonly watchMs?: number | undefined;
  /** What is to be typed to come back, but for the cursor. */
  readonly comeBack: string;
}

/** setTimeout takes no more. */
const MAX_TIMER_MS = 2 ** 31 - 1;
const UNKNOWN_RECORD: ErrorCode = 'unknown-record';

/** The hosts of a run on record, by their place in it; or why there is none, in words. */
export async function hostsOf(client: NativeClient, id: number): Promise<readonly WatchedHost[] | string> {
  for (const hosts: WatchedHost[] = []; ;) {
    const answer = await client.request(runShow.name, { id, first: hosts.length });
    if ('lost' in answer) return `Cannot look at run ${id}: ${answer.lost}`;
    if ('error' in answer && answer.error.data?.code === UNKNOWN_RECORD) {
      return `Cannot look at run ${id}: there is none of that number among those that you may see`;
    }
    if ('error' in answer) return shown(answer.error.message);
    const page = runShow.parseResult(answer.result);
    if (page === undefined) return `Cannot look at run ${id}: the answer is not known here`;
    for (const { host } of page.results) hosts.push({ name: shown(host), at: hosts.length });
    if (page.next === null || page.results.length === 0) return hosts;
  }
}

/** The status to end with; whoever calls closes the client. */
export async function watch(client: NativeClient, watching: Watching): Promise<number> {
  const { hosts, interruption, watchMs } = watching;
  const stop = new Stop(interruption, watchMs);
  const runs = new Runs(client);
  const names = hosts.map(({ name }) => name);
  const showing = { ...watching, hosts: names, onUnwanted: () => stop.asUnread() };
  const screen = hosts.length === 1 ? new OneScreen(showing) : new ManyScreen(showing);
  const results = new Map<string, RunEnd>();
  const taken = new Map<string, number | undefined>();
  const gate = new Gate(MAX_UNANSWERED);
  const attach = (host: WatchedHost): Attached =>
    runs.follow((hooks) => {
      const { id, from, givesInput } = watching;
      const listener = {
        onOutput: (name: OutputName, bytes: Uint8Array, done: () => void) => {
          const after = one.position;
          screen.output(host.name, { name, bytes }, () => {
            if (!stop.hasCome) taken.set(host.name, after);
            done();
          });
        },
        onMissing: (bytes: number) => tellMissing(watching, host.name, bytes),
        onInputRoom: () => process.stdin.resume(),
        onInputClosed: () => process.stdin.destroy(),
      };
      const one: Attached = new Attached(client, { wishes: { id, host: host.at, from, givesInput }, listener, hooks });
      return one;
    });
  const follow = async (host: WatchedHost): Promise<void> => {
    await gate.enter();
    if (stop.isOver) return gate.leave();
    const one = attach(host);
    void one.answered.then(() => gate.leave());
    if (watching.givesInput) passOn(one);
    const end = await one.ended;
    if (stop.isOver) return undefined;
    results.set(host.name, end);
    return screen.ended(host.name, end);
  };
  await Promise.race([Promise.all(hosts.map(follow)), stop.came]);
  stop.conclude();
  process.stdin.destroy();
  if (stop.hasCome) screen.hurry();
  await Promise.race([screen.close(), interruption.happened]);
  if (screen.failure !== undefined) {
    say(screen.failure, watching.command);
    return UNREACHED_STATUS;
  }
  if (stop.isUnread) return 0;
  const open = hosts.filter(({ name }) => isOpen(results.get(name)));
  const [only] = hosts;
  const cursor = only !== undefined && hosts.length === 1 ? taken.get(only.name) : undefined;
  if (stop.hasCome && open.length > 0) {
    tellLeft(watching, { open, cursor });
    const status = interruption.name === undefined ? NOT_ENDED_STATUS : INTERRUPTED[interruption.name];
    if (screen.isBehind) exitNow(status);
    return status;
  }
  const [cut] = open.map(({ name }) => results.get(name));
  if (cut?.end === 'lost') tellCut(watching, { open, cursor, reason: cut.reason, isServers: isOn(client, open) });
  return screen.status(results);
}

/** The server itself is one of them: what runs there ends with it. */
function isOn({ serverName }: NativeClient, hosts: readonly WatchedHost[]): boolean {
  return hosts.some(({ name }) => name === serverName);
}

interface Left {
  readonly open: readonly WatchedHost[];
  readonly cursor: number | undefined;
}

function tellLeft(watching: Watching, left: Left): void {
  const { command, id, isJson } = watching;
  if (isJson) process.stdout.write(jsonLine(factsOf(watching, left)));
  say(`Run ${id} goes on; ${wayBack(watching, left)}`, command);
}

interface Cut extends Left {
  readonly reason: string;
  readonly isServers: boolean;
}

/** We did not leave: the connection did. */
function tellCut(watching: Watching, cut: Cut): void {
  const { command, id, isJson } = watching;
  const { reason, isServers } = cut;
  if (isJson) process.stdout.write(jsonLine({ ...factsOf(watching, cut), reason }));
  const surely = isServers ? 'unless the server has ended, on which it is' : 'as far as is known';
  say(`The connection ended: ${reason}. Run ${id} goes on, ${surely}; ${wayBack(watching, cut)}`, command);
}

function factsOf({ id }: Watching, { open, cursor }: Left) {
  return { id, goesOn: open.map(({ name }) => name), cursor: cursor ?? null };
}

function wayBack({ comeBack }: Watching, { cursor }: Left): string {
  return `${comeBack}${cursor === undefined ? '' : ` --from ${cursor}`} shows the rest`;
}

function tellMissing({ command, isJson }: Watching, host: string, bytes: number): void {
  if (isJson) process.stdout.write(jsonLine({ host, truncated: bytes }));
  say(`${bytes} bytes of what ${host} said are not kept any more`, command);
}

function passOn(attached: Attached): void {
  const input = process.stdin;
  input.on('data', (chunk: Uint8Array) => {
    if (!attached.write(chunk)) input.pause();
  });
  input.on('end', () => attached.endInput());
  // A directory, or a terminal that went away: as good as an end.
  input.on('error', () => attached.endInput());
}

/** Why watching stops before the run does. */
class Stop {
  readonly came: Promise<void>;
  readonly #come: () => void;
  readonly #timer: NodeJS.Timeout | undefined;
  #hasCome = false;
  #isUnread = false;
  #isOver = false;

  constructor(interruption: Interruption, watchMs: number | undefined) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.came = promise;
    this.#come = resolve;
    void interruption.happened.then(() => this.stop());
    if (watchMs !== undefined) this.#timer = setTimeout(() => this.stop(), Math.min(watchMs, MAX_TIMER_MS));
  }

  get hasCome(): boolean {
    return this.#hasCome;
  }

  /** Nobody reads what we print any more. */
  get isUnread(): boolean {
    return this.#isUnread;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  stop(): void {
    this.#hasCome = true;
    this.#come();
  }

  asUnread(): void {
    this.#isUnread = true;
    this.stop();
  }

  /** It is not watched any more, for whatever reason. */
  conclude(): void {
    clearTimeout(this.#timer);
    this.#isOver = true;
  }
}
