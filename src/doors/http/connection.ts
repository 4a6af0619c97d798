// One HTTP connection and the time that it has. Node holds such bounds for servers that listen themselves alone (it
// arms them on 'listening'), and this server is handed its connections.

import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

/** Milliseconds for the headers of a request, from the start or the last request's end: any program is quicker. */
const HEADERS_TIMEOUT_MS = 10_000;
/** Milliseconds for what follows the headers: nothing here takes a body, so nobody is owed the time for a long one. */
const REQUEST_TIMEOUT_MS = 30_000;
/** Milliseconds for the last words to be fetched. */
const LINGER_MS = 5_000;

const CLOSE = 'Connection: close\r\nContent-Length: 0\r\n\r\n';
const BAD_REQUEST = `HTTP/1.1 400 Bad Request\r\n${CLOSE}`;
const TIMED_OUT = `HTTP/1.1 408 Request Timeout\r\n${CLOSE}`;

export class HttpConnection {
  readonly #socket: Socket;
  #phase: 'headers' | 'request' | 'closing' = 'headers';
  #request: IncomingMessage | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.once('close', () => clearTimeout(this.#timer));
    this.#arm(HEADERS_TIMEOUT_MS);
  }

  /** Its headers are there. False: it came too late and is not answered. */
  begin(request: IncomingMessage): boolean {
    request.resume();
    if (this.#phase === 'closing') return false;
    this.#phase = 'request';
    this.#request = request;
    this.#arm(REQUEST_TIMEOUT_MS);
    request.once('end', () => {
      // The next one may have come with it, and then it is that one's time.
      if (this.#phase !== 'request' || this.#request !== request) return;
      this.#phase = 'headers';
      this.#arm(HEADERS_TIMEOUT_MS);
    });
    return true;
  }

  /** What came is not HTTP. */
  refuse(): void {
    this.close(BAD_REQUEST);
  }

  /** Says that and then closes in order: cut at once, the words could be lost on the way. */
  close(words = ''): void {
    if (this.#phase === 'closing') return;
    this.#phase = 'closing';
    this.#socket.end(words);
    this.#arm(LINGER_MS);
  }

  /** It is somebody else's from now on, who has bounds of its own. */
  release(): void {
    this.#phase = 'closing';
    clearTimeout(this.#timer);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  closed(): Promise<void> {
    return new Promise((resolve) => this.#socket.once('close', () => resolve()));
  }

  #arm(ms: number): void {
    clearTimeout(this.#timer);
    if (!this.#socket.destroyed) this.#timer = setTimeout(() => this.#expire(), ms);
  }

  #expire(): void {
    switch (this.#phase) {
      case 'headers':
        return this.close(TIMED_OUT);
      case 'request':
        // It has had its answer, and only its body is late.
        return this.close();
      case 'closing':
        return this.destroy();
    }
  }
}
