// Partyline as a server that commands are run on, spoken to by TLS: started, its key known, and somebody logged in.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { PORTS, ROOT, startPartyline, type Scratch, type Server } from '../processes.ts';
import type { Words } from './ssh.ts';

const PROGRAM = join(ROOT, 'partyline');
/** Loopback is plain without a scheme. */
export const HOST = `tls://127.0.0.1:${PORTS.line}`;
/** Whoever has an account may run what `ssh` runs: a line for the shell. */
const POLICY = '[[allow]]\nwho = ["role:member"]\non = ["Server"]\nshell = true\n';

export type Environment = Readonly<Record<string, string>>;

export interface Lab {
  readonly server: Server;
  /** The server's own directory, which is the owner's too. */
  readonly directory: string;
  readonly owner: Environment;
}

export async function startLab(scratch: Scratch): Promise<Lab> {
  const directory = scratch.aDirectory();
  mkdirSync(directory, { mode: 0o700 });
  writeFileSync(join(directory, 'policy.toml'), POLICY, { mode: 0o600 });
  const server = await startPartyline(scratch, directory, ['--run-as', userInfo().username]);
  const owner = { PARTYLINE_DATA: directory };
  // Makes the server's key known.
  partyline(['run', HOST, '--', 'true'], { environment: owner });
  return { server, directory, owner };
}

/** A member with a token, in a directory of its own. */
export function logIn(scratch: Scratch, { owner }: Lab): Environment {
  const directory = scratch.aDirectory();
  mkdirSync(directory, { mode: 0o700 });
  const invited = partyline(['invite', 'member', '--host', HOST, '--json'], { environment: owner });
  const code = String(/"code":"([^"]+)"/.exec(invited)?.[1]);
  const environment = { PARTYLINE_DATA: directory };
  partyline(['login', '--host', HOST, '--code', '-'], { environment, input: `${code}\n\n` });
  return environment;
}

/** How a command is given to `partyline run`, which then is the next word. */
export function runWords(...options: string[]): Words {
  return [PROGRAM, 'run', HOST, ...options, '--'];
}

/** A program that stands for a machine. It says `ready` once it has come in. */
export class Machine {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #words = '';

  /** One that joins. */
  static joining(scratch: Scratch, code: string): Machine {
    return new Machine([PROGRAM, 'join', HOST, '--code', code], { PARTYLINE_DATA: scratch.aDirectory() });
  }

  constructor([program = '', ...given]: Words, environment: Environment = {}) {
    this.#child = spawn(program, given, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
    });
    this.#ended = once(this.#child, 'exit');
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#words += text));
  }

  async ready(): Promise<void> {
    const { stdout } = this.#child;
    const [said] = await Promise.race([stdout === null ? [] : once(stdout, 'data'), this.#ended.then(() => [])]);
    if (String(said) !== 'ready\n') throw new Error(`A machine has not joined: ${this.#words}`);
  }

  async end(): Promise<void> {
    this.#child.kill('SIGTERM');
    await this.#ended;
  }
}

function partyline(words: Words, { environment, input = '' }: { environment: Environment; input?: string }): string {
  const env = { ...process.env, ...environment };
  const { status, stdout, stderr } = spawnSync(PROGRAM, words, { env, input, encoding: 'utf8' });
  if (status !== 0) throw new Error(`partyline ${words.join(' ')} ended with ${status}: ${stderr}`);
  return stdout;
}
