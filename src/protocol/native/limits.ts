// How far a native connection may grow, each bound with its reason. docs/protocol/native.md repeats the numbers.

/** The most payload in a DATA frame, in bytes: one read from a pipe, and short enough that others get their turn. */
export const MAX_DATA_BYTES = 65_536;

/** The most payload in a CONTROL frame, in bytes. A whole argument vector fits; a whole file does not belong there. */
export const MAX_CONTROL_BYTES = 1_048_576;

/** The same before the other end has shown who it is: a challenge and a proof need a few hundred bytes. */
export const MAX_CONTROL_BYTES_WITHOUT_ROLE = 4_096;

/** Bytes that may be sent on a new stream, each direction, before any CREDIT: a run's first bytes need no round trip. */
export const INITIAL_WINDOW_BYTES = 1_048_576;

/** What was consumed is granted again in steps of this many bytes, so that a CREDIT frame is rare. */
export const CREDIT_STEP_BYTES = INITIAL_WINDOW_BYTES / 2;

/** No window grows beyond this many bytes (as in RFC 9113, 6.9.1): sums stay exact and a mistake is noticed. */
export const MAX_WINDOW_BYTES = 0x7fff_ffff;

/** Streams open at once on a connection. A run takes three, and one command may go to a thousand machines. */
export const MAX_STREAMS = 3_072;

/** Milliseconds between two questions of a server to a joined machine whether it is there. */
export const PING_MS = 10_000;

/** So many milliseconds without a word, and the connection counts as lost, at both ends: what ran over it is ended. */
export const LEASE_MS = 30_000;

/** Requests received and not yet answered. */
export const MAX_OUTSTANDING_REQUESTS = 64;

/** Characters of a request's id, when it is text: it is kept and sent back. */
export const MAX_ID_CHARACTERS = 64;

/** Bytes of a preface line, its end included: a server's name of 32 code points and a reason fit. */
export const MAX_PREFACE_BYTES = 512;

/** UTF-16 units of a reason, or of a refusal that had to be cut: some lines of a terminal. */
export const MAX_REASON_LENGTH = 1_000;
