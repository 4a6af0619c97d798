// The client's end of the line protocol: comes in by name, and then lines both ways at the pace of the slower.

import type { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { LineDecoder } from '../protocol/line/decoder.ts';
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

/** What asks for the password of an account, which is not given here. */
const ASKS_PASSWORD = '"Password: "';

export interface Coming {
  readonly name: string;
  /** Of the account of that name. Only for a connection that is encrypted, or stays on this machine. */
  readonly token?: string;
  readonly answerDeadlineMs?: number;
}

/** Gives a name and waits for the answer, which is returned as far as it has come. Throws a `ReachError`. */
export async function comeIn(reached: Plain, coming: Coming): Promise<Buffer> {
  const { socket, host } = reached;
  const { name, token, answerDeadlineMs: deadlineMs = ANSWER_DEADLINE_MS } = coming;
  socket.write(token === undefined ? `${name}\n` : `login ${token}\n`);
  const answer = await readFirstLine(socket, { deadlineMs, maxBytes: MAX_ANSWER_BYTES });
  if ('none' in answer) {
    const isAccount = answer.none.includes(ASKS_PASSWORD);
    const account = 'it is an account, and nobody is logged in to it here; see partyline login';
    throw cannot(isAccount ? account : answer.none + hintOfTls(reached));
  }
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
    input.on('data', onInput).once('end', onInputEnd);
    onData(first);
  });
}
