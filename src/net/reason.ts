// What the system says about connecting and about files, in words: nobody should have to know what ECONNREFUSED is.

const CONNECT: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  ETIMEDOUT: 'timed out',
  EHOSTUNREACH: 'no route to that host',
  EHOSTDOWN: 'that host is down',
  ENETUNREACH: 'network unreachable',
  ENETDOWN: 'network down',
  EACCES: 'not permitted',
  EPERM: 'not permitted',
  EADDRNOTAVAIL: 'no address of this machine leads there',
  EAFNOSUPPORT: 'this machine does not have that family',
  EINVAL: 'not an address that can be reached from here',
  EMFILE: 'too many files are open here',
  EPIPE: 'connection closed',
};

/** In words, and what it says about where the trouble is. */
export interface Failure {
  readonly why: string;
  readonly kind: FailureKind;
}

/** What a failure to connect says about where the trouble is. */
export type FailureKind =
  /** The host answers, and nothing listens there. */
  | 'refused'
  /** Nobody answers. */
  | 'silent'
  /** No way leads there from here, or a router on the way says that there is none. */
  | 'no-route'
  | 'other';

const KINDS: Readonly<Record<string, FailureKind>> = {
  ECONNREFUSED: 'refused',
  ETIMEDOUT: 'silent',
  EHOSTUNREACH: 'no-route',
  ENETUNREACH: 'no-route',
  ENETDOWN: 'no-route',
  EADDRNOTAVAIL: 'no-route',
  EAFNOSUPPORT: 'no-route',
};

/** Node turns both EAI_NONAME and EAI_NODATA into ENOTFOUND. */
const LOOKUP: Readonly<Record<string, string>> = {
  ENOTFOUND: 'name does not resolve',
  EAI_AGAIN: 'the name service does not answer',
  EAI_FAIL: 'the name service failed',
};

const FILE: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist',
  ENOTDIR: 'it does not exist',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'it is not a file',
  ENXIO: 'it is not a file',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space is left',
};

export function whyConnectFailed(error: unknown): string {
  return inWords(error, CONNECT);
}

export function connectFailure(error: unknown): Failure {
  return { why: whyConnectFailed(error), kind: KINDS[codeOf(error)] ?? 'other' };
}

/** What a deadline says that has passed. */
export function noAnswerWithin(ms: number): string {
  return `no answer within ${ms / 1_000} s`;
}

export function whyLookupFailed(error: unknown): string {
  return inWords(error, LOOKUP);
}

export function whyFileFailed(error: unknown): string {
  return inWords(error, FILE);
}

function inWords(error: unknown, words: Readonly<Record<string, string>>): string {
  if (!(error instanceof Error)) return String(error);
  const code = codeOf(error);
  return words[code] ?? (code || error.message);
}

/** Such as `ECONNREFUSED`; empty for what is not an error of the system. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
