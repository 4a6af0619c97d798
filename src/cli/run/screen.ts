// What is seen of a detached run that is watched: of one host its bytes as they are, of several lines with the host before
// them.

import type { OutputName, RunEnd } from '../../client/run.ts';
import { summarise, type HostResult } from '../../protocol/summary.ts';
import { UNREACHED_STATUS } from '../kit/status.ts';
import { reasonOf, resultOf } from './many.ts';
import { Outlet, say } from './outlet.ts';
import { overallStatus } from './summary.ts';
import { FoldedView, JsonView, type View } from './view.ts';

interface Said {
  readonly name: OutputName;
  readonly bytes: Uint8Array;
}

export interface Screen {
  output(host: string, said: Said, done: () => void): void;
  ended(host: string, end: RunEnd): void;
  hurry(): void;
  /** All that was given is out. */
  close(): Promise<void>;
  status(results: ReadonlyMap<string, RunEnd>): number;
  readonly failure: string | undefined;
  readonly isBehind: boolean;
}

export interface Showing {
  readonly hosts: readonly string[];
  readonly isJson: boolean;
  readonly isFolding: boolean;
  /** As it is called on the command line. */
  readonly command: string;
  /** Nobody reads what we print any more. */
  readonly onUnwanted: () => void;
}

export class OneScreen implements Screen {
  readonly #outlet: Outlet;
  readonly #command: string;

  constructor({ hosts: [host = ''], isJson, command, onUnwanted }: Showing) {
    this.#command = command;
    this.#outlet = new Outlet({ host, isJson, command });
    this.#outlet.onBroken(onUnwanted);
  }

  get failure(): string | undefined {
    return this.#outlet.failure;
  }

  get isBehind(): boolean {
    return this.#outlet.isBehind;
  }

  output(_host: string, { name, bytes }: Said, done: () => void): void {
    this.#outlet.write(name, bytes, done);
  }

  ended(host: string, end: RunEnd): void {
    this.#outlet.end('stdout');
    this.#outlet.end('stderr');
    if (!mayGoOn(end)) this.#outlet.conclude(end);
    // Its status alone could be the command's own.
    const isCancelled = end.end === 'ended' && end.result === 'cancelled' && end.reason === undefined;
    if (isCancelled && !this.#outlet.isJson) say(`The run on ${host} was cancelled`, this.#command);
  }

  hurry(): void {
    this.#outlet.hurry();
  }

  close(): Promise<void> {
    return this.#outlet.flushed();
  }

  status(results: ReadonlyMap<string, RunEnd>): number {
    const [end] = results.values();
    if (end?.end !== 'ended') return UNREACHED_STATUS;
    return end.status;
  }
}

export class ManyScreen implements Screen {
  readonly #view: View;
  readonly #isJson: boolean;
  readonly #command: string;

  constructor({ hosts, isJson, isFolding, command, onUnwanted }: Showing) {
    this.#isJson = isJson;
    this.#command = command;
    const drop = onUnwanted;
    this.#view = isJson ? new JsonView(drop) : new FoldedView(hosts, { isFolding, onPrint: () => {}, drop });
  }

  get failure(): string | undefined {
    return this.#view.failure;
  }

  get isBehind(): boolean {
    return this.#view.isBehind;
  }

  output(host: string, { name: stream, bytes }: Said, done: () => void): void {
    this.#view.output(host, { stream, bytes }, done);
  }

  ended(host: string, end: RunEnd): void {
    this.#view.outputEnd(host, 'stdout');
    this.#view.outputEnd(host, 'stderr');
    const goesOn = mayGoOn(end);
    if (goesOn && this.#isJson) return;
    // Nothing has become of it yet: why it is watched no more is told once, for all.
    this.#view.ended(host, resultOf(end), goesOn ? undefined : reasonOf(end));
    // A denial is among the lines.
    if (end.end === 'refused' && end.code === 'offline' && !this.#isJson) say(end.message, this.#command);
  }

  hurry(): void {
    this.#view.hurry();
  }

  close(): Promise<void> {
    return this.#view.close();
  }

  status(results: ReadonlyMap<string, RunEnd>): number {
    const all = new Map<string, HostResult>(Array.from(results, ([name, end]) => [name, resultOf(end)]));
    const told = new Map(Array.from(all).filter(([name]) => !isOpen(results.get(name))));
    if (!this.#isJson) for (const { text } of summarise(told)) process.stderr.write(`${text}\n`);
    return overallStatus(all.values());
  }
}

/** It was not told how it ended: it may not have. */
export function isOpen(end: RunEnd | undefined): boolean {
  return end === undefined || mayGoOn(end);
}

function mayGoOn(end: RunEnd): boolean {
  return end.end === 'lost' && end.mayGoOn === true;
}
