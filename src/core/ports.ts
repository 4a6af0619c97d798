// What the core asks of the world: starting commands and checking credentials. Doors and the composition root bring
// the implementations; the shapes here know no socket, no file and no clock.

/**
 * Bytes that come as long as they are wanted. A source starts paused: nothing is read before `resume()`.
 * At most one listener of each kind.
 */
export interface ByteSource {
  /** `release`, where there is one: the bytes are no longer needed, and will be others. Who keeps them does not call it. */
  onData(listener: (chunk: Uint8Array, release?: () => void) => void): void;
  /** No byte follows: the writers are gone, or the reader cancelled. Called once. */
  onEnd(listener: () => void): void;
  pause(): void;
  resume(): void;
  /** The reader wants no more: the writer meets a broken pipe, as behind `yes | head`. */
  cancel(): void;
}

/** Bytes on their way to a command. */
export interface ByteSink {
  /** False: the sink is full, wait for `onDrain`. Bytes for a reader that is gone are dropped. */
  write(chunk: Uint8Array): boolean;
  onDrain(listener: () => void): void;
  /** The reader is gone and takes nothing more (EPIPE). Called once at most. */
  onClosed(listener: () => void): void;
  end(): void;
}

/** A shell line for `/bin/sh -c`, or an argument vector that no shell sees. */
export type RunCommand = { kind: 'shell'; line: string } | { kind: 'argv'; argv: readonly string[] };

/** In characters. */
export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

export interface RunRequest {
  readonly command: RunCommand;
  /** Only what may pass (`core/run/environment.ts`); the runner adds PATH, HOME and the like. */
  readonly env: Readonly<Record<string, string>>;
  /** Where it starts, from where commands start by themselves; there if absent. */
  readonly cwd?: string;
  /** It runs in a terminal of this size: input is typed there, and all output comes on stdout. */
  readonly terminal?: TerminalSize;
  /** After so many milliseconds the command is ended and the result is `timeout`. */
  readonly timeoutMs?: number;
  /** For a machine to keep: the hash that the chain of records ends with, this start being in it. */
  readonly recordsHead?: string;
}

/** How a run ended. `status` is what a shell would report: its own, 128+N for signal N, 124 for a timeout. */
export type RunResult =
  | { result: 'exited'; status: number }
  | { result: 'signalled'; status: number; signal: number }
  | { result: 'timeout'; status: 124 }
  | { result: 'cancelled'; status: number }
  /** The machine itself does not allow it, or cannot start anything now: nothing was started there. */
  | { result: 'denied'; status: null; reason: string }
  /** `mayGoOn`: what told of it has ended, and of a detached run that is not the run. */
  | { result: 'lost'; status: null; reason: string; mayGoOn?: true };

/** One command under way. */
export interface Run {
  readonly stdin: ByteSink;
  readonly stdout: ByteSource;
  readonly stderr: ByteSource;
  /** Settles, never rejects, once the command has ended and both outputs have ended. */
  readonly ended: Promise<RunResult>;
  /** Ends the command and all it started: HUP, TERM, then KILL on its session. Idempotent. `why`: for its record. */
  cancel(why?: string): void;
  /** Of its terminal; nothing if it has none, or has ended. */
  resize(size: TerminalSize): void;
}

/** One on this very machine. */
export interface LocalRun extends Run {
  /** Settles once it is known whether there is a command: false, and it ends with 126, 127, `denied` or `lost`. */
  readonly begun: Promise<boolean>;
}

export interface Runner {
  /** Returns at once. What cannot be started ends with 126 or 127 and words on stderr, as from a shell. */
  start(request: RunRequest): Run;
  /** Ends every run, then the runner itself. */
  close(): Promise<void>;
}

export interface LocalRunner extends Runner {
  start(request: RunRequest): LocalRun;
}

/** Knows the owner token without showing it. */
export interface OwnerCredential {
  /** Whether the text is the owner token; takes the same time either way. */
  matches(text: string): boolean;
  /** Whether it is a ticket of somebody who has proven to be the owner; it is used up by this. */
  useTicket(text: string, nowMs: number): boolean;
}
