// The statuses that the program itself ends with; those of a command that it ran are the command's.

/** It could not be done: refused, or there was nobody to ask. */
export const FAILURE_STATUS = 1;
/** Wrong usage (sysexits.h). `run` has 255 for that, since 64 may be the command's own. */
export const USAGE_STATUS = 64;
/** A run that was waited for goes on: not done yet, come back (EX_TEMPFAIL of sysexits.h). */
export const NOT_ENDED_STATUS = 75;
/** Could not connect, was not let in, or the other end went away, as from ssh. */
export const UNREACHED_STATUS = 255;
