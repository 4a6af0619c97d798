// Rows that wait and say the same, in the order of their numbers. Of a machine that says nothing but `y` there are tens of
// thousands, and an array that long moves all it holds when its first is taken: so the first is only passed over, and those
// that were are dropped together.

interface Numbered {
  readonly number: number;
}

/** So many passed over are dropped, if no more are left behind them: each row is moved once at most for one that is taken. */
const MIN_DROPPED_ROWS = 64;

export class Alike<Row extends Numbered> {
  readonly #rows: Row[] = [];
  /** Rows before this one are taken. */
  #first = 0;

  get isEmpty(): boolean {
    return this.#first === this.#rows.length;
  }

  /** Its number is higher than all before. */
  push(row: Row): void {
    this.#rows.push(row);
  }

  takeFirst(): void {
    this.#first += 1;
    if (this.#first < MIN_DROPPED_ROWS || 2 * this.#first < this.#rows.length) return;
    this.#rows.splice(0, this.#first);
    this.#first = 0;
  }

  /** The first with a higher number. */
  after(number: number): Row | undefined {
    let [low, high] = [this.#first, this.#rows.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#rows[middle]?.number ?? 0) > number) high = middle;
      else low = middle + 1;
    }
    return this.#rows[low];
  }
}
