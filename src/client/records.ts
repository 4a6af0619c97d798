// Runs on record, however many hosts and bytes they have: page by page.

import type { OutputName } from './run.ts';
import type { ResultOf, RunDetails } from './answers.ts';
import type { runOutput, runShow } from '../protocol/native/methods/records.ts';

/** Which output: `host` is its place among the run's results. */
export interface OutputPlace {
  readonly host: number;
  readonly stream: OutputName;
}

type AskRun = (page: { readonly id: number; readonly first?: number }) => Promise<ResultOf<typeof runShow>>;
type AskOutput = (page: OutputPlace & { id: number; first: number }) => Promise<ResultOf<typeof runOutput>>;

export async function readRun(ask: AskRun, id: number): Promise<RunDetails> {
  const { next, results, hostsLeftOut, hosts, ...run } = await ask({ id });
  const all = [...results];
  for (let first = next; first !== null;) {
    const page = await ask({ id, first });
    all.push(...page.results);
    first = page.next;
  }
  return { ...run, hosts: hostsLeftOut === undefined ? hosts : all.map(({ host }) => host), results: all };
}

export async function* readOutput(
  ask: AskOutput,
  of: OutputPlace & { readonly id: number },
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let first: number | null = 0; first !== null;) {
    const page: ResultOf<typeof runOutput> = await ask({ ...of, first });
    yield Uint8Array.fromBase64(page.data);
    first = page.next;
  }
}
