// Why a command is not carried out. A refusal is a value with a code and the facts; each door says it in its own
// words, and the compiler holds it to saying every one.

import type { NameRefusal } from './name.ts';

export type EnterRefusal =
  /** Not a name at all; `why` is the rule that it breaks. */
  | { refused: 'bad-name'; why: NameRefusal }
  | { refused: 'name-reserved' }
  | { refused: 'name-in-use' }
  | { refused: 'guests-not-let-in' };

/** In every case the message was sent to nobody. */
export type SendRefusal =
  | { refused: 'unknown-recipient'; names: readonly string[] }
  /** `all` is everyone already and stands alone. */
  | { refused: 'all-among-names' }
  | { refused: 'empty-message' };

/** In every case nothing was started. */
export type RunRefusal = { refused: 'not-allowed' } | { refused: 'unknown-host'; names: readonly string[] };
