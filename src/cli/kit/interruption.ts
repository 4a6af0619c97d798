// SIGINT and SIGTERM for a command that has something to end elsewhere first: the first one asks for that, the second
// ends us.

/** What a shell reports of a process that died of the signal. */
export const INTERRUPTED = { SIGINT: 130, SIGTERM: 143 } as const;

let interruptedBy: keyof typeof INTERRUPTED | undefined;

/**
 * Whoever was interrupted at a terminal dies of that very signal once it has cleaned up: a shell whose loop it was in goes on
 * after a status, 130 too, and stops only for a child that died (https://www.cons.org/cracauer/sigint.html). Elsewhere
 * the status says it, as it always has, to programs that look at nothing else.
 */
export function dieIfInterrupted(status: number): void {
  const name = interruptedBy;
  if (name === undefined || status !== INTERRUPTED[name] || !isAtTerminal()) return;
  process.removeAllListeners(name);
  process.kill(process.pid, name);
}

function isAtTerminal(): boolean {
  return process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
}

/** At once, whatever is still to be written. */
export function exitNow(status: number): never {
  dieIfInterrupted(status);
  process.exit(status);
}

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
    interruptedBy = name;
    if (first !== undefined) exitNow(INTERRUPTED[name]);
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
