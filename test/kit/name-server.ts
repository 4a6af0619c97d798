// The name server of a network of tests: it knows the names it is told, of example.com and of arpa, and nobody else.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { aDirectory } from './directory.ts';
import { type Host, type Process, printed } from './namespace.ts';

/** Below it, addresses that are known are told, and what is asked beyond them is never answered. */
export const MUTE_ZONE = 'mute.example.com';
/** The name server that it would be asked of takes every question here and says nothing. */
const MUTE_PORT = 5_353;
const MUTE_PROGRAM = `require('node:dgram').createSocket('udp4').bind(${MUTE_PORT}, '127.0.0.1', () => console.log('ready'))`;

/** A name's addresses, of both families: one that is not there has none of that family. */
export type Records = Readonly<Record<string, readonly string[]>>;

export class NameServer {
  readonly #hosts: string;
  readonly #process: Process;

  private constructor(hosts: string, process: Process) {
    this.#hosts = hosts;
    this.#process = process;
  }

  /** Resolves once it answers. Both of the host's addresses are asked. */
  static async start(t: TestContext, host: Host, records: Records): Promise<NameServer> {
    const hosts = join(aDirectory(t), 'hosts');
    writeFileSync(hosts, linesOf(records));
    const options = ['--keep-in-foreground', '--log-facility=-', '--conf-file=/dev/null', '--pid-file', '--user=root'];
    options.push('--no-resolv', '--no-hosts', `--addn-hosts=${hosts}`, '--local=/example.com/', '--local=/arpa/');
    options.push(`--server=/${MUTE_ZONE}/127.0.0.1#${MUTE_PORT}`);
    options.push(`--listen-address=${host.ipv4},${host.ipv6}`, '--bind-interfaces');
    const mute = host.start(process.execPath, '--eval', MUTE_PROGRAM);
    await printed(mute.stdout, /^ready$/m);
    const dnsmasq = host.start('dnsmasq', ...options);
    // It has bound its sockets and read its names by then.
    await printed(dnsmasq.stderr, READ);
    return new NameServer(hosts, dnsmasq);
  }

  /** From now on these and no others. */
  async publish(records: Records): Promise<void> {
    writeFileSync(this.#hosts, linesOf(records));
    const read = printed(this.#process.stderr, READ);
    this.#process.kill('SIGHUP');
    await read;
  }
}

const READ = /read \S+ - \d+ (?:names|addresses)/;

function linesOf(records: Records): string {
  return Object.entries(records)
    .flatMap(([name, addresses]) => addresses.map((address) => `${address} ${name}\n`))
    .join('');
}
