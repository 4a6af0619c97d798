// A source and a sink of bytes as far as their listeners go, whatever is behind them: one of each kind, told once that it is
// over, a moment later, and told too if it comes late.

import type { ByteSink, ByteSource } from '../ports.ts';

type DataListener = Parameters<ByteSource['onData']>[0];
type Listener = () => void;

export abstract class ListenedSource implements ByteSource {
  #onData: DataListener | undefined;
  #onEnd: Listener | undefined;
  #hasEnded = false;

  /** And its reader knows. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  onData(listener: DataListener): void {
    this.#onData = listener;
  }

  onEnd(listener: Listener): void {
    this.#onEnd = listener;
    if (this.#hasEnded) soon(listener);
  }

  abstract pause(): void;
  abstract resume(): void;
  abstract cancel(): void;

  protected tellData(...given: Parameters<DataListener>): void {
    this.#onData?.(...given);
  }

  /** To be called once. `then` is called after the reader's own listener. */
  protected tellEnd(then: Listener = () => {}): void {
    soon(() => {
      this.#hasEnded = true;
      this.#onEnd?.();
      then();
    });
  }
}

export abstract class ListenedSink implements ByteSink {
  #onDrain: Listener | undefined;
  #onClosed: Listener | undefined;
  #isClosed = false;

  /** Nothing is taken any more. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  onDrain(listener: Listener): void {
    this.#onDrain = listener;
  }

  onClosed(listener: Listener): void {
    this.#onClosed = listener;
    if (this.#isClosed) soon(listener);
  }

  abstract write(chunk: Uint8Array): boolean;
  abstract end(): void;

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const told = this.#onClosed;
    if (told !== undefined) soon(told);
  }

  protected tellDrain(): void {
    this.#onDrain?.();
  }
}

function soon(listener: Listener): void {
  void Promise.resolve().then(listener);
}
