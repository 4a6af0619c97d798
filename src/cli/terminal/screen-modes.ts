// What a command elsewhere has turned on in our terminal and would turn off at its end. Where the end does not come (the
// connection is lost, `~.`) we do it in its place: else the shell comes back to another screen, or to a mouse that types.

/** DEC private modes that change what a shell can do with the terminal: https://invisible-island.net/xterm/ctlseqs/ctlseqs.html */
const LASTING = new Set([
  '1',
  '9',
  '47',
  '1000',
  '1001',
  '1002',
  '1003',
  '1004',
  '1005',
  '1006',
  '1015',
  '1047',
  '1049',
  '2004',
]);
/** On unless it is turned off: the cursor, and that lines wrap. */
const USUAL = new Set(['7', '25']);
/** A sequence may be cut between two pieces; none of these is longer. */
const MAX_SEQUENCE_LENGTH = 32;

export class ScreenModes {
  readonly #on = new Set<string>();
  readonly #off = new Set<string>();
  #hasKeypad = false;
  #tail = '';

  /** What comes out at the terminal. */
  see(bytes: Uint8Array): void {
    const text = this.#tail + Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
    const last = text.lastIndexOf('\x1b');
    this.#tail = last >= 0 && text.length - last < MAX_SEQUENCE_LENGTH ? text.slice(last) : '';
    // oxlint-disable-next-line no-control-regex -- the sequences begin so
    for (const [sequence, modes = '', sets] of text.matchAll(/\x1b(?:\[\?([\d;]{1,24})([hl])|[=>])/g)) {
      if (sets === undefined) this.#hasKeypad = sequence.endsWith('=');
      else for (const mode of modes.split(';')) this.#set(mode, sets === 'h');
    }
  }

  /** What undoes all of it; empty where nothing is left. */
  undo(): string {
    const off = Array.from(this.#on, (mode) => `\x1b[?${mode}l`);
    const on = Array.from(this.#off, (mode) => `\x1b[?${mode}h`);
    return [...off, ...on, ...(this.#hasKeypad ? ['\x1b>'] : [])].join('');
  }

  #set(mode: string, isOn: boolean): void {
    if (LASTING.has(mode)) {
      if (isOn) this.#on.add(mode);
      else this.#on.delete(mode);
    } else if (USUAL.has(mode)) {
      if (isOn) this.#off.delete(mode);
      else this.#off.add(mode);
    }
  }
}
