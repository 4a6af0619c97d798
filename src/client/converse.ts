// After the exchange of names: what comes in goes to the server, what the server sends back is shown. Neither side is
// read faster than the other takes it, so memory stays flat whatever flows.

import type { Readable, Writable } from 'node:stream';
import { CloseWatch, type Watched } from './echo-lines.ts';
import type { EchoConnection } from './echo.ts';

/** After our end of sending and with nothing owed, a server that does not close is waited for no longer than this. */
export const END_GRACE_MS = 2_000;

export interface Conversation {
  readonly connection: EchoConnection;
  readonly input: Readable;
  readonly output: Writable;
  /** What of the echo is written to the output, for a chunk of it. */
  readonly show: (chunk: Uint8Array) => Uint8Array | string;
  /** Everything that was sent so far has come back: the moment for a prompt. */
  readonly onQuiet?: () => void;
  readonly endGraceMs?: number;
}

/** Counts are of bytes that are to be shown; the word `close` is not among them. */
export type Ended =
  | { readonly why: 'done'; readonly by: 'close' | 'end'; readonly sent: number; readonly received: number }
  | { readonly why: 'cut'; readonly sent: number; readonly received: number; readonly isInputOver: boolean }
  /** Nobody reads the output any more. */
  | { readonly why: 'output-closed' }
  | { readonly why: 'input-failed'; readonly reason: string };

/** Settles when both directions have ended; the socket is gone then, and the input is no longer read. */
export function converse(conversation: Conversation): Promise<Ended> {
  const { connection, input, output, show, onQuiet, endGraceMs = END_GRACE_MS } = conversation;
  const { socket, server, rest } = connection;
  const watch = new CloseWatch();
  let sent = 0;
  let received = 0;
  let isInputOver = false;
  /** What ended the input: the line `close`, or its end. */
  let by: 'close' | 'end' = 'end';
  /** A named server is told `close`, and may echo the word: nothing after what is owed is shown then. */
  let saidClose = false;
  let isOutputFull = false;
  let grace: NodeJS.Timeout | undefined;

  return new Promise((settle) => {
    const finish = (ended: Ended): void => {
      clearTimeout(grace);
      input.off('data', onInput).off('end', onInputEnd).pause();
      output.off('drain', onOutputDrain);
      socket.destroy();
      // Late errors of streams that nobody needs any more are no news: their listeners stay.
      settle(ended);
    };
    const finishAsItStands = (): void => {
      const isDone = received >= sent && isInputOver;
      finish(isDone ? { why: 'done', by, sent, received } : { why: 'cut', sent, received, isInputOver });
    };
    const send = ({ pass, isClosed }: Watched): void => {
      sent += pass.length;
      if (pass.length > 0 && !socket.write(pass)) input.pause();
      if (isClosed) endSending(true);
    };
    const endSending = (isClosed: boolean): void => {
      if (isInputOver) return;
      isInputOver = true;
      by = isClosed ? 'close' : 'end';
      input.off('data', onInput).off('end', onInputEnd).pause();
      saidClose = isClosed && server.kind === 'partyline';
      if (saidClose) socket.end('close\n');
      else socket.end();
      waitForEnd();
    };
    const waitForEnd = (): void => {
      clearTimeout(grace);
      if (isInputOver && received >= sent && !isOutputFull) grace = setTimeout(finishAsItStands, endGraceMs);
    };
    const receive = (chunk: Uint8Array): void => {
      const shown = saidClose ? chunk.subarray(0, Math.max(0, sent - received)) : chunk;
      received += shown.length;
      if (shown.length > 0 && !output.write(show(shown))) {
        isOutputFull = true;
        socket.pause();
      }
      if (received === sent && !isInputOver) onQuiet?.();
      waitForEnd();
    };
    const onInput = (chunk: Buffer | string): void =>
      send(watch.push(Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk)));
    const onInputEnd = (): void => {
      const last = watch.end();
      send(last);
      endSending(last.isClosed);
    };
    const onOutputDrain = (): void => {
      isOutputFull = false;
      socket.resume();
      waitForEnd();
    };

    output.on('error', () => finish({ why: 'output-closed' })).on('drain', onOutputDrain);
    socket.on('error', finishAsItStands).on('end', finishAsItStands).on('data', receive);
    socket.on('drain', () => isInputOver || input.resume());
    input.on('error', (error) => finish({ why: 'input-failed', reason: error.message }));
    input.on('data', onInput).on('end', onInputEnd);
    if (rest.length > 0) receive(rest);
    else onQuiet?.();
    if (!isOutputFull) socket.resume();
  });
}
