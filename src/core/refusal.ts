// Why a command is not carried out. A refusal is a value with a code and the facts; each door says it in its own
// words, and the compiler holds it to saying every one.

import type { MessageId } from './journal.ts';
import type { Name, NameRefusal } from './name.ts';
import type { NeedsApproval } from './run/policy.ts';
import type { TargetsRefusal } from './run/targets.ts';
import type { VerbRefusal } from './run/verb.ts';
import type { MemberKind } from './session.ts';

/** Somebody else has the name, or one that looks like it. */
export type NameTaken =
  /**
   * `wasRevoked`: it belonged to an account that was revoked; told to whoever may revoke. `isMachines`: a machine's, and so a
   * machine may be invited under it once more.
   */
  | { refused: 'name-reserved'; wasRevoked?: boolean; isMachines?: boolean }
  | { refused: 'name-in-use' }
  /** UTS #39, 4. */
  | { refused: 'name-confusable'; with: Name };

export type EnterRefusal =
  /** Not a name at all; `why` is the rule that it breaks. */
  { refused: 'bad-name'; why: NameRefusal } | NameTaken | { refused: 'guests-not-let-in' };

/** The journal could not write it. */
export type NotStored = { refused: 'not-stored'; reason: string };

/** In every case the message was sent to nobody. */
export type SendRefusal =
  /** `invited`: those of them who are invited and have not come in; told to whoever may see invitations. */
  | { refused: 'unknown-recipient'; names: readonly string[]; invited?: readonly string[] }
  /** A machine runs commands and reads nothing: what is said to it would be stored for nobody. */
  | { refused: 'machine-recipient'; names: readonly string[] }
  /** `all` is everyone already and stands alone. */
  | { refused: 'all-among-names' }
  | { refused: 'empty-message' }
  | { refused: 'text-too-long'; bytes: number; maxBytes: number }
  | { refused: 'bad-key'; maxCharacters: number }
  /** The key stands for another message of this sender. */
  | { refused: 'key-reused'; id: MessageId }
  | NotStored;

/** In every case nobody's groups have changed. */
export type GroupRefusal = GroupReason & {
  /** Whose groups were to change; undefined: those of whoever asked. */
  readonly machine?: Name;
};

type GroupReason =
  /** `name`: as it was typed. */
  | { refused: 'bad-group'; name: string; why: NameRefusal | 'no-hash' }
  | { refused: 'unknown-group'; name: string }
  | { refused: 'not-in-group'; name: string }
  | { refused: 'too-many-groups'; max: number }
  /** What may run on a machine can depend on its groups: the owner alone changes them. */
  | { refused: 'group-owner-only' }
  /** `name`: as it was typed. */
  | { refused: 'group-no-machine'; name: string }
  /** As `NotStored`, and told from a message that was not. */
  | { refused: 'groups-not-stored'; reason: string };

/** In every case nothing was started. */
export type RunRefusal =
  /** `names`: where. `server`: nobody else runs on the server itself. */
  | { refused: 'not-allowed'; names: readonly string[]; why: 'policy' | 'server' }
  | { refused: 'offline'; name: string }
  | NotStored
  | NeedsApproval
  | TargetsRefusal
  | VerbRefusal;

/** So many passwords were wrong that this one was not looked at; the next one is, in so many milliseconds. */
export type GuessRefusal = { refused: 'too-many-wrong'; waitMs: number };

/** In every case no account, invitation or token has changed. */
export type AccountRefusal =
  | { refused: 'bad-name'; why: NameRefusal }
  | NameTaken
  | { refused: 'not-allowed'; what: 'invite' | 'revoke' }
  /** `wasRevoked`: there was one, and it has ended already. */
  | { refused: 'unknown-account'; name: string; wasRevoked?: true }
  /** A guest has neither password nor tokens. */
  | { refused: 'no-account' }
  /** No such code or token, or it has expired or been used. */
  | { refused: 'bad-secret' }
  /** A machine comes in with a key, and nobody else does. */
  | { refused: 'wrong-kind'; kind: MemberKind }
  /** One key, one name. */
  | { refused: 'key-taken' }
  | { refused: 'too-many'; what: 'invitations' | 'tokens'; max: number }
  | NotStored;
