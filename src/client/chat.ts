// The client's end of the line protocol: comes in by name, and then lines both ways at the pace of the slower.

import type { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { LineDecoder } from '../protocol/line/decoder.ts';
import { PROMPT } from '../protocol/line/reply.ts';
import { quote } from '../protocol/text.ts';
import { ReachError } from './reach.ts';

/** A server that has not answered a name by then is not going to. */
const ANSWER_DEADLINE_MS = 10_000;
/** An answer's first line is a sentence; a megabyte without a line end is something else. */
const MAX_ANSWER_BYTES = 65_536;
const ERROR = 'error: ';

/** Gives a name and waits for the answer, which is returned as far as it has come. Throws a `ReachError`. */
export async function comeIn(socket: Socket, name: string): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const fail = (why: string) => reject(new ReachError(`Cannot come in as ${quote(name)}: ${why}`));
  let answer = Buffer.alloc(0);
  const onData = (chunk: Buffer) => {
    answer = Buffer.concat([answer, chunk]);
    // A server that was quicker than we were has asked for the name already.
    const from = answer.subarray(0, PROMPT.length).equals(Buffer.from(PROMPT)) ? PROMPT.length : 0;
    const end = answer.indexOf('\n', from);
    if (end < 0)
      return answer.length > MAX_ANSWER_BYTES ? fail('the server does not speak the line protocol') : undefined;
    const line = answer.toString('utf8', from, end);
    if (line.startsWith(ERROR)) return reject(new ReachError(line.slice(ERROR.length)));
    if (!line.startsWith('Connected with ')) return fail(`the server answered ${quote(line)}`);
    return resolve(answer.subarray(from));
  };
  const onEnd = () => fail('the server closed the connection');
  const onError = (error: Error) => fail(`the connection broke (${error.message})`);
  const timer = setTimeout(() => fail(`no answer within ${ANSWER_DEADLINE_MS / 1_000} s`), ANSWER_DEADLINE_MS);
  socket.on('data', onData).once('end', onEnd).once('error', onError);
  socket.write(`${name}\n`);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    socket.pause();
    socket.off('data', onData).off('end', onEnd).off('error', onError);
  }
}

export interface Talk {
  readonly socket: Socket;
  /** What `comeIn` returned. */
  readonly first: Buffer;
  readonly input: Readable;
  readonly output: Writable;
  /** What of the server's text is written to the output. */
  readonly show: (chunk: Buffer) => Buffer | string;
}

/** `left`: we said that it ends, and everything was sent. `output-closed`: nobody reads us any more. */
export type TalkEnd = 'left' | 'server-gone' | 'output-closed';

/** Lines in, lines out, until either side has ended. */
export function talk({ socket, first, input, output, show }: Talk): Promise<TalkEnd> {
  const typed = new LineDecoder();
  let isLeaving = false;
  return new Promise((resolve) => {
    const finish = (end: TalkEnd) => {
      input.off('data', onInput).off('end', onInputEnd).pause();
      socket.destroy();
      resolve(end);
    };
    const onInput = (chunk: Buffer) => {
      isLeaving ||= typed.receive(chunk).some((line) => typeof line === 'string' && line.trim() === 'quit');
      if (!socket.write(chunk)) input.pause();
    };
    const onInputEnd = () => {
      isLeaving = true;
      socket.end();
    };
    const onData = (chunk: Buffer) => {
      if (output.write(show(chunk))) return socket.resume();
      output.once('drain', () => socket.resume());
      return socket.pause();
    };
    output.once('error', () => finish('output-closed'));
    socket.on('data', onData);
    socket.on('drain', () => input.resume());
    socket.once('error', () => finish('server-gone'));
    socket.once('end', () => finish(isLeaving ? 'left' : 'server-gone'));
    input.on('data', onInput).once('end', onInputEnd);
    onData(first);
  });
}
