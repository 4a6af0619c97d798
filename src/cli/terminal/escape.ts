// What is meant for us in what is typed to a command elsewhere: a line that begins with `~.`, as with ssh. Bytes in, bytes
// to pass on and what is asked of us out; no I/O.

export type EscapeAction =
  | { readonly do: 'pass'; readonly bytes: Uint8Array }
  /** End it from here. */
  | { readonly do: 'leave' }
  /** Stop us, until whoever started us lets us go on. */
  | { readonly do: 'suspend' }
  | { readonly do: 'help' };

const TILDE = 0x7e;
const POINT = 0x2e;
const QUESTION = 0x3f;
const CONTROL_Z = 0x1a;
const RETURN = 0x0d;
const LINE_FEED = 0x0a;

/** `line`: a line begins. `tilde`: and a ~ was its first character, which nobody has been given yet. */
type Place = 'line' | 'tilde' | 'within';

export class Escapes {
  #place: Place = 'line';

  push(bytes: Uint8Array): EscapeAction[] {
    const actions: EscapeAction[] = [];
    let from = 0;
    const pass = (to: number): void => {
      if (to > from) actions.push({ do: 'pass', bytes: bytes.subarray(from, to) });
    };
    for (const [at, byte] of bytes.entries()) {
      const wasTilde = this.#place === 'tilde';
      if (this.#place === 'line' && byte === TILDE) {
        pass(at);
        from = at + 1;
        this.#place = 'tilde';
        continue;
      }
      this.#place = byte === RETURN || byte === LINE_FEED ? 'line' : 'within';
      if (!wasTilde) continue;
      const action = MEANINGS.get(byte);
      if (action !== undefined) {
        from = at + 1;
        this.#place = 'line';
        actions.push(action);
        if (action.do === 'leave') return actions;
      } else if (byte !== TILDE) {
        // It was no word for us: both are passed on. Of two tildes the first was.
        actions.push({ do: 'pass', bytes: Uint8Array.of(TILDE) });
      }
    }
    pass(bytes.length);
    return actions;
  }
}

const MEANINGS = new Map<number, EscapeAction>([
  [POINT, { do: 'leave' }],
  [CONTROL_Z, { do: 'suspend' }],
  [QUESTION, { do: 'help' }],
]);

/** The lines that `~?` shows. */
export const ESCAPE_HELP = [
  '~.   end it from here',
  '~^Z  stop this program here',
  '~~   a ~',
  '~?   this list',
  '(at the beginning of a line)',
] as const;
