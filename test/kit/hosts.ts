// Two machines on one link, made of network namespaces: addresses of both families, a name server, nothing of the
// network around. Each process started on them is known by its id and is gone, like the hosts, when the test is over.

import { type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import type { TestContext } from 'node:test';
import { aDirectory } from './directory.ts';

export type Process = ChildProcessByStdio<Writable, Readable, Readable>;

export interface Host {
  readonly ipv4: string;
  readonly ipv6: string;
  /** Starts a program there; what still runs at the end of the test is killed. */
  start(program: string, ...args: readonly string[]): Process;
  /** Runs a program there to its end. */
  run(input: string, program: string, ...args: readonly string[]): Promise<Ended>;
}

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A process prints what it was waited for, or ends without. */
export function printed(output: Readable, expected: RegExp): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let text = '';
  output.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    if (expected.test(text)) resolve(text);
  });
  output.once('end', () => reject(new Error(`ended without ${String(expected)}: ${text}`)));
  return promise;
}

export const PARTYLINE = join(import.meta.dirname, '../../partyline');

/** A server on one of the hosts, ready, with a data directory of its own unless `args` name another: the last counts. */
export async function startServer(t: TestContext, host: Host, ...args: readonly string[]): Promise<void> {
  const data = aDirectory(t);
  const serve = host.start(PARTYLINE, 'serve', '--data', data, ...args);
  serve.stderr.resume();
  await printed(serve.stdout, /^ready$/m);
}

const NETNS = '/etc/netns';
const PREFIX = 'partyline-test';
/** Interface of each host on the link. */
export const LINK = 'eth0';

/** The two hosts; names of example.com resolve on both to the first one's addresses. */
export async function twoHosts(t: TestContext): Promise<{ server: Host; client: Host }> {
  removeLeftOver();
  const server = new NamespaceHost('server', '10.77.0.1', 'fd77::1');
  const client = new NamespaceHost('client', '10.77.0.2', 'fd77::2');
  const remove = (): void => {
    for (const host of [client, server]) removeNamespace(host.name);
  };
  // Whichever comes first: the test's end, or the end of a process that was stopped in its middle.
  process.once('exit', remove);
  t.after(() => {
    process.off('exit', remove);
    remove();
  });
  for (const host of [server, client]) host.create();
  // Both ends are born inside: the machine's own network never sees them.
  ip('link', 'add', LINK, 'netns', server.name, 'type', 'veth', 'peer', 'name', LINK, 'netns', client.name);
  for (const host of [server, client]) host.connect();
  await startNameServer(server);
  return { server, client };
}

class NamespaceHost implements Host {
  readonly name: string;
  readonly ipv4: string;
  readonly ipv6: string;

  constructor(role: string, ipv4: string, ipv6: string) {
    this.name = `${PREFIX}-${process.pid}-${role}`;
    this.ipv4 = ipv4;
    this.ipv6 = ipv6;
  }

  create(): void {
    ip('netns', 'add', this.name);
    mkdirSync(`${NETNS}/${this.name}`, { recursive: true });
    // `ip netns exec` shows it to the processes of this host in place of the machine's own.
    writeFileSync(`${NETNS}/${this.name}/resolv.conf`, 'nameserver 10.77.0.1\n');
  }

  connect(): void {
    const inside = ['-netns', this.name] as const;
    // Without `nodad` an IPv6 address is tentative for a second or two (RFC 4862 5.4) and cannot be bound.
    ip(...inside, 'address', 'add', `${this.ipv6}/64`, 'dev', LINK, 'nodad');
    ip(...inside, 'address', 'add', `${this.ipv4}/24`, 'dev', LINK);
    ip(...inside, 'link', 'set', 'lo', 'up');
    ip(...inside, 'link', 'set', LINK, 'up');
  }

  start(program: string, ...args: readonly string[]): Process {
    // `ip netns exec` becomes the program: one process, one id.
    return spawn('ip', ['netns', 'exec', this.name, program, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  }

  async run(input: string, program: string, ...args: readonly string[]): Promise<Ended> {
    const child = this.start(program, ...args);
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
    child.stdin.on('error', () => {}); // a program may end before it has read everything
    child.stdin.end(input);
    await once(child, 'close');
    return { status: child.exitCode, stdout, stderr };
  }
}

/** krishna1 has both families; krishna4 and krishna6 have one each. */
async function startNameServer(host: NamespaceHost): Promise<void> {
  const records = [`krishna1.example.com,${host.ipv4},${host.ipv6}`];
  records.push(`krishna4.example.com,${host.ipv4}`, `krishna6.example.com,${host.ipv6}`);
  const options = ['--keep-in-foreground', '--log-facility=-', '--conf-file=/dev/null', '--pid-file', '--user=root'];
  options.push(
    '--no-resolv',
    '--no-hosts',
    `--listen-address=${host.ipv4}`,
    '--bind-interfaces',
    '--local=/example.com/',
  );
  options.push(...records.map((record) => `--host-record=${record}`));
  const server = host.start('dnsmasq', ...options);
  // It has bound its sockets by then.
  await printed(server.stderr, /started, version/);
}

function ip(...args: readonly string[]): string {
  return execFileSync('ip', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

function removeNamespace(name: string): void {
  if (existsSync(`/run/netns/${name}`)) {
    for (const id of ip('netns', 'pids', name).split('\n')) if (id !== '') endProcess(Number(id));
    ip('netns', 'delete', name);
  }
  rmSync(`${NETNS}/${name}`, { recursive: true, force: true });
  try {
    rmdirSync(NETNS);
  } catch {
    // It holds the files of other hosts, or was never made.
  }
}

function endProcess(id: number): void {
  try {
    process.kill(id, 'SIGKILL');
  } catch {
    // It ended by itself meanwhile.
  }
}

/** Hosts of a test that was itself killed. */
function removeLeftOver(): void {
  for (const [name, id] of ip('netns', 'list').matchAll(new RegExp(`^${PREFIX}-(\\d+)-\\w+`, 'gm'))) {
    if (id !== undefined && !existsSync(`/proc/${id}`)) removeNamespace(name);
  }
}
