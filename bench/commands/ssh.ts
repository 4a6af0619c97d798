// The peers that others run commands with: OpenSSH's server and dropbear, on loopback, as plain processes with keys and
// settings of their own. Nothing of the machine's ssh, and nobody's ~/.ssh, is read or written.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { PORTS, startServer, type Scratch, type Server } from '../processes.ts';

const SSHD = '/usr/sbin/sshd';
const SSH = '/usr/bin/ssh';
const DROPBEAR = '/usr/sbin/dropbear';
const DBCLIENT = '/usr/bin/dbclient';
const CLUSH = '/usr/bin/clush';
const UNSHARE = '/usr/bin/unshare';
/** For a master to have connected. */
const MASTER_TIMEOUT_MS = 20_000;
/** What the server is called in the client's settings; `mux` goes over a connection that stands, `gcm` by AES. */
const NAMES = ['cold', 'mux', 'gcm'] as const;

export const isRoot = process.getuid?.() === 0;
export const isSshInstalled = existsSync(SSHD) && existsSync(SSH);
/** It looks for keys in the home of whoever comes in, so it needs a home of its own, which only root can give it. */
export const isDropbearUsable = existsSync(DROPBEAR) && existsSync(DBCLIENT) && isRoot;
export const isClushInstalled = existsSync(CLUSH);

export const SSH_NOTE =
  'openssh is not installed (apt-get install openssh-server openssh-client): not compared with it';
export const DROPBEAR_NOTE =
  'dropbear is not installed (apt-get install dropbear-bin), or this is not root, who alone can give it a home of its own: not compared with it';
export const CLUSH_NOTE = 'clush is not installed (apt-get install clustershell): not compared with it';

/** A command line. */
export type Words = readonly string[];

export class Ssh {
  readonly #directory: string;
  readonly #isDropbear: boolean;

