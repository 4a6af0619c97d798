// How fast the database follows the log: at its ease while much is said, because whoever talks needs the same processor and
// the same disk; at once when somebody waits for it, or when the log holds a good part of what it may.

/** Of the time: a tenth for the database, the rest for whoever talks. */
const PAUSE_FACTOR = 9;
/** Bytes of the log that may wait before the database hurries: some hundred thousand messages. */
const MAX_BACKLOG_BYTES = 134_217_728;

export class Pace {
  #next: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isUrgent = false;

  /** Something is being done, or waits for its turn. */
  get isAtIt(): boolean {
    return this.#next !== undefined;
  }

  /** Something is to be done, part by part. */
  begin(part: () => void, isUrgent: boolean): void {
    this.#isUrgent ||= isUrgent;
    const isResting = this.#next === undefined;
    this.#next = part;
    if (isResting || (isUrgent && this.#timer !== undefined)) this.#schedule(0);
  }

  /** One part was done, which took so long, and there are more. */
  next(part: () => void, { tookMs, backlogBytes }: { tookMs: number; backlogBytes: number }): void {
    this.#next = part;
    this.#schedule(this.#isUrgent || backlogBytes > MAX_BACKLOG_BYTES ? 0 : tookMs * PAUSE_FACTOR);
  }

  /** All is done. */
  rest(): void {
    this.#clear();
    this.#next = undefined;
    this.#isUrgent = false;
  }

  #schedule(pauseMs: number): void {
    this.#clear();
    if (pauseMs === 0) return void setImmediate(() => this.#next?.());
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#next?.();
    }, pauseMs);
  }

  #clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
