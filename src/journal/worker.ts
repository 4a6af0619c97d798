// Inside a worker: the writer or the reader, behind messages.

import { setPriority } from 'node:os';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { wordsFor } from './errors.ts';
import { Pace } from './pace.ts';
import { Reader } from './reader.ts';
import type { FromReader, FromWriter, Query, Result, ToReader, ToWriter, WorkerSettings } from './wire.ts';
import { Writer } from './writer.ts';
import { reasonOf } from '../reason.ts';

/** With nothing to write for so long, the words of the last messages are put into their index. */
const IDLE_MS = 200;
/** What nobody waits for, as the end of a run, is synced so soon, whatever else there is to do: docs/decisions/0019-run-records.md. */
const SYNC_WITHIN_MS = 200;
/** Whoever talks comes first: the log keeps what this has not come to. */
const WRITER_NICENESS = 10;

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
    return tell({ cannotOpen: reasonOf(error) });
  }
  // Linux gives each thread a niceness of its own (setpriority(2)); elsewhere this would be the whole server's.
  if (process.platform === 'linux') setPriority(WRITER_NICENESS);
  let isClosed = false;
  let idle: NodeJS.Timeout | undefined;
  const rest = () => {
    idle?.refresh();
    idle ??= setTimeout(() => !isRenewing && indexWords(renew), IDLE_MS).unref();
  };
  // Whatever else is to be written has its turn, and this goes on when that rests.
  let isRenewing = false;
  const renew = (): void => {
    isRenewing = !isClosed && !pace.isAtIt && writer.renew();
    if (isRenewing) setImmediate(() => indexWords(renew));
  };
  // Between two parts there is a turn for whatever else has come.
  const indexWords = (done: () => void): void => {
    if (!isClosed && writer.indexWords()) setImmediate(indexWords, done);
    else done();
  };
  let syncing: NodeJS.Timeout | undefined;
  const sync = (): void => {
    clearTimeout(syncing);
    syncing = undefined;
    try {
      writer.sync();
    } catch {
      // The next start of a run is synced, and says so if it cannot be.
    }
  };
  const pace = new Pace();
  const index = (): void => {
    if (isClosed) return;
    const startMs = performance.now();
    const { messages } = writer;
    try {
      const isMore = messages.step();
      if (!isMore) messages.sync();
      tell({ indexed: messages.head, durable: messages.durable, isDone: !isMore });
      if (isMore) return pace.next(index, { tookMs: performance.now() - startMs, backlogBytes: messages.backlogBytes });
    } catch (error) {
      tell({ indexFailed: wordsFor(error) });
    }
    pace.rest();
    rest();
  };
  port.on('message', (message: ToWriter) => {
    if (message === 'words') return indexWords(() => tell({ words: true }));
    if (message === 'close') {
      isClosed = true;
      clearTimeout(idle);
      pace.rest();
      sync();
      writer.close();
      return port.close();
    }
    if ('record' in message) {
      tell(writer.record(message.record));
      // Not put off by what comes next: it may never rest.
      if (writer.isBehind) syncing ??= setTimeout(sync, SYNC_WITHIN_MS);
      return rest();
    }
    writer.messages.add(message.index);
    pace.begin(index, message.isUrgent);
  });
  rest();
  tell({ opened: writer.everything, ...writer.found });
}

function read(port: MessagePort): void {
  const tell = (message: FromReader) => port.postMessage(message);
  let reader: Reader;
  try {
    reader = new Reader(settings.path);
  } catch (error) {
    return tell({ cannotOpen: reasonOf(error) });
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
    case 'runs':
      return reader.runs.runs(query);
    case 'run':
      return reader.runs.run(query);
    case 'output':
      return reader.runs.output(query);
  }
}
