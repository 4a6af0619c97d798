// An entry of the chain as a text, which is what is hashed and stored, and back. docs/protocol/native.md has the form of it,
// so that anybody can check a chain.

import { createHash } from 'node:crypto';
import type { Name } from '../core/name.ts';
import type { RunResult } from '../core/ports.ts';
import type { DetachKey } from '../core/run/detached.ts';
import type { AskedCommand } from '../core/run/policy.ts';
import type { RecordedResult } from '../core/run/why.ts';
import type {
  EntryNumber,
  Hash,
  KeptBytes,
  KeptOutput,
  RunEntry,
  RunFinished,
  RunId,
  RunOnHost,
  RunRefused,
  RunStarted,
  Setting,
  StoredRun,
  StreamFacts,
  Streams,
  Unapproved,
  UnendedRun,
  Unstarted,
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

/** Reads like the wire's, and is not that one: it is hashed, and so it stays as it is whatever becomes of the wire's. */
type PackedCommand =
  | { readonly shell: string }
  | { readonly argv: readonly string[] }
  | { readonly verb: string; readonly args: readonly string[] };

interface Asked {
  readonly number: EntryNumber;
  readonly run: RunId;
  readonly at: string;
  readonly by: Name;
  readonly as?: Name;
  readonly member: number;
  readonly from: string;
  /** Missing: that of the run's first entry. */
  readonly command?: PackedCommand;
  /** These three follow the command, and are missing too in entries that an earlier version has made. */
  readonly cwd?: string | null;
  readonly env?: readonly string[];
  readonly terminal?: boolean;
}

export type PackedEntry =
  | (Asked & {
      readonly type: 'started';
      readonly host: string;
      readonly detached?: DetachKey;
      /** Name and number of the account, and the digest of the request. */
      readonly approvedBy?: Name;
      /** Missing in entries that an earlier version has made, though it names somebody. */
      readonly approver?: number;
      readonly approval?: Hash;
    })
  | (Asked & {
      readonly type: 'refused';
      readonly hosts: readonly string[];
      readonly result: Unstarted['result'];
      readonly reason?: string;
      readonly leftOut?: number;
      /** Of a request that nobody approved: since when it waited, and how that ended. */
      readonly asked?: string;
      readonly how?: Unapproved['how'];
    })
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

function pack(entry: RunEntry, place: Place): PackedEntry {
  switch (entry.type) {
    case 'started':
      return {
        ...packAsked('started', { ...entry, ...place }),
        host: entry.host,
        ...(entry.detached === undefined ? {} : { detached: entry.detached }),
        ...packApproved(entry),
        ...packFirst(entry, place),
      };
    case 'refused': {
      const { hosts, result, leftOut, request } = entry;
      const reason = 'reason' in result ? { reason: result.reason } : {};
      const asked = packAsked('refused', { ...entry, ...place });
      const others = leftOut === undefined ? {} : { leftOut };
      const waited = request && { asked: new Date(request.askedMs).toISOString(), how: request.how };
      return { ...asked, hosts, ...packFirst(entry, place), result: result.result, ...reason, ...others, ...waited };
    }
    case 'ended':
      return packEnd(entry, place);
  }
}

function packAsked<Type extends 'started' | 'refused'>(type: Type, entry: (RunStarted | RunRefused) & Place) {
  const { number, run, atMs, byName, asName, by, address } = entry;
  const as = asName === undefined ? {} : { as: asName };
  return { number, type, run, at: new Date(atMs).toISOString(), by: byName, ...as, member: by, from: address };
}

function packApproved({ approved }: RunStarted) {
  if (approved === undefined) return {};
  const { by: approvedBy, member: approver, hash: approval } = approved;
  return { approvedBy, approver, approval };
}

function packFirst({ command, setting }: RunStarted | RunRefused, { isFirst }: Place) {
  const { cwd = null, env, hasTerminal: terminal } = setting;
  return isFirst ? { command: packCommand(command), cwd, env, terminal } : {};
}

function packCommand(command: AskedCommand): PackedCommand {
  switch (command.kind) {
    case 'shell':
      return { shell: command.line };
    case 'argv':
      return { argv: command.argv };
    case 'verb':
      return { verb: command.verb, args: command.args };
  }
}

function packEnd({ run, start, atMs, result, streams }: RunFinished, { number }: Place): PackedEntry {
  return {
    number,
    type: 'ended',
    run,
    start,
    at: new Date(atMs).toISOString(),
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

/** It is to end; who said so may have been written down. */
export interface Condemned {
  readonly by: Name | undefined;
}

/** Of a start that has no end. */
export function unendedOf(text: string, condemned: Condemned | undefined): UnendedRun | undefined {
  const entry = parseEntry(text);
  if (entry.type !== 'started') return undefined;
  const { run, number: start, host, member: by, detached: key } = entry;
  const { by: condemnedBy } = condemned ?? {};
  const isCondemned = condemned === undefined ? {} : { isCondemned: true as const };
  const who = condemnedBy === undefined ? {} : { condemnedBy };
  return { run, start, ...isCondemned, ...who, ...(key === undefined ? {} : { detached: { key, host, by } }) };
}

/** A run, of all its entries in their order; undefined without its start. */
export function runOf(entries: readonly PackedEntry[]): StoredRun | undefined {
  const hosts = new Map<EntryNumber, readonly RunOnHost[]>();
  let run: Omit<StoredRun, 'hosts'> | undefined;
  let approved: StoredRun['approved'];
  let leftOut: number | undefined;
  let request: Unapproved | undefined;
  for (const entry of entries) {
    const atMs = Date.parse(entry.at);
    if (entry.type !== 'ended') run ??= askedIn(entry);
    switch (entry.type) {
      case 'started':
        approved ??= approvedIn(entry);
        hosts.set(entry.number, [
          {
            host: entry.host,
            startedMs: atMs,
            end: undefined,
            ...(entry.detached === undefined ? {} : { detached: entry.detached }),
          },
        ]);
        break;
      case 'refused': {
        leftOut ??= entry.leftOut;
        const waited = requestIn(entry);
        request ??= waited;
        const startedMs = waited?.askedMs ?? atMs;
        const end = { atMs, result: unstartedOf(entry), streams: undefined };
        hosts.set(
          entry.number,
          entry.hosts.map((host) => ({ host, startedMs, end })),
        );
        break;
      }
      case 'ended': {
        const streams = entry.streams === null ? undefined : unpackStreams(entry.streams);
        const end = { atMs, result: resultOf(entry), streams };
        const [started] = hosts.get(entry.start) ?? [];
        if (started !== undefined) hosts.set(entry.start, [{ ...started, end }]);
        break;
      }
    }
  }
  const more = {
    ...(approved === undefined ? {} : { approved }),
    ...(leftOut === undefined ? {} : { leftOut }),
    ...(request === undefined ? {} : { request }),
  };
  return run && { ...run, ...more, hosts: [...hosts.values()].flat() };
}

function requestIn({ asked, how }: Extract<PackedEntry, { type: 'refused' }>): Unapproved | undefined {
  return asked === undefined || how === undefined ? undefined : { askedMs: Date.parse(asked), how };
}

function approvedIn({ approvedBy: by, approval: hash }: Extract<PackedEntry, { type: 'started' }>) {
  return by === undefined || hash === undefined ? undefined : { by, hash };
}

function askedIn({ run: id, by: byName, as, member: by, from: address, command, ...entry }: Asked) {
  const asName = as === undefined ? {} : { asName: as };
  return command && { id, by, byName, ...asName, address, command: commandOf(command), ...settingIn(entry) };
}

function settingIn({ cwd, env, terminal }: Pick<Asked, 'cwd' | 'env' | 'terminal'>): { readonly setting?: Setting } {
  if (cwd === undefined || env === undefined || terminal === undefined) return {};
  return { setting: { cwd: cwd ?? undefined, env, hasTerminal: terminal } };
}

function unpackStreams({ stdin, stdout, stderr }: Streams<PackedOutput>): Streams<StreamFacts & KeptBytes> {
  return { stdin, stdout: unpackOutput(stdout), stderr: unpackOutput(stderr) };
}

function unpackOutput({ bytes, sha256, head, tail }: PackedOutput): StreamFacts & KeptBytes {
  return { bytes, sha256, head, tail };
}

function commandOf(command: PackedCommand): AskedCommand {
  if ('verb' in command) return { kind: 'verb', verb: command.verb, args: command.args };
  return 'shell' in command ? { kind: 'shell', line: command.shell } : { kind: 'argv', argv: command.argv };
}

function unstartedOf({ result, reason = '' }: Extract<PackedEntry, { type: 'refused' }>): Unstarted {
  return result === 'denied' ? { result, status: null, reason } : { result, status: null };
}

function resultOf({ result, status, signal, reason }: Extract<PackedEntry, { type: 'ended' }>): RecordedResult {
  const fields = {
    result,
    status,
    ...(signal === undefined ? {} : { signal }),
    ...(reason === undefined ? {} : { reason }),
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it was one when it was stored
  return fields as RecordedResult;
}

/** The entry of an end, for the host that is so many-th in the run. */
export function endOf(entries: readonly PackedEntry[], at: number): EntryNumber | undefined {
  const starts = entries.flatMap((entry) => {
    if (entry.type === 'refused') return entry.hosts.map(() => entry.number);
    return entry.type === 'started' ? [entry.number] : [];
  });
  return entries.find((entry) => entry.type === 'ended' && entry.start === starts[at])?.number;
}
