// The chat servers that others run, with the limits off that would be measured in their place. None of them keeps a message.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PORTS, startServer, type Scratch, type Server } from './processes.ts';
import type { Contestant } from './rounds.ts';

/** Who is not root has programs of the system's in its PATH or not: they are asked for where Debian puts them. */
const DIRECTORY = '/usr/sbin';

interface Peer {
  readonly program: string;
  readonly port: number;
  readonly configuration: string;
  readonly given: (configuration: string) => readonly string[];
  readonly load: readonly string[];
}

const PEERS = {
  inspircd: {
    program: 'inspircd',
    port: PORTS.inspircd,
    configuration: 'inspircd.conf',
    given: (path) => ['--nofork', ...(process.getuid?.() === 0 ? ['--runasroot'] : []), '--config', path],
    load: ['irc', 'ramp=512'], // it lets in once a second whoever has come by then
  },
  ngircd: {
    program: 'ngircd',
    port: PORTS.ngircd,
    configuration: 'ngircd.conf',
    given: (path) => ['-n', '-f', path],
    load: ['irc', 'ramp=8'], // its backlog holds 10 connections
  },
  nats: {
    program: 'nats-server',
    port: PORTS.nats,
    configuration: 'nats.conf',
    given: (path) => ['-c', path],
    load: ['nats', 'ramp=64'],
  },
} as const satisfies Record<string, Peer>;

export type PeerName = keyof typeof PEERS;

/** A contestant that talk-load speaks to: in this protocol, and with what else it has to know. */
export interface Talker extends Contestant {
  readonly protocol: string;
  readonly settings: readonly string[];
}

/** Those of the named that are installed, and words about the others. */
export function findPeers(scratch: Scratch, names: readonly PeerName[]): { peers: Talker[]; notes: string[] } {
  const isInstalled = (name: PeerName) => existsSync(join(DIRECTORY, PEERS[name].program));
  const notes = names
    .filter((name) => !isInstalled(name))
    .map((name) => `${name} is not installed (apt-get install ${packageOf(name)}): not compared with it`);
  const peers = names.filter(isInstalled).map((name) => {
    const { port, load } = PEERS[name];
    const [protocol, ...settings] = load;
    return { name, port, protocol, settings, start: () => start(scratch, PEERS[name]) };
  });
  return { peers, notes };
}

function packageOf(name: PeerName): string {
  return PEERS[name].program;
}

function start(scratch: Scratch, { program, port, configuration, given }: Peer): Promise<Server> {
  const path = join(scratch.path, configuration);
  const text = readFileSync(join(import.meta.dirname, 'peers', configuration), 'utf8');
  writeFileSync(path, text.replaceAll('@PORT@', String(port)).replaceAll('@DIRECTORY@', scratch.path));
  return startServer(join(DIRECTORY, program), { given: given(path), port, isQuiet: true });
}
