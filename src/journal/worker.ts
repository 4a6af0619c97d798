// Inside a worker: the writer or the reader, behind messages.

import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { wordsFor } from './errors.ts';
import { Reader } from './reader.ts';
import type { Entry, FromReader, FromWriter, Query, Result, ToReader, ToWriter, WorkerSettings } from './wire.ts';
import { Writer } from './writer.ts';

/** Without a batch for so long, the words of the last ones are put into their index. */
const IDLE_MS = 200;

/** Messages of one commit, as long as there is a choice: they are synced together, and told together. */
const MAX_COMMIT_ROWS = 5_000;

const settings: WorkerSettings = workerData;
if (parentPort !== null) {
  switch (settings.role) {
    case 'writer':
      write(parentPort);
      break;
    case 'reader':
      read(parentPort);
      break;
  }
}

function write(port: MessagePort): void {
  const tell = (message: FromWriter) => port.postMessage(message);
  let writer: Writer;
  try {
    writer = new Writer(settings.path);
  } catch (error) {
    return tell({ cannotOpen: error instanceof Error ? error.message : String(error) });
  }
  let idle: NodeJS.Timeout | undefined;
  const rest = () => {
    idle?.refresh();
    idle ??= setTimeout(() => index(() => {}), IDLE_MS).unref();
  };
  // Between two parts the batches that have come are written.
  const index = (done: () => void): void => {
    if (!isClosed && writer.index()) setImmediate(index, done);
    else done();
  };
  let isClosed = false;
  const close = () => {
    isClosed = true;
    clearTimeout(idle);
    writer.close();
    port.close();
  };
  port.on('message', (message: ToWriter) => {
    if (message === 'index') return index(() => tell({ indexed: true }));
    if (message === 'close') return close();
    rest();
    const batches = [message.entries];
    const next = takeWaiting(port, batches);
    const { answers, wrote } = writer.write(batches.flat());
    let from = 0;
    tell({ answers: batches.map(({ length }) => answers.slice(from, (from += length))), wrote });
    if (next === 'index') index(() => tell({ indexed: true }));
    else if (next === 'close') close();
  });
  rest();
  tell({ opened: writer.everything });
}

/** Batches that came meanwhile are committed with the first one. Returns what else was found, which comes after. */
function takeWaiting(port: MessagePort, batches: (readonly Entry[])[]): 'index' | 'close' | undefined {
  for (let rows = batches[0]?.length ?? 0; rows < MAX_COMMIT_ROWS;) {
    const found: { message: ToWriter } | undefined = receiveMessageOnPort(port);
    if (found === undefined) return undefined;
    if (found.message === 'index' || found.message === 'close') return found.message;
    batches.push(found.message.entries);
    rows += found.message.entries.length;
  }
  return undefined;
}

function read(port: MessagePort): void {
  const tell = (message: FromReader) => port.postMessage(message);
  let reader: Reader;
  try {
    reader = new Reader(settings.path);
  } catch (error) {
    return tell({ cannotOpen: error instanceof Error ? error.message : String(error) });
  }
  port.on('message', (message: ToReader) => {
    if (message === 'close') {
      reader.close();
      return port.close();
    }
    try {
      tell({ result: answer(reader, message) });
    } catch (error) {
      tell({ failed: wordsFor(error) });
    }
  });
  tell({ opened: true });
}

function answer(reader: Reader, { type, query }: Query): Result {
  switch (type) {
    case 'feed':
      return reader.feed(query);
    case 'history':
      return reader.history(query);
    case 'search':
      return reader.search(query);
  }
}
