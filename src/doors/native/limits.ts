// How far a connection of the native door may go, each bound with its reason. docs/operating.md repeats the numbers.

import { MAX_CONTROL_BYTES } from '../../protocol/native/limits.ts';

/** Milliseconds until a connection must have shown who it is: programs do that at once. */
export const ROLE_TIMEOUT_MS = 10_000;
/** Requests from a connection that has not shown who it is: a challenge, a proof, a login, and a ping or two. */
export const MAX_REQUESTS_WITHOUT_ROLE = 16;
/** Wrong passwords, codes and tokens of one connection. sshd allows six (MaxAuthTries). */
export const MAX_ATTEMPTS = 6;
/** Milliseconds for a goodbye to be fetched. */
export const LINGER_MS = 5_000;
/**
 * Milliseconds that a server which closes waits for a machine to say how what ran there has ended: as long as it gives its own
 * commands, and within what its clients have, so that they are told.
 */
export const MACHINE_CLOSE_MS = 2_000;
/** Milliseconds of silence before TCP asks whether the other end is still there: a run may be silent for hours. */
export const KEEPALIVE_MS = 30_000;

/** Messages sent and not acknowledged: over a second's worth for a fast reader, and a short list to keep. */
export const MAX_UNACKNOWLEDGED = 1_000;
/** Bytes of their texts. */
export const MAX_UNACKNOWLEDGED_BYTES = 1_048_576;
/** With so many unacknowledged nothing more is read from the journal for it: a page of 500 messages must still fit. */
export const FULL_UNACKNOWLEDGED = 500;
/** The same in bytes: a page has 256 KiB and one message more. */
export const FULL_UNACKNOWLEDGED_BYTES = 524_288;
/** Bytes that wait to be fetched, over which nothing more is told live. InspIRCd allows as much. */
export const MAX_OUTBOX_BYTES = 1_048_576;
/** The same before a page is read from the journal. */
export const BEHIND_BYTES = 262_144;

/** Milliseconds that an answer to `chat.send` waits for recipients who are here: a round trip through most of the world. */
export const RECEIPT_WAIT_MS = 250;
/** Bytes that are read from the journal for one answer. */
export const MAX_PAGE_BYTES = 524_288;
/** Bytes of what one answer lists, as JSON: with what goes round it, it fits a CONTROL frame, and so does the largest item alone. */
export const MAX_LISTED_BYTES = 524_288;
/** The same of the hosts of one run. */
export const MAX_HOSTS_BYTES = 131_072;
/** The same of what became of a message that was sent, by name. */
export const MAX_OUTCOMES_BYTES = 524_288;
/** Bytes of a command in the list of runs, as JSON: a line of a terminal many times. */
export const MAX_LISTED_COMMAND_BYTES = 4_096;
/** The same of one run; with its results it still fits a CONTROL frame. */
export const MAX_SHOWN_COMMAND_BYTES = 524_288;
/** Bytes of results in one answer about a run. */
export const MAX_RESULTS_BYTES = 262_144;
/**
 * Bytes of a command with all that goes with it, as JSON: what is asked of a machine has more in it than what was asked of
 * us, and must fit a CONTROL frame too, or its connection ends.
 */
export const MAX_REQUEST_BYTES = MAX_CONTROL_BYTES - 16_384;
