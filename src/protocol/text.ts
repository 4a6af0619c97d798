// Making other people's text safe to look at: nobody's bytes may drive another's terminal.

// C0, DEL and C1 (ECMA-48: they move cursors, ring bells, open OSC strings), the bidirectional controls of UAX #9
// (they reorder what stands around them) and the two Unicode line breaks (they fake a new line).
// oxlint-disable-next-line no-control-regex -- these are what is looked for
const UNSAFE = /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;
const EVERY_UNSAFE = new RegExp(UNSAFE.source, 'g');
const SHORT: Readonly<Record<string, string>> = { '\t': '\\t', '\n': '\\n', '\r': '\\r' };

/** Shows what must not be passed on raw: a tab as `\t`, ESC as `\x1b`, a bidi override as `\u202e`. */
export function escapeControls(text: string): string {
  return UNSAFE.test(text) ? text.replace(EVERY_UNSAFE, escapeOne) : text;
}

function escapeOne(character: string): string {
  const short = SHORT[character];
  if (short !== undefined) return short;
  const code = character.charCodeAt(0);
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
}

/** Cuts to so many UTF-16 units, never inside a surrogate pair, and says with `…` that it did. */
export function shorten(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text;
  const end = maxLength - 1;
  const last = text.charCodeAt(end - 1);
  return `${text.slice(0, last >= 0xd800 && last <= 0xdbff ? end - 1 : end)}…`;
}

/** What a person gave, fit to be named in an answer: escaped, and no longer than it is useful. */
export function quote(text: string, maxLength = 64): string {
  return `"${shorten(escapeControls(text), maxLength)}"`;
}
