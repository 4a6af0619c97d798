// The client's end of the line protocol: comes in by name, and then lines both ways at the pace of the slower.

import type { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { LineDecoder } from '../protocol/line/decoder.ts';
import { PASSWORD_PROMPT } from '../protocol/line/reply.ts';
import { quote } from '../protocol/text.ts';
import { readFirstLine } from './first-line.ts';
import { hintOfTls, ReachError, type Plain } from './reach.ts';
import { shown } from './shown.ts';

/** A server that has not answered a name by then is not going to: it looks into a list. */
const ANSWER_DEADLINE_MS = 10_000;
/** An answer's first line is a sentence; so much without a line end is something else. */
const MAX_ANSWER_BYTES = 65_536;
const ERROR = 'error: ';
const WELCOME = 'Connected with ';

export interface Coming {
  readonly name: string;
  /** Of the account of that name. Only for a connection that is encrypted, or stays on this machine. */
  readonly token?: string;
  /** The name is an account's, and its password is wanted; a text says why there is none. */
  readonly askPassword?: () => Promise<{ readonly password: string } | string>;
  readonly answerDeadlineMs?: number;
}

/** Gives a name and waits for the answer, which is returned as far as it has come. Throws a `ReachError`. */
export async function comeIn(reached: Plain, coming: Coming): Promise<Buffer> {
  const { socket, host } = reached;
  const { name, token, answerDeadlineMs: deadlineMs = ANSWER_DEADLINE_MS } = coming;
  socket.write(token === undefined ? `${name}\n` : `login ${token}\n`);
  const options = { deadlineMs, maxBytes: MAX_ANSWER_BYTES };
  let answer = await readFirstLine(socket, { ...options, question: PASSWORD_PROMPT });
  if ('none' in answer && answer.isAsked) {
    const given = (await coming.askPassword?.()) ?? 'its password is wanted';
    if (typeof given === 'string') throw cannot(`it is an account: ${given}`);
    socket.write(`${given.password}\n`);
    answer = await readFirstLine(socket, options);
  }
  if ('none' in answer) throw cannot(answer.none + hintOfTls(reached));
  const line = answer.line.toString().trimEnd();
  if (line.startsWith(ERROR)) {
    socket.destroy();
    throw new ReachError('denied', shown(line.slice(ERROR.length)));
  }
  if (!line.startsWith(WELCOME)) throw cannot(`it answered ${quote(line)}`);
  return Buffer.concat([answer.line, answer.rest]);

  function cannot(why: string): ReachError {
    socket.destroy();
    return new ReachError('unreached', `Cannot come in at ${host} as ${quote(name)}: ${why}`);
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
    // A password may have been asked for by it.
    input.on('data', onInput).once('end', onInputEnd).resume();
    onData(first);
  });
}
