// What `partyline doctor` looks at: each check says what it found, how that is, and what to do about it.

import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs';
import { connect as connectTo, createServer, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { dirname, join } from 'node:path';
import { parseServerAddress } from '../../net/address.ts';
import { isLinkLocalAddress, isLoopbackAddress, normaliseAddress } from '../../net/peer.ts';
import { findHold, type Holding, MARK_VARIABLE } from '../../runner/hold.ts';
import { JOURNAL_FILE } from '../kit/journal.ts';
import { localTime } from '../kit/time.ts';

export interface Finding {
  readonly check: string;
  readonly state: 'ok' | 'warning' | 'problem';
  readonly found: string;
  /** What to do about it. */
  readonly todo?: string;
}

/** The major version that the program is written for: what is older lacks parts of the platform that it uses. */
const NODE_MAJOR = 26;
/** Bytes free below which a journal that grows for a day may fill the disk, and below which it does so now. */
const LITTLE_SPACE_BYTES = 1_073_741_824;
const NO_SPACE_BYTES = 104_857_600;
/** Milliseconds that clocks of one machine and its disks may differ. */
const CLOCK_SLACK_MS = 60_000;
/** Milliseconds for an address to answer: a round trip through most of the world, and a lost packet. */
export const CONNECT_TIMEOUT_MS = 3_000;
/** What is bound to every address of a family is tried at that family's loopback. */
const EVERY: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };
export function dialledFor(bound: string): string {
  return EVERY[bound] ?? bound;
}

/** Of group and others, the right to write. */
const OTHERS_WRITE = 0o022;

export function checkNode(version: string): Finding {
  const major = Number(/^v(\d+)\./.exec(version)?.[1] ?? 0);
  const found = `Node ${version}`;
  if (major >= NODE_MAJOR) return { check: 'node', state: 'ok', found };
  return { check: 'node', state: 'problem', found, todo: `use Node ${NODE_MAJOR}: npm ci brings it` };
}

/** `listen` tries to listen on an address; a test brings its own. */
export async function checkFamilies(listen: (address: string) => Promise<boolean> = canListen): Promise<Finding[]> {
  const works = { IPv4: await listen('127.0.0.1'), IPv6: await listen('::1') };
  const lacks = Object.entries(works).flatMap(([family, isThere]) => (isThere ? [] : [family]));
  const check = 'families';
  if (lacks.length === 0) return [{ check, state: 'ok', found: 'both loopbacks work, 127.0.0.1 and ::1' }];
  const todo = `see whether the kernel and the container have ${lacks.join(' and ')}`;
  if (lacks.length === 2) return [{ check, state: 'problem', found: 'neither loopback can be listened on', todo }];
  return [{ check, state: 'warning', found: `the loopback of ${lacks[0]} cannot be listened on`, todo }];
}

export function checkAddresses(interfaces = networkInterfaces()): Finding {
  const addresses = Object.values(interfaces).flatMap((all) => (all ?? []).map(({ address }) => address));
  const beyond = addresses.filter(
    (address) => !isLoopbackAddress(normaliseAddress(address)) && !isLinkLocalAddress(address),
  );
  const found =
    beyond.length === 0 ? 'no addresses but loopback' : `others may reach this machine at ${beyond.join(', ')}`;
  return { check: 'addresses', state: 'ok', found };
}

export interface Listening {
  /** Where a server says, or is thought, to listen. */
  readonly urls: readonly string[];
  /** Whether nobody asked for one family alone. */
  readonly isOfBothFamilies: boolean;
  /** Tries one; a test brings its own. */
  readonly connect?: (address: string, port: number) => Promise<boolean>;
}

export async function checkListening({ urls, isOfBothFamilies, connect = canConnect }: Listening): Promise<Finding[]> {
  const check = 'listening';
  const families = new Set<string>();
  const findings: Finding[] = [];
  for (const url of urls) {
    const address = parseServerAddress(url);
    if ('refused' in address) continue;
    const { host, port, scheme } = address;
    const family = isIPv6(host) ? 'IPv6' : 'IPv4';
    const takes = await connect(dialledFor(host), port);
    if (takes && scheme !== 'echo') families.add(family);
    findings.push(
      takes
        ? { check, state: 'ok', found: `${url} takes connections (${family})` }
        : { check, state: 'warning', found: `${url} takes no connections (${family})`, todo: 'start a server there' },
    );
  }
  const [missing, ...more] = ['IPv4', 'IPv6'].filter((family) => !families.has(family));
  if (missing === undefined || more.length > 0 || !isOfBothFamilies) return findings;
  const todo = 'partyline serve --listen tcp://localhost:7270 listens on both loopbacks';
  return [...findings, { check, state: 'warning', found: `no server answers over ${missing}`, todo }];
}

