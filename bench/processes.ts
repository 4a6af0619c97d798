// Starting and ending what is measured: Partyline itself, the bounds, and the load generators.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

export const ROOT = join(import.meta.dirname, '..');
/** Asks with `PORT plain`, or with `PORT sha256`; what is asked for it is not told. */
export const NODE_TLS = join(import.meta.dirname, 'bounds', 'node-tls.mjs');
/** A host with `host PORT TLS_PORT CERTIFICATE`; asks with `ask PORT HOW [CERTIFICATE]`. */
export const NODE_HOSTS = join(import.meta.dirname, 'bounds', 'node-hosts.mjs');
const START_TIMEOUT_MS = 10_000;
const XINETD = '/usr/sbin/xinetd';

/** Below the ephemeral range, so that no client has one of them as its own port. */
export const PORTS = {
  line: 24_310,
  echo: 24_311,
  bound: 24_312,
  xinetd: 24_313,
  inspircd: 24_314,
  ngircd: 24_315,
  nats: 24_316,
  ssh: 24_317,
  dropbear: 24_318,
  boundTls: 24_319,
} as const;

export interface Server {
  readonly pid: number;
  end(): Promise<void>;
}

/** A directory that is gone when the run is over. */
export class Scratch implements Disposable {
  #directories = 0;
  readonly path = mkdtempSync(join(tmpdir(), 'partyline-bench-'));

  /** Compiles a program of `bench/c`, once. */
  program(name: string): string {
    const target = join(this.path, name);
    if (!existsSync(target)) execFileSync('gcc', ['-O2', '-o', target, join(import.meta.dirname, 'c', `${name}.c`)]);
    return target;
  }

  /** The name of one that is not there yet. */
  aDirectory(): string {
    return join(this.path, `data-${++this.#directories}`);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** With a journal of its own unless one is given: what the flood of another round left in the log is not measured. */
export function startPartyline(
  scratch: Scratch,
  directory = scratch.aDirectory(),
  options: readonly string[] = [],
): Promise<Server> {
  const listen = ['--listen', `tcp://localhost:${PORTS.line}`, '--listen', `echo://localhost:${PORTS.echo}`];
  const given = ['serve', ...listen, '--data', directory, ...options];
  return startServer(join(ROOT, 'partyline'), { given, port: PORTS.echo });
}

/** Carries the streams of a program by TLS, with the key of a server whose directory this is. */
export function startNodeTls(directory: string, program: readonly string[]): Promise<Server> {
  const key = [join(directory, 'tls.key'), join(directory, 'tls.crt')];
  return startServer(process.execPath, {
    given: [NODE_TLS, 'serve', String(PORTS.bound), ...key, ...program],
    port: PORTS.bound,
  });
}

/** Passes on to hosts what it is asked; by TLS too, with the key of a server whose directory this is. */
export function startNodeRelay(directory: string): Promise<Server> {
  const ports = [String(PORTS.bound), String(PORTS.boundTls)];
  const given = [NODE_HOSTS, 'relay', ...ports, join(directory, 'tls.key'), join(directory, 'tls.crt')];
  return startServer(process.execPath, { given, port: PORTS.boundTls });
}

export function startEchoBound(scratch: Scratch): Promise<Server> {
  return startServer(scratch.program('echo-bound'), { given: [String(PORTS.bound)], port: PORTS.bound });
}

export function startTalkBound(scratch: Scratch): Promise<Server> {
  return startServer(scratch.program('talk-bound'), { given: [String(PORTS.bound)], port: PORTS.bound });
}

/** `log`: what a turn brings is on disk in this file before it is told. */
export function startNodeShared(log?: string): Promise<Server> {
  const program = join(import.meta.dirname, 'bounds', 'node-shared.mjs');
  const given = [program, String(PORTS.bound), ...(log === undefined ? [] : [log])];
  return startServer(process.execPath, { given, port: PORTS.bound });
}

export const isXinetdInstalled = existsSync(XINETD);

/** Its own echo service, without any limit. It forks for every connection. */
export function startXinetd(scratch: Scratch): Promise<Server> {
  const configuration = join(scratch.path, 'xinetd.conf');
  const limits = 'instances = UNLIMITED\n per_source = UNLIMITED\n cps = 100000 1';
  const service = `type = INTERNAL UNLISTED\n id = echo-stream\n socket_type = stream\n protocol = tcp\n user = root\n wait = no`;
  const where = `port = ${PORTS.xinetd}\n bind = 127.0.0.1`;
  writeFileSync(configuration, `defaults\n{\n ${limits}\n}\nservice echo\n{\n ${service}\n ${where}\n}\n`);
  return startServer(XINETD, { given: ['-dontfork', '-f', configuration], port: PORTS.xinetd });
}

/** Runs a load generator to its end and returns the JSON that it prints, whatever its status. */
export async function runLoad(
  program: string,
  given: readonly (string | number)[],
  environment: Readonly<Record<string, string>> = {},
): Promise<unknown> {
  const env = { ...process.env, ...environment };
  const child = spawn(program, given.map(String), { stdio: ['ignore', 'pipe', 'inherit'], env });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  await once(child, 'close');
  return JSON.parse(output === '' ? '{"failed":true}' : output);
}

/** User and system time of a process so far. */
export function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Of all processors together, since the machine started: what was worked, and what a hypervisor gave to others. */
export function machineSeconds(): { busy: number; stolen: number } {
  const fields = readFileSync('/proc/stat', 'utf8').slice(0, 200).split(/\s+/).map(Number);
  const [, user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = fields;
  return { busy: (user + nice + system + irq + softirq) / 100, stolen: steal / 100 };
}

/** VmRSS. */
export function residentBytes(pid: number): number {
  const found = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(found) * 1_024;
}

interface Starting {
  readonly given: readonly string[];
  readonly port: number;
  /** What it says on stderr is of no use here. */
  readonly isQuiet?: boolean;
  /** Beside what we have ourselves. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Resolves when it listens, and is what listens there. */
export async function startServer(program: string, { given, port, isQuiet, environment }: Starting): Promise<Server> {
  if (await isOpen(port)) throw new Error(`Cannot start ${program}: something else listens on port ${port}`);
  const child = spawn(program, given, {
    stdio: ['ignore', 'ignore', isQuiet === true ? 'ignore' : 'inherit'],
    env: { ...process.env, ...environment },
  });
  const ended = once(child, 'exit');
  const end = async () => {
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), 6_000);
    await ended;
    clearTimeout(timer);
  };
  for (const until = Date.now() + START_TIMEOUT_MS; !(await isOpen(port)); await wait(20)) {
    if (child.exitCode !== null) throw new Error(`${program} ended with ${child.exitCode}`);
    if (Date.now() < until) continue;
    await end();
    throw new Error(`${program} does not listen on port ${port} after ${START_TIMEOUT_MS} ms`);
  }
  return { pid: child.pid ?? 0, end };
}

async function isOpen(port: number): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1' });
  const isOpen = await new Promise<boolean>((resolve) => {
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false));
  });
  socket.destroy();
  return isOpen;
}
