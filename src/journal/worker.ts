// Inside a worker: the writer or the reader, behind messages.

import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { wordsFor } from './errors.ts';
import { Reader } from './reader.ts';
import type { FromReader, FromWriter, Query, Result, ToReader, ToWriter, WorkerSettings } from './wire.ts';
import { Writer } from './writer.ts';

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
  port.on('message', (message: ToWriter) => {
    if (message !== 'close') return tell(writer.write(message.entries));
    writer.close();
    port.close();
  });
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
