// A person at `nc`, as a test has one: types lines, reads what comes.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Transcript } from './transcript.ts';

export class Caller implements AsyncDisposable {
  readonly socket: Socket;
  readonly heard = new Transcript();

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => this.heard.add(chunk));
    socket.on('error', () => {});
    socket.on('end', () => this.heard.end());
    socket.on('close', () => this.heard.end());
  }

  static async connect(host: string, port: number): Promise<Caller> {
    const socket = connect({ host, port, allowHalfOpen: true, noDelay: true });
    const caller = new Caller(socket);
    await once(socket, 'connect');
    return caller;
  }

  /** Connects and comes in under a name. */
  static async named(name: string, host: string, port: number): Promise<Caller> {
    const caller = await Caller.connect(host, port);
    caller.type(name);
    await caller.heard.until(/^Format: .*\n\n/m);
    return caller;
  }

  type(line: string): void {
    this.socket.write(`${line}\n`);
  }

  until(pattern: RegExp | string): Promise<string> {
    return this.heard.until(pattern);
  }

  /** Everything heard until the server has answered a question asked now: the proof that nothing else came. */
  async barrier(): Promise<string> {
    this.type('get_list');
    const heard = await this.until(/^.*\nAvailable client: .*\n/m);
    return heard.replace(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\nAvailable client: .*\n$/m, '');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy();
    await this.heard.rest();
  }
}
