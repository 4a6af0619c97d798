// An entry of the chain as a text, which is what is hashed and stored, and back. docs/protocol/native.md has the form of it,
// so that anybody can check a chain.

import { createHash } from 'node:crypto';
import type { Name } from '../core/name.ts';
import type { RunCommand, RunResult } from '../core/ports.ts';
import type {
  EntryNumber,
  Hash,
  KeptBytes,
  KeptOutput,
  RunEntry,
  RunId,
  StoredRun,
  StreamFacts,
  Streams,
} from '../core/run/record.ts';

/** The hash of an entry: of the 32 bytes of the one before and the text in UTF-8. */
export function hashOf(before: Hash, text: string): Hash {
  return createHash('sha256').update(Buffer.from(before, 'hex')).update(text, 'utf8').digest('hex');
}

/** Of what is kept: it is bound to the entry without being in it. */
export function digestOfKept({ head, tail }: KeptOutput): Hash {
  return createHash('sha256').update(head).update(tail).digest('hex');
}

/** As `kept` has it: how much, and its digest. */
type PackedOutput = StreamFacts & KeptBytes & { readonly kept: Hash };

type PackedCommand = { readonly shell: string } | { readonly argv: readonly string[] };

export type PackedEntry =
  | {
      readonly number: EntryNumber;
      readonly type: 'started';
      readonly run: RunId;
      readonly at: string;
      readonly by: Name;
      readonly member: number;
      readonly from: string;
      readonly host: string;
      /** Missing: that of the run's first entry. */
      readonly command?: PackedCommand;
    }
  | {
      readonly number: EntryNumber;
      readonly type: 'ended';
      readonly run: RunId;
      readonly start: EntryNumber;
      readonly at: string;
      readonly result: RunResult['result'];
      readonly status: number | null;
      readonly signal?: number;
      readonly reason?: string;
      readonly streams: Streams<PackedOutput> | null;
    };

export interface Place {
  readonly number: EntryNumber;
  /** Of its run: the others do not repeat the command, which may be long. */
  readonly isFirst: boolean;
}

/** The order of the fields is part of the form. */
export function formatEntry(entry: RunEntry, place: Place): string {
  return JSON.stringify(pack(entry, place));
}

function pack(entry: RunEntry, { number, isFirst }: Place): PackedEntry {
  const { run } = entry;
  const at = new Date(entry.atMs).toISOString();
  if (entry.type === 'started') {
    const { byName, by, address, host, command } = entry;
    const started = { number, type: 'started', run, at, by: byName, member: by, from: address, host } as const;
    if (!isFirst) return started;
    return { ...started, command: command.kind === 'shell' ? { shell: command.line } : { argv: command.argv } };
  }
  const { start, result, streams } = entry;
  return {
    number,
    type: 'ended',
    run,
    start,
    at,
    result: result.result,
    status: result.status,
    ...('signal' in result ? { signal: result.signal } : {}),
    ...('reason' in result ? { reason: result.reason } : {}),
    streams: streams === undefined ? null : packStreams(streams),
  };
}

function packStreams({ stdin, stdout, stderr }: Streams<StreamFacts & KeptOutput>): Streams<PackedOutput> {
  return {
    stdin: { bytes: stdin.bytes, sha256: stdin.sha256 },
    stdout: packOutput(stdout),
    stderr: packOutput(stderr),
  };
}

function packOutput({ bytes, sha256, head, tail }: StreamFacts & KeptOutput): PackedOutput {
  return { bytes, sha256, head: head.length, tail: tail.length, kept: digestOfKept({ head, tail }) };
}

/** Only of a text that was stored; whoever doubts it verifies the chain first. */
export function parseEntry(text: string): PackedEntry {
  return JSON.parse(text);
}

/** A run, of all its entries in their order; undefined without its start. */
export function runOf(entries: readonly PackedEntry[]): StoredRun | undefined {
  const hosts = new Map<EntryNumber, StoredRun['hosts'][number]>();
  let run: Omit<StoredRun, 'hosts'> | undefined;
  for (const entry of entries) {
    const atMs = Date.parse(entry.at);
    if (entry.type === 'started') {
      const { run: id, by: byName, member: by, from: address, command } = entry;
      if (command !== undefined) run ??= { id, by, byName, address, command: commandOf(command) };
      hosts.set(entry.number, { host: entry.host, startedMs: atMs, end: undefined });
      continue;
    }
    const started = hosts.get(entry.start);
    if (started === undefined) continue;
    const streams = entry.streams === null ? undefined : unpackStreams(entry.streams);
    const end = { atMs, result: resultOf(entry), streams };
    hosts.set(entry.start, { ...started, end });
  }
  return run && { ...run, hosts: [...hosts.values()] };
}

function unpackStreams({ stdin, stdout, stderr }: Streams<PackedOutput>): Streams<StreamFacts & KeptBytes> {
  return { stdin, stdout: unpackOutput(stdout), stderr: unpackOutput(stderr) };
}

function unpackOutput({ bytes, sha256, head, tail }: PackedOutput): StreamFacts & KeptBytes {
  return { bytes, sha256, head, tail };
}

function commandOf(command: PackedCommand): RunCommand {
  return 'shell' in command ? { kind: 'shell', line: command.shell } : { kind: 'argv', argv: command.argv };
}

function resultOf({ result, status, signal, reason }: Extract<PackedEntry, { type: 'ended' }>): RunResult {
  const fields = {
    result,
    status,
    ...(signal === undefined ? {} : { signal }),
    ...(reason === undefined ? {} : { reason }),
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it was one when it was stored
  return fields as RunResult;
}

/** The entry of an end, for the host that is so many-th in the run. */
export function endOf(entries: readonly PackedEntry[], at: number): EntryNumber | undefined {
  const start = entries.filter(({ type }) => type === 'started')[at]?.number;
  return entries.find((entry) => entry.type === 'ended' && entry.start === start)?.number;
}
