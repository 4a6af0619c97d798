// What a client knows of servers' keys, as a port: where that is kept is not the client's business.

export type Met =
  | { readonly met: 'again' }
  /** Remembered from now on, there. `isVouched`: it is the key that was to be expected, so it was not taken on trust. */
  | { readonly met: 'first'; readonly where: string; readonly isVouched?: boolean }
  /** Not the server that it was, or nobody can tell. Why, in the middle of a line. */
  | { readonly refused: string };

export interface Trust {
  /** A server, as `HOST:PORT`, has shown that it holds this key. */
  meet(this: void, server: string, fingerprint: string): Met;
  /** Says one line to the person. */
  tell(this: void, line: string): void;
}

/** Trusts the one server whose key has this fingerprint, `sha256//…` as `tls.fingerprint` of its directory has it. */
export function trustKey(fingerprint: string): Trust {
  return {
    meet: (_, shown) =>
      shown === fingerprint
        ? { met: 'again' }
        : { refused: `its key is ${shown}, and ${fingerprint} is the one to trust` },
    tell: () => {},
  };
}
