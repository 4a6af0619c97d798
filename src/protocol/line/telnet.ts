// Telnet's own sequences (RFC 854), taken out of a line. Partyline never negotiates: it is a line protocol that a
// telnet client may speak. Only complete sequences go; a stray 0xFF stays, and makes the line not UTF-8.

const IAC = 0xff;
const SE = 0xf0;
const SB = 0xfa;
const WILL = 0xfb;
const DONT = 0xfe;

/** The line without IAC commands (two bytes), IAC WILL/WONT/DO/DONT option (three) and IAC SB … IAC SE. */
export function withoutTelnet(line: Uint8Array): Uint8Array {
  if (!line.includes(IAC)) return line;
  const kept = new Uint8Array(line.length);
  let length = 0;
  for (let at = 0; at < line.length;) {
    const size = line[at] === IAC ? sequenceLength(line, at) : 0;
    if (size > 0) at += size;
    else kept[length++] = line[at++] ?? 0;
  }
  return kept.subarray(0, length);
}

/** Bytes that the sequence at `at` takes; 0 if none is complete there. IAC IAC is a byte of data, not a sequence. */
function sequenceLength(line: Uint8Array, at: number): number {
  const command = line[at + 1];
  if (command === undefined || command < SE || command === IAC) return 0;
  if (command >= WILL && command <= DONT) return at + 2 < line.length ? 3 : 0;
  if (command !== SB) return 2;
  for (let end = at + 2; end + 1 < line.length; end++) {
    if (line[end] !== IAC) continue;
    if (line[end + 1] === SE) return end + 2 - at;
    end++;
  }
  return 0;
}