  constructor(scratch: Scratch) {
    this.#directory = join(scratch.path, 'ssh');
    this.#isDropbear = isDropbearUsable;
    if (existsSync(this.#directory)) return;
    mkdirSync(join(this.#directory, 'home', '.ssh'), { recursive: true, mode: 0o700 });
    this.#makeKeys();
    this.#write('sshd_config', this.#serverSettings());
    this.#write('ssh_config', this.#clientSettings(NAMES));
  }

  startServer(): Promise<Server> {
    const given = this.#inOwnHome([SSHD, '-D', '-e', '-f', this.#path('sshd_config')]);
    return startServer(given.program, { given: given.words, port: PORTS.ssh, isQuiet: true });
  }

  startDropbear(): Promise<Server> {
    const options = ['-F', '-E', '-s', '-p', `127.0.0.1:${PORTS.dropbear}`, '-P', this.#path('dropbear.pid')];
    const given = this.#inOwnHome([DROPBEAR, ...options, '-r', this.#path('dropbear_host')]);
    return startServer(given.program, { given: given.words, port: PORTS.dropbear, isQuiet: true });
  }

  /** How a command is given to `ssh`, which then is the next word. */
  words(name: (typeof NAMES)[number]): Words {
    return [SSH, '-F', this.#path('ssh_config'), name];
  }

  /** A home with nothing in it but what is needed here: no settings of whoever measures are read. */
  get homeEnvironment(): Readonly<Record<string, string>> {
    return { HOME: this.#path('home') };
  }

  /** As `words` for dropbear's client, which finds the keys of servers in its home. */
  get dropbearWords(): Words {
    const options = ['-i', this.#path('dropbear_user'), '-p', String(PORTS.dropbear)];
    return [DBCLIENT, ...options, `${userInfo().username}@127.0.0.1`];
  }

  /** Connections that stand, as `ControlMaster` makes them, and later ones use; the processes end with them. */
  async startMasters(names: readonly string[]): Promise<{ end(): Promise<void> }> {
    this.#write('ssh_config', this.#clientSettings([...NAMES, ...names]));
    const masters = names.map((name) =>
      spawn(SSH, ['-F', this.#path('ssh_config'), '-M', '-N', name], { stdio: ['ignore', 'ignore', 'inherit'] }),
    );
    for (const until = Date.now() + MASTER_TIMEOUT_MS; ; await wait(50)) {
      if (names.every((name) => existsSync(this.#path(`mux-${name}`)))) break;
      if (Date.now() > until) throw new Error(`A master connection of ssh is not there after ${MASTER_TIMEOUT_MS} ms`);
    }
    return {
      async end() {
        const ended = masters.map((master) => once(master, 'exit'));
        for (const master of masters) master.kill('SIGTERM');
        await Promise.all(ended);
      },
    };
  }

  /** As many at once as there are names, over the masters; the status is the worst of theirs. */
  clushWords(names: readonly string[]): Words {
    const options = ['-S', '-f', String(names.length), '-o', `-F ${this.#path('ssh_config')}`];
    return [CLUSH, ...options, '-w', names.join(',')];
  }

  #path(name: string): string {
    return join(this.#directory, name);
  }

  #write(name: string, text: string): void {
    writeFileSync(this.#path(name), text);
  }

  #makeKeys(): void {
    for (const name of ['host', 'user']) {
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', this.#path(name)]);
    }
    const allowed = [readFileSync(this.#path('user.pub'), 'utf8')];
    if (this.#isDropbear) {
      for (const name of ['dropbear_host', 'dropbear_user']) {
        execFileSync('dropbearkey', ['-t', 'ed25519', '-f', this.#path(name)], { stdio: 'ignore' });
      }
      allowed.push(`${this.#dropbearKey('user')}\n`);
      this.#write(join('home', '.ssh', 'known_hosts'), `127.0.0.1 ${this.#dropbearKey('host')}\n`);
    }
    this.#write('authorized_keys', allowed.join(''));
    this.#write(join('home', '.ssh', 'authorized_keys'), allowed.join(''));
    chmodSync(this.#path(join('home', '.ssh', 'authorized_keys')), 0o600);
    const hostKey = readFileSync(this.#path('host.pub'), 'utf8').split(' ').slice(0, 2).join(' ');
    this.#write('known_hosts', `bench ${hostKey}\n`);
  }

  #dropbearKey(whose: 'host' | 'user'): string {
    const shown = execFileSync('dropbearkey', ['-y', '-f', this.#path(`dropbear_${whose}`)], { encoding: 'utf8' });
    return /^ssh-ed25519 \S+/m.exec(shown)?.[0] ?? '';
  }

  /** Its limits are off, as those of the other peers are; ciphers and key exchange are its defaults. */
  #serverSettings(): string {
    const limits = 'MaxStartups 1000\nMaxSessions 1000\nUsePAM no\nUseDNS no\nStrictModes no\nPidFile none\n';
    const keys = `HostKey ${this.#path('host')}\nAuthorizedKeysFile ${this.#path('authorized_keys')}\n`;
    return `Port ${PORTS.ssh}\nListenAddress 127.0.0.1\n${keys}${limits}LogLevel ERROR\nPermitRootLogin prohibit-password\n`;
  }

  #clientSettings(names: readonly string[]): string {
    const known = `UserKnownHostsFile ${this.#path('known_hosts')}\n GlobalKnownHostsFile /dev/null\n HostKeyAlias bench`;
    const own = `IdentityFile ${this.#path('user')}\n IdentitiesOnly yes\n IdentityAgent none\n BatchMode yes`;
    const where = `HostName 127.0.0.1\n Port ${PORTS.ssh}\n User ${userInfo().username}\n LogLevel ERROR`;
    const standing = names.filter((name) => name !== 'cold' && name !== 'gcm').join(' ');
    return [
      `Host gcm\n Ciphers aes128-gcm@openssh.com`,
      `Host ${standing}\n ControlPath ${this.#path('mux-%n')}`,
      `Host *\n ${known}\n ${own}\n ${where}\n`,
    ].join('\n');
  }

  /**
   * As root, in a view of the file system of its own, where root has an empty home and a plain shell: else each command
   * would read what the shell of this machine's root reads at its start. Otherwise as it is.
   */
  #inOwnHome(command: Words): { program: string; words: Words } {
    const [program = '', ...words] = command;
    if (!isRoot || !existsSync(UNSHARE)) return { program, words };
    const passwd = readFileSync('/etc/passwd', 'utf8').replace(
      /^root:.*$/m,
      `root:x:0:0::${this.#path('home')}:/bin/sh`,
    );
    this.#write('passwd', passwd);
    const script = 'mount --bind "$0" /etc/passwd && mount -t tmpfs tmpfs /run && mkdir /run/sshd && exec "$@"';
    return {
      program: UNSHARE,
      words: ['--mount', '/bin/sh', '-c', script, this.#path('passwd'), program, ...words],
    };
  }
}
