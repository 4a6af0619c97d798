// SIGINT and SIGTERM for a command that has something to end elsewhere first: the first one asks for that, the second
// ends us.

/** What a shell reports of a process that died of the signal. */
export const INTERRUPTED = { SIGINT: 130, SIGTERM: 143 } as const;

export interface Interruption {
  /** Undefined until one has come. */
  readonly name: keyof typeof INTERRUPTED | undefined;
  readonly signal: AbortSignal;
  /** Settles when the first one comes. */
  readonly happened: Promise<void>;
  /** From now on signals do what they always do. */
  stop(): void;
}

export function watchInterruption(): Interruption {
  const abort = new AbortController();
  const happened = new Promise<void>((resolve) => {
    abort.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  let first: Interruption['name'];
  const onSignal = (name: NodeJS.Signals) => {
    if (name !== 'SIGINT' && name !== 'SIGTERM') return;
    if (first !== undefined) process.exit(INTERRUPTED[name]);
    first = name;
    abort.abort();
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  return {
    get name() {
      return first;
    },
    signal: abort.signal,
    happened,
    stop: () => process.off('SIGINT', onSignal).off('SIGTERM', onSignal),
  };
}
