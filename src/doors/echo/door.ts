// The echo door. On a named listener the first line is `ECHO NAME` and is answered; then, and on a plain listener from
// the first byte on, whatever comes goes back. It needs nothing of the core: an echo is nobody's message.

import type { Socket } from 'node:net';
import type { Log } from '../../log/log.ts';
import { pumpEcho, type EchoPump } from '../../net/echo-pump.ts';
import type { Peer } from '../../net/peer.ts';
import {
  formatEchoAnswer,
  formatEchoRefusal,
  MAX_ECHO_LINE_BYTES,
  parseEchoGreeting,
} from '../../protocol/echo/exchange.ts';
import { EchoLineLog } from '../../protocol/echo/line-log.ts';
import type { Door } from '../door.ts';
import { readFirstLine, type FirstLine } from './first-line.ts';

/** A program sends its line at once; a person has no reason to type one. */
const FIRST_LINE_TIMEOUT_MS = 10_000;
/** For the refused to read why, before the connection is cut. */
const LINGER_MS = 1_000;

export interface EchoDoorOptions {
  /** `named`: the connection begins with `ECHO NAME`. `plain`: RFC 862 and nothing else, such a line is echoed too. */
  readonly mode: 'named' | 'plain';
  readonly serverName: string;
  readonly log: Log;
  /** Milliseconds that never run backwards. */
  readonly now?: () => number;
  readonly firstLineTimeoutMs?: number;
}

export class EchoDoor implements Door {
  readonly #mode: 'named' | 'plain';
  readonly #serverName: string;
  readonly #log: Log;
  readonly #now: () => number;
  readonly #firstLineTimeoutMs: number;
  readonly #connections = new Set<EchoPump>();
  #onEmpty: (() => void) | undefined;
  #isClosing = false;

  constructor(options: EchoDoorOptions) {
    this.#mode = options.mode;
    this.#serverName = options.serverName;
    this.#log = options.log;
    this.#now = options.now ?? (() => performance.now());
    this.#firstLineTimeoutMs = options.firstLineTimeoutMs ?? FIRST_LINE_TIMEOUT_MS;
  }

  accept(socket: Socket, peer: Peer, first: Uint8Array): void {
    if (this.#isClosing) socket.destroy();
    else if (this.#mode === 'plain') this.#echo(socket, { first });
    else this.#greet(socket, peer, first);
  }

  async close(signal: AbortSignal): Promise<void> {
    this.#isClosing = true;
    const cut = () => {
      for (const connection of this.#connections) connection.destroy();
    };
    for (const connection of this.#connections) connection.finish();
    if (signal.aborted) cut();
    else signal.addEventListener('abort', cut, { once: true });
    if (this.#connections.size > 0) await new Promise<void>((resolve) => (this.#onEmpty = resolve));
    signal.removeEventListener('abort', cut);
  }

  #echo(
    socket: Socket,
    { first, answer, lines }: { first: Uint8Array; answer?: Uint8Array; lines?: EchoLineLog },
  ): void {
    const pump = pumpEcho(socket, {
      first,
      answer,
      onChunk: lines && ((chunk) => lines.push(chunk, this.#now())),
      onClosed: () => {
        lines?.end(this.#now());
        this.#forget(pump);
      },
    });
    this.#connections.add(pump);
  }

  #greet(socket: Socket, peer: Peer, first: Uint8Array): void {
    const { address } = peer;
    this.#log.tell({ event: 'echo received', text: `Received connection from ${address}`, address });
    this.#log.tell({
      event: 'echo connected',
      text: `Connection Established. Connected From: ${address}`,
      address,
    });
    const destroy = () => void socket.destroy();
    const waiting: EchoPump = { finish: destroy, destroy };
    const onClose = () => this.#forget(waiting);
    this.#connections.add(waiting);
    socket.on('error', () => {}).on('close', onClose);
    readFirstLine(socket, first, {
      maxBytes: MAX_ECHO_LINE_BYTES,
      timeoutMs: this.#firstLineTimeoutMs,
      done: (result) => {
        const greeting = this.#read(result);
        if (greeting.kind === 'refused') return refuse(socket, greeting.reason);
        socket.off('close', onClose);
        this.#log.tell({
          event: 'echo named',
          text: `Connection established with : ${greeting.name}`,
          name: greeting.name,
          address,
        });
        const tellLine = (text: string) =>
          this.#log.tell({ event: 'echo line', text, name: greeting.name, line: text });
        this.#echo(socket, {
          first: greeting.rest,
          answer: Buffer.from(formatEchoAnswer(this.#serverName, address, peer.port)),
          lines: new EchoLineLog(greeting.name, tellLine),
        });
        this.#forget(waiting);
      },
    });
  }

  #read(first: FirstLine): { kind: 'named'; name: string; rest: Uint8Array } | { kind: 'refused'; reason: string } {
    if (first.kind === 'late') return refusal(`no end within ${this.#firstLineTimeoutMs} ms`);
    if (first.kind === 'overlong') return refusal(`${MAX_ECHO_LINE_BYTES} bytes without an end`);
    const greeting = parseEchoGreeting(first.line);
    return greeting.kind === 'named' ? { ...greeting, rest: first.rest } : greeting;
  }

  #forget(connection: EchoPump): void {
    this.#connections.delete(connection);
    if (this.#connections.size === 0) this.#onEmpty?.();
  }
}

function refusal(given: string): { kind: 'refused'; reason: string } {
  return { kind: 'refused', reason: formatEchoRefusal(given) };
}

/** What the refused still sends is read and dropped: bytes left unread would turn the close into a reset. */
function refuse(socket: Socket, reason: string): void {
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.on('close', () => clearTimeout(timer));
  socket.end(reason);
  socket.resume();
}
