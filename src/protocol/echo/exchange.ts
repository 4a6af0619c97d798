// The first line of a named echo connection: `ECHO NAME` one way, `ECHO SERVER ADDRESS PORT` back. A plain RFC 862
// server echoes the line instead, which tells the two apart. Pure: the same words serve both ends.

import { escapeControls, quote } from '../text.ts';

/** The line with its end; a name of 64 code points takes at most 256 bytes, the rest is room to refuse kindly. */
export const MAX_ECHO_LINE_BYTES = 512;
/** In code points. A name here is only a label in the server's log. */
export const MAX_ECHO_NAME_LENGTH = 64;

/** RFC 9293: a port is a number of 16 bits, and nobody comes from 0. */
const MAX_PORT = 65_535;

const LF = 10;
const CR = 13;
const VERB = 'ECHO ';

export type EchoGreeting = { kind: 'named'; name: string } | { kind: 'refused'; reason: string };

/** What came back for our `ECHO NAME`. */
export type EchoAnswer =
  | { kind: 'partyline'; server: string; address: string; port: number }
  /** RFC 862 and nothing else: it sent our own line back. */
  | { kind: 'plain' }
  /** Neither an answer nor an echo; `text` is what it said, safe to show. */
  | { kind: 'refused'; text: string };

export function formatEchoGreeting(name: string): string {
  return `${VERB}${name}\n`;
}

export function formatEchoAnswer(server: string, address: string, port: number): string {
  return `${VERB}${server} ${address} ${port}\n`;
}

/** Where the first line ends: the index after its LF, or -1 if it has not ended yet. */
export function endOfLine(bytes: Uint8Array): number {
  return bytes.indexOf(LF) + 1 || -1;
}

/** Takes the line `ECHO NAME`, with or without its end. */
export function parseEchoGreeting(line: Uint8Array): EchoGreeting {
  const text = decodeLine(line);
  if (text === undefined) return refuse('bytes that are not UTF-8');
  const name = text.slice(VERB.length).trim();
  if (!text.startsWith(VERB) || name === '') return refuse('no name');
  const { length } = Array.from(name);
  if (length > MAX_ECHO_NAME_LENGTH) return refuse(`a name of ${length} characters`);
  if (/\s/u.test(name) || escapeControls(name) !== name) return refuse(`the name ${quote(name)}`);
  return { kind: 'named', name };
}

/** `sentName` is the name that was sent, by which an echo is known. Whether the address is one is for who knows addresses. */
export function parseEchoAnswer(line: Uint8Array, sentName: string): EchoAnswer {
  const text = decodeLine(line) ?? '';
  if (text === `${VERB}${sentName}`) return { kind: 'plain' };
  const [verb, server, address, port, ...rest] = text.split(' ');
  const isAnswer = `${verb} ` === VERB && server && address && port && isPort(port) && rest.length === 0;
  if (!isAnswer) return { kind: 'refused', text: quote(text, 200) };
  return { kind: 'partyline', server: escapeControls(server), address: escapeControls(address), port: Number(port) };
}

function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= MAX_PORT;
}

/** The answer to a line that did not end within its bounds. */
export function formatEchoRefusal(given: string): string {
  return (
    `error: the first line gave ${given}; expected is "ECHO NAME", where NAME has 1 to ${MAX_ECHO_NAME_LENGTH} ` +
    `characters, without spaces and controls, in a line of at most ${MAX_ECHO_LINE_BYTES} bytes\n`
  );
}

function refuse(given: string): EchoGreeting {
  return { kind: 'refused', reason: formatEchoRefusal(given) };
}

/** Undefined if it is not UTF-8. */
function decodeLine(line: Uint8Array): string | undefined {
  let end = line.length;
  if (line[end - 1] === LF) end--;
  if (line[end - 1] === CR) end--;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(line.subarray(0, end));
  } catch {
    return undefined;
  }
}
