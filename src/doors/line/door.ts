// The door for nc, telnet and scripts. It keeps its connections, lets nobody stand nameless for ever, and words each
// message once for all who are told it.

import type { Socket } from 'node:net';
import type { Said } from '../../core/event.ts';
import type { Session } from '../../core/session.ts';
import type { Peer } from '../../net/peer.ts';
import { PROMPT } from '../../protocol/line/prompt.ts';
import { formatDate } from '../../protocol/date.ts';
import { formatError, formatMessage } from '../../protocol/line/reply.ts';
import type { Door } from '../door.ts';
import { LineConnection } from './connection.ts';
import { Fanout, type Lane } from './fanout.ts';
import type { House, LineRoom } from './room.ts';

/** A connection without a name is closed after this: as long as sshd waits for a login (LoginGraceTime). */
export const NAMING_MS = 120_000;

export interface LineDoorOptions extends House {
  readonly namingMs?: number;
}

export class LineDoor implements Door, LineRoom {
  readonly house: House;
  readonly fanout = new Fanout();
  readonly #namingMs: number;
  readonly #connections = new Map<Lane, LineConnection>();
  /** Nameless connections and when their time is up; the wait is the same for all, so the first is the first due. */
  readonly #nameless = new Map<Lane, number>();
  #timer: NodeJS.Timeout | undefined;
  #closing: (() => void) | undefined;
  #worded: { said: Said; words: string; marked: string } | undefined;
  /** Connections that see the ids of messages. */
  readonly #marked = new Set<LineConnection>();
  #second = { atSecond: -1, date: '' };

  constructor(options: LineDoorOptions) {
    this.house = options;
    this.#namingMs = options.namingMs ?? NAMING_MS;
  }

  /** Whoever says nothing is asked for a name. */
  greet(socket: Socket): void {
    socket.write(PROMPT);
  }

  accept(socket: Socket, peer: Peer, first: Uint8Array): void {
    if (this.#closing !== undefined) {
      socket.destroy();
      return;
    }
    const connection = new LineConnection(socket, peer, this);
    this.#connections.set(connection, connection);
    this.#nameless.set(connection, this.house.clock() + this.#namingMs);
    this.#arm();
    connection.open(first);
  }

  broadcast(said: Said, except: readonly Session[]): void {
    const lanes: LineConnection[] = [];
    for (const { listener } of except) if (listener instanceof LineConnection) lanes.push(listener);
    const marked = [...this.#marked].filter((lane) => lane.isListening && !lanes.includes(lane));
    this.fanout.broadcast(this.wordsFor(said), marked.length === 0 ? lanes : [...lanes, ...marked]);
    for (const lane of marked) lane.deliver(said);
  }

  wordsFor(said: Said): string {
    return this.#wordsOf(said).words;
  }

  markedWordsFor(said: Said): string {
    const worded = this.#wordsOf(said);
    worded.marked ||= formatMessage(this.#dateOf(said.atMs), said, said.id);
    return worded.marked;
  }

  mark(connection: LineConnection, wantsIds: boolean): void {
    if (wantsIds) this.#marked.add(connection);
    else this.#marked.delete(connection);
  }

  #wordsOf(said: Said): { words: string; marked: string } {
    if (this.#worded?.said === said) return this.#worded;
    this.#worded = { said, words: formatMessage(this.#dateOf(said.atMs), said), marked: '' };
    return this.#worded;
  }

  named(connection: Lane): void {
    this.#nameless.delete(connection);
  }

  forget(connection: Lane): void {
    this.#connections.delete(connection);
    if (this.#connections.size === 0) this.#closing?.();
  }

  async close(signal: AbortSignal): Promise<void> {
    clearTimeout(this.#timer);
    const goodbye = `${this.house.hub.serverName} is closing at date_time = ${formatDate(this.house.now())}\n`;
    const done = new Promise<void>((resolve) => (this.#closing = resolve));
    for (const connection of this.#connections.values()) connection.close(goodbye);
    if (this.#connections.size === 0) return;
    const cut = () => {
      for (const { socket } of this.#connections.values()) socket.destroy();
    };
    if (signal.aborted) cut();
    else signal.addEventListener('abort', cut, { once: true });
    await done;
  }

  #dateOf(atMs: number): string {
    const atSecond = Math.floor(atMs / 1000);
    if (this.#second.atSecond !== atSecond) this.#second = { atSecond, date: formatDate(atMs) };
    return this.#second.date;
  }

  #arm(): void {
    if (this.#timer !== undefined) return;
    const [due] = this.#nameless.values();
    if (due === undefined) return;
    this.#timer = setTimeout(() => this.#sweep(), Math.max(0, due - this.house.clock()));
    this.#timer.unref();
  }

  #sweep(): void {
    this.#timer = undefined;
    const now = this.house.clock();
    for (const [connection, due] of this.#nameless) {
      if (due > now) break;
      this.#connections
        .get(connection)
        ?.close(formatError(`Cannot wait any longer: no name came within ${this.#namingMs / 1000} s`));
    }
    this.#arm();
  }
}
