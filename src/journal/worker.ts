// Inside a worker: the writer or the reader, behind messages.

import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { wordsFor } from './errors.ts';
import { Reader } from './reader.ts';
import type { FromReader, FromWriter, Query, Result, ToReader, ToWriter, WorkerSettings } from './wire.ts';
import { Writer } from './writer.ts';

/** Without a batch for so long, the words of the last ones are put into their index. */
const IDLE_MS = 200;

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
  port.on('message', (message: ToWriter) => {
    if (message === 'index') return index(() => tell({ indexed: true }));
    if (message !== 'close') {
      rest();
      return tell(writer.write(message.entries));
    }
    isClosed = true;
    clearTimeout(idle);
    writer.close();
    return port.close();
  });
  rest();
  tell({ opened: writer.everything });
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
