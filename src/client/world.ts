// What the library takes of the world, as an argument: time and chance.

export interface World {
  /** Calls back after so many milliseconds, unless the returned function is called before. */
  after(ms: number, then: () => void): () => void;
  /** In [0, 1). */
  random(): number;
  /** What nobody else uses as a key: it makes a message that is sent again the same message. */
  newKey(): string;
}

/** 128 random bits: no two messages of one sender ever meet the same. */
const KEY_BYTES = 16;

/** Of Node and of browsers alike; `crypto.randomUUID` is missing in a page that came by plain HTTP. */
export const REAL_WORLD: World = {
  after(ms, then) {
    const timer = setTimeout(then, ms);
    return () => clearTimeout(timer);
  },
  random: Math.random,
  newKey: () =>
    Array.from(crypto.getRandomValues(new Uint8Array(KEY_BYTES)), (byte) => byte.toString(16).padStart(2, '0')).join(
      '',
    ),
};
