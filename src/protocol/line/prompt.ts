// The question that the line protocol begins with. Clients of every protocol know it, for a silence is answered by it.

/** Sent without a line end. */
export const PROMPT = 'Enter your name: ';
