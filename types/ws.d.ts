// What is used of ws: the server's side of a WebSocket, for a request that the HTTP server has read.
declare module 'ws' {
  import type { IncomingMessage } from 'node:http';
  import type { Duplex } from 'node:stream';

  export class WebSocket {
    readonly readyState: number;
    send(data: Uint8Array, options: { binary: true }, done?: (error?: Error | null) => void): void;
    close(code?: number, reason?: string): void;
    terminate(): void;
    pause(): void;
    resume(): void;
    on(event: 'message', listener: (data: Buffer, isBinary: boolean) => void): this;
    on(event: 'close', listener: () => void): this;
    on(event: 'error', listener: (error: Error) => void): this;
  }

  export class WebSocketServer {
    constructor(options: {
      noServer: true;
      clientTracking: false;
      perMessageDeflate: false;
      maxPayload: number;
      handleProtocols: (protocols: Set<string>) => string | false;
    });
    handleUpgrade(
      request: IncomingMessage,
      socket: Duplex,
      head: Buffer,
      callback: (webSocket: WebSocket) => void,
    ): void;
  }
}
