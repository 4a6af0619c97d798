// Keeps a client connected: the first connection, and after each loss the next one, later and later, until it is there,
// the server says no, or somebody closes it.

import { delayBefore, waited, type Reconnect } from './backoff.ts';
import { choose, kindOf, logIn, type CameInBy, type CredentialChoice, type Identity } from './credential.ts';
import { ClosedError, RefusedError, UnreachableError } from './errors.ts';
import type { Opened, Surroundings, Transport, Wire } from './wire.ts';
import type { World } from './world.ts';

/** Milliseconds for the last acknowledgements to be taken by a server that may no longer be there. */
const CLOSE_GRACE_MS = 2_000;

/** What a connection is up to. */
export type ConnectionState =
  | { readonly state: 'connected' }
  /** The next attempt comes by itself. */
  | { readonly state: 'lost'; readonly reason: string }
  | { readonly state: 'over'; readonly error: Error };

/** What a client is told of its connection. */
export interface LinkListener {
  onConnected(wire: Wire): void;
  /** The next attempt comes by itself. */
  onLost(reason: string): void;
  /** There will be no other connection. */
  onOver(error: Error): void;
}

export interface LinkOptions {
  readonly transport: Transport;
  readonly credential: CredentialChoice;
  /** `false`: a lost connection is the end. */
  readonly reconnect: Reconnect | false;
  readonly world: World;
}

export class Link {
  readonly #options: LinkOptions;
  readonly #stop = new AbortController();
  #credential: CredentialChoice;
  #listener: LinkListener | undefined;
  #opened: Opened | undefined;
  #identity: Identity | undefined;
  #cameInBy: CameInBy | undefined;
  #over: Promise<void> = Promise.resolve();

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#credential = options.credential;
  }

  get identity(): Identity | undefined {
    return this.#identity;
  }

  get cameInBy(): CameInBy | undefined {
    return this.#cameInBy;
  }

  /** The credential for the next time: a code leaves a token. */
  get credential(): CredentialChoice {
    return this.#credential;
  }

  get surroundings(): (Surroundings & { readonly serverName: string }) | undefined {
    if (this.#opened === undefined) return undefined;
    const { isLoopback, isPrivate, fingerprint, wire } = this.#opened;
    return { isLoopback, isPrivate, fingerprint, serverName: wire.serverName };
  }

  /** The first connection: once, and its failure is the caller's. */
  async open(listener: LinkListener, signal: AbortSignal | undefined): Promise<void> {
    const { signal: stop } = this.#stop;
    const wire = await this.#connect(signal === undefined ? stop : AbortSignal.any([stop, signal]));
    this.#listener = listener;
    listener.onConnected(wire);
    this.#over = this.#keep(wire);
  }

  /** What was written still leaves. Settles when the connection is gone. */
  async close(): Promise<void> {
    this.#stop.abort(new ClosedError());
    this.#opened?.wire.close();
    const cancel = this.#options.world.after(CLOSE_GRACE_MS, () => this.#opened?.wire.destroy());
    await this.#over;
    cancel();
  }

  async #connect(signal: AbortSignal): Promise<Wire> {
    let opened = await this.#options.transport(signal);
    const onAbort = () => opened.wire.destroy();
    signal.addEventListener('abort', onAbort);
    try {
      const state = { isGone: false };
      void opened.wire.gone.then(() => (state.isGone = true));
      const credential = await orAborted(whileNative(opened, choose(opened, this.#credential)), signal);
      if (state.isGone) {
        // A server waits some seconds only, and somebody may have typed for longer: that was not in vain.
        const before = opened;
        opened = await this.#options.transport(signal);
        if (!isAlike(before, opened)) throw new UnreachableError('The server went away, and another one answers now');
      }
      const { identity, next } = await logIn(opened, credential);
      if (next !== credential) this.#credential = next;
      this.#identity = identity;
      this.#cameInBy = kindOf(credential);
      signal.throwIfAborted();
    } catch (error) {
      opened.wire.destroy();
      signal.throwIfAborted();
      throw error;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
    this.#opened = opened;
    return opened.wire;
  }

  async #keep(first: Wire): Promise<void> {
    for (let wire: Wire | undefined = first; wire !== undefined;) {
      const reason = await wire.gone;
      if (this.#stop.signal.aborted) return;
      this.#listener?.onLost(reason);
      wire = await this.#again(reason);
      if (wire !== undefined) this.#listener?.onConnected(wire);
    }
  }

  /** Undefined: it is over, and the listener knows. */
  async #again(reason: string): Promise<Wire | undefined> {
    const { reconnect, world } = this.#options;
    const { signal } = this.#stop;
    let last: Error = new UnreachableError(`The server went away: ${reason}`);
    for (let attempt = 0; ; attempt++) {
      const delayMs = reconnect === false ? undefined : delayBefore(attempt, reconnect, () => world.random());
      if (delayMs === undefined) {
        this.#listener?.onOver(last);
        return undefined;
      }
      await waited(delayMs, { world, signal });
      if (signal.aborted) return undefined;
      try {
        return await this.#connect(signal);
      } catch (error) {
        if (signal.aborted) return undefined;
        if (!(error instanceof UnreachableError || isForNow(error))) {
          this.#listener?.onOver(error instanceof Error ? error : new Error(String(error)));
          return undefined;
        }
        last = error;
      }
    }
  }
}

/** What was chosen for the one may be shown to the other. */
function isAlike(one: Surroundings, other: Surroundings): boolean {
  return (
    one.isLoopback === other.isLoopback && one.isPrivate === other.isPrivate && one.fingerprint === other.fingerprint
  );
}

/** Whoever is asked is not kept, once it turns out that there is no native server. */
async function whileNative<Value>({ greeting }: Opened, value: Promise<Value>): Promise<Value> {
  const wrong = Promise.withResolvers<never>();
  void greeting.then((error) => error !== undefined && wrong.reject(error));
  return await Promise.race([value, wrong.promise]);
}

/** Whoever is asked may never answer. Throws the signal's reason. */
async function orAborted<Value>(value: Promise<Value>, signal: AbortSignal): Promise<Value> {
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', abort);
  try {
    if (signal.aborted) abort();
    return await Promise.race([value, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** The server did not look at the password, and would later. */
function isForNow(error: unknown): error is RefusedError {
  return error instanceof RefusedError && (error.code === 'busy' || error.code === 'too-many-wrong');
}