export function checkDirectory(directory: string): Finding[] {
  const check = 'directory';
  const there = nearest(directory);
  const todo = 'give another with --data or PARTYLINE_DATA, or mend its rights';
  const { mode, uid, isDirectory } = lookAt(there);
  if (!isDirectory) return [{ check, state: 'problem', found: `${there} is not a directory`, todo: ELSEWHERE }];
  if (there === directory && !isTrusted(uid)) {
    const found = `${directory} belongs to another user (id ${uid}); no server of yours starts on it`;
    return [{ check, state: 'problem', found, todo: ELSEWHERE }];
  }
  try {
    accessSync(there, constants.W_OK);
  } catch {
    return [{ check, state: 'problem', found: `${there} cannot be written to`, todo }];
  }
  if (there === directory && process.platform !== 'win32' && (mode & OTHERS_WRITE) !== 0) {
    return [
      {
        check,
        state: 'problem',
        found: `others may write to ${directory}; no server starts on it`,
        todo: `chmod 700 ${directory}`,
      },
    ];
  }
  const found =
    there === directory ? `${directory} can be written to` : `${directory} is not there yet and can be made`;
  return [{ check, state: 'ok', found }, checkSpace(there)];
}

function checkSpace(directory: string): Finding {
  const { bavail, bsize } = statfsSync(directory);
  return judgeSpace(bavail * bsize);
}

export function judgeSpace(bytes: number): Finding {
  const found = `${Math.floor(bytes / 1_048_576)} MiB are free`;
  const check = 'space';
  if (bytes >= LITTLE_SPACE_BYTES) return { check, state: 'ok', found };
  const todo = 'make room: what cannot be stored is refused';
  return { check, state: bytes < NO_SPACE_BYTES ? 'problem' : 'warning', found, todo };
}

const ELSEWHERE = 'give another with --data or PARTYLINE_DATA';

function lookAt(path: string): { readonly mode: number; readonly uid: number; readonly isDirectory: boolean } {
  const found = statSync(path);
  return { mode: found.mode, uid: found.uid, isDirectory: found.isDirectory() };
}

/** Our own, or root's: whoever else has it could put in a token of their own. */
function isTrusted(uid: number): boolean {
  const own = process.geteuid?.();
  return own === undefined || uid === own || uid === 0;
}

/** The directory, or what of its path is there. */
function nearest(directory: string): string {
  return existsSync(directory) || dirname(directory) === directory ? directory : nearest(dirname(directory));
}

/** A clock that goes back makes invitations last longer and messages older than those before them. */
export function checkClock(directory: string, nowMs: number): Finding {
  const now = localTime(nowMs);
  const written = [JOURNAL_FILE, `${JOURNAL_FILE}-wal`]
    .map((name) => join(directory, name))
    .flatMap((path) => (existsSync(path) ? [statSync(path).mtimeMs] : []));
  const check = 'clock';
  if (written.length === 0)
    return { check, state: 'ok', found: `this machine says ${now}; nothing here to compare it with` };
  const latestMs = Math.max(...written);
  const latest = localTime(latestMs);
  if (latestMs <= nowMs + CLOCK_SLACK_MS) {
    return { check, state: 'ok', found: `this machine says ${now}, which is after the journal was last written` };
  }
  const found = `this machine says ${now}, and the journal was written at ${latest}: its clock is behind, or was ahead then`;
  return { check, state: 'warning', found, todo: 'compare it with another clock, and set it, best by NTP' };
}

/** What of a command that is cancelled, timed out or abandoned is ended, by a server that is started as we are. */
export function checkRuns(holding: Holding = findHold(), platform: string = process.platform): Finding {
  const check = 'runs';
  switch (holding.hold) {
    case 'cgroup': {
      const found = `a command is ended with all that it started: it has a cgroup of its own in ${holding.directory}`;
      return { check, state: 'ok', found };
    }
    case 'mark': {
      const found =
        `a command is ended with its session and all that has its mark (${MARK_VARIABLE} in the environment); what empties ` +
        `its environment and leaves (env -i setsid) stays, because no cgroup can be made: ${holding.reason}`;
      const todo = 'start the server where a cgroup v2 can be written to: as root, or by systemd with Delegate=yes';
      return { check, state: 'warning', found, todo };
    }
    case 'group': {
      const found = 'a command and its process group are ended; what makes a group of its own stays';
      if (platform === 'linux')
        return { check, state: 'warning', found: `/proc is not there: ${found}`, todo: 'mount /proc' };
      return { check, state: 'warning', found, todo: 'run commands that start others on Linux' };
    }
  }
}

function canConnect(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectTo({ host: address, port, timeout: CONNECT_TIMEOUT_MS });
    const end = (takes: boolean) => {
      socket.destroy();
      resolve(takes);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
    socket.once('timeout', () => end(false));
  });
}

function canListen(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host: address, port: 0 }, () => server.close(() => resolve(true)));
  });
}
