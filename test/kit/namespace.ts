// A host of its own, made of a network namespace: its own links, addresses and routes, nothing of the network around.
// Each process started on it is known by its id and is gone, like the host, when the test is over.

import { type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import type { TestContext } from 'node:test';

export type Process = ChildProcessByStdio<Writable, Readable, Readable>;

export interface Addresses {
  readonly ipv4: string;
  readonly ipv6: string;
}

export interface Host extends Addresses {
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

const NETNS = '/etc/netns';
const PREFIX = 'partyline-test';
/** Of networks in one process, so that tests may run side by side. */
let networks = 0;

/** Hosts without links yet, whose names are asked of the name server at that address; gone with the test. */
export function makeHosts<const Role extends string>(
  t: Pick<TestContext, 'after'>,
  addresses: Readonly<Record<Role, Addresses>>,
  nameServer: string,
): Record<Role, NamespaceHost> {
  removeLeftOver();
  const network = `${PREFIX}-${process.pid}-${networks++}`;
  const made: NamespaceHost[] = [];
  const remove = (): void => {
    for (const host of made) removeNamespace(host.name);
  };
  // Whichever comes first: the test's end, or the end of a process that was stopped in its middle.
  process.once('exit', remove);
  t.after(() => {
    process.off('exit', remove);
    remove();
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the very roles that came in
  const roles = Object.keys(addresses) as Role[];
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- one for each role
  return Object.fromEntries(
    roles.map((role) => {
      const host = new NamespaceHost(`${network}-${role}`, addresses[role]);
      made.push(host);
      host.create(nameServer);
      return [role, host];
    }),
  ) as Record<Role, NamespaceHost>;
}

export class NamespaceHost implements Host {
  readonly name: string;
  #addresses: Addresses;

  constructor(name: string, addresses: Addresses) {
    this.name = name;
    this.#addresses = addresses;
  }

  get ipv4(): string {
    return this.#addresses.ipv4;
  }

  get ipv6(): string {
    return this.#addresses.ipv6;
  }

  create(nameServer: string): void {
    ip('netns', 'add', this.name);
    mkdirSync(`${NETNS}/${this.name}`, { recursive: true });
    // `ip netns exec` shows it to the processes of this host in place of the machine's own.
    writeFileSync(`${NETNS}/${this.name}/resolv.conf`, `nameserver ${nameServer}\n`);
    this.ip('link set lo up');
  }

  /** Commands of ip(8) on this host, all in one process. */
  ip(...lines: readonly string[]): void {
    execFileSync('ip', ['-netns', this.name, '-batch', '-'], { input: lines.join('\n'), stdio: 'pipe' });
  }

  /** Runs a short program there; what it says is its output, or the error's. */
  exec(input: string, program: string, ...args: readonly string[]): string {
    const words = ['netns', 'exec', this.name, program, ...args];
    return execFileSync('ip', words, { input, encoding: 'utf8', stdio: 'pipe' });
  }

  /** Gives it its addresses on that link, or other ones in place of those that it had there. */
  take(link: string, { ipv4, ipv6 }: Addresses = this): void {
    this.#addresses = { ipv4, ipv6 };
    this.ip(
      `address flush dev ${link} scope global`,
      // Without `nodad` an IPv6 address is tentative for a second or two (RFC 4862 5.4) and cannot be bound.
      `address add ${ipv6}/64 dev ${link} nodad`,
      `address add ${ipv4}/24 dev ${link}`,
    );
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

function ip(...args: readonly string[]): string {
  return execFileSync('ip', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** A link between two hosts. Both ends are born inside: the machine's own network never sees them. */
export function connect(one: readonly [NamespaceHost, string], other: readonly [NamespaceHost, string]): void {
  const [[a, aLink], [b, bLink]] = [one, other];
  ip('link', 'add', aLink, 'netns', a.name, 'type', 'veth', 'peer', 'name', bLink, 'netns', b.name);
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
  for (const [name, id] of ip('netns', 'list').matchAll(new RegExp(`^${PREFIX}-(\\d+)-[\\w-]+`, 'gm'))) {
    if (id !== undefined && !existsSync(`/proc/${id}`)) removeNamespace(name);
  }
}
