// What a refusal of the core is in words, where more than one door says it: pure, one sentence each, saying what was
// attempted and what is true now.

import type { NameRefusal } from '../../core/name.ts';
import type { PasswordRefusal } from '../../core/password.ts';
import type {
  AccountRefusal,
  EnterRefusal,
  GroupRefusal,
  GuessRefusal,
  NameTaken,
  SendRefusal,
} from '../../core/refusal.ts';
import type { Dismissal } from '../../core/session.ts';
import { quote } from '../../protocol/text.ts';

export function isAboutGroups(refusal: SendRefusal | GroupRefusal): refusal is GroupRefusal {
  return refusal.refused.includes('group');
}

export function wordsForEntering(refusal: EnterRefusal, given: string, address: string): string {
  const attempt = `Cannot come in as ${quote(given)}`;
  switch (refusal.refused) {
    case 'bad-name':
      return `${attempt}: ${wordsForName(refusal.why)}`;
    case 'guests-not-let-in':
      return `${attempt} from ${address}: this server lets guests in from its own machine only`;
    case 'name-reserved':
    case 'name-in-use':
    case 'name-confusable':
      return `${attempt}: ${wordsForTaken(refusal)}`;
  }
}

function wordsForTaken(refusal: NameTaken): string {
  switch (refusal.refused) {
    case 'name-reserved':
      if (refusal.wasRevoked !== true) return 'the name is reserved';
      return refusal.isMachines === true
        ? 'the name belonged to a machine that was revoked, and stays taken but for a machine: --as host'
        : 'the name belonged to an account that was revoked, and stays taken';
    case 'name-in-use':
      return 'somebody of that name is here';
    case 'name-confusable':
      return `the name looks like ${quote(refusal.with)}, which is somebody else's`;
  }
}

/** `attempt`: what somebody tried, up to the colon. */
export function wordsForAccount(refusal: AccountRefusal, attempt: string): string {
  switch (refusal.refused) {
    case 'bad-name':
      return `${attempt}: ${wordsForName(refusal.why)}`;
    case 'name-reserved':
    case 'name-in-use':
    case 'name-confusable':
      return `${attempt}: ${wordsForTaken(refusal)}`;
    case 'not-allowed':
      return refusal.what === 'invite'
        ? `${attempt}: operators invite members, and only the owner invites operators; nothing was changed`
        : `${attempt}: only the owner may, or the operator who invited it, and nobody the owner; nothing was changed`;
    case 'unknown-account':
      return refusal.wasRevoked === true
        ? `${attempt}: the account is revoked already`
        : `${attempt}: there is no account and no invitation named ${quote(refusal.name)}`;
    case 'no-account':
      return `${attempt}: a guest has no account; ask for an invitation`;
    case 'bad-secret':
      return `${attempt}: the code or token is not valid`;
    case 'wrong-kind':
      return refusal.kind === 'host'
        ? `${attempt}: the code is a machine's, for partyline join`
        : `${attempt}: the code is a ${refusal.kind}'s, for partyline login`;
    case 'key-taken':
      return `${attempt}: this machine's key has a name here already; PARTYLINE_DATA gives it another key`;
    case 'too-many':
      return `${attempt}: there are ${refusal.max} ${refusal.what} already; nothing was changed`;
    case 'not-stored':
      return `${attempt}: ${refusal.reason}; nothing was changed`;
  }
}

/** For a name that there is and one that there is not they are the same. `attempt`: up to the colon. */
export function wordsForGuessing({ waitMs }: GuessRefusal, attempt: string): string {
  const seconds = Math.ceil(waitMs / 1_000);
  return `${attempt}: too many wrong ones came for this name or from your address; try again in ${seconds} s`;
}

export function wordsForPassword(refusal: PasswordRefusal): string {
  const attempt = 'Cannot set the password';
  switch (refusal.refused) {
    case 'too-short':
      return `${attempt}: it has ${refusal.codePoints} characters, ${refusal.minCodePoints} are the least`;
    case 'too-long':
      return `${attempt}: it has ${refusal.bytes} bytes, ${refusal.maxBytes} are the most`;
    case 'bad-character':
      return `${attempt}: ${codePoint(refusal.codePoint)} cannot stand in one`;
  }
}

export function wordsForDismissal(dismissal: Dismissal): string {
  switch (dismissal.why) {
    case 'revoked':
      return 'Cannot stay: the account has been revoked';
    case 'token-removed':
      return 'Cannot stay: the token that you came in by has been removed';
    case 'name-taken':
      return 'Cannot stay: somebody with an account has the name now';
    case 'unreadable':
      return `Cannot read what you missed: ${dismissal.reason}; it is kept, come back later`;
  }
}

export function wordsForName(refusal: NameRefusal): string {
  switch (refusal.refused) {
    case 'empty':
      return 'a name has at least one character';
    case 'too-long':
      return `a name has at most ${refusal.maxCodePoints} characters, this has ${refusal.codePoints}`;
    case 'bad-character':
      return `a name consists of letters, marks and digits of any script, "_", "-" and ".", not of ${codePoint(refusal.codePoint)}`;
    case 'bad-start':
      return 'a name does not begin with "-" or "."';
    case 'bad-direction':
      return 'a name does not mix writing directions (RFC 5893)';
  }
}

function codePoint(value: number): string {
  return `U+${value.toString(16).toUpperCase().padStart(4, '0')}`;
}

export function wordsForSending(refusal: SendRefusal): string {
  return `Cannot send: ${whyNotSent(refusal)}; the message was sent to nobody`;
}

/** For whoever attempted something of which the message was only a part. */
export function whyNotSent(refusal: SendRefusal): string {
  switch (refusal.refused) {
    case 'unknown-recipient':
      return wordsForUnknown(refusal);
    case 'machine-recipient':
      return wordsForMachines(refusal.names);
    case 'all-among-names':
      return 'all is everyone already and stands alone';
    case 'empty-message':
      return 'the message is empty';
    case 'text-too-long':
      return `the message has ${refusal.bytes} bytes, ${refusal.maxBytes} are the most`;
    case 'bad-key':
      return `a key has 1 to ${refusal.maxCharacters} printable ASCII characters`;
    case 'key-reused':
      return `the key stands for another message, ${refusal.id}`;
    case 'not-stored':
      return refusal.reason;
  }
}

/** With what works instead, here and on a command line; one name is enough to show it. */
function wordsForMachines(names: readonly string[]): string {
  const [first = ''] = names;
  const are =
    names.length === 1
      ? 'is a machine, which runs commands and reads no messages'
      : 'are machines, which run commands and read no messages';
  return `${listed(names)} ${are} (run ${first} : COMMAND, or partyline run --on ${first} -- COMMAND)`;
}

interface Unknown {
  readonly names: readonly string[];
  readonly invited?: readonly string[];
}

function wordsForUnknown({ names: given, invited = [] }: Unknown): string {
  const {
    groups = [],
    awaited = [],
    names = [],
  } = Object.groupBy(given, (name) => (name.startsWith('#') ? 'groups' : invited.includes(name) ? 'awaited' : 'names'));
  const parts = [
    ...(names.length === 0 ? [] : [`nobody named ${listed(names)} is here or has an account`]),
    ...(awaited.length === 0
      ? []
      : [`${listed(awaited)} ${awaited.length === 1 ? 'is invited and has' : 'are invited and have'} not come in yet`]),
    ...(groups.length === 0 ? [] : [`there is no group ${listed(groups)}`]),
  ];
  return parts.join(', and ');
}

export function wordsForGroup(refusal: GroupRefusal): string {
  const { machine } = refusal;
  const attempt = `Cannot change ${machine === undefined ? 'your groups' : `the groups of ${machine}`}`;
  switch (refusal.refused) {
    case 'bad-group':
      return `${attempt}: ${wordsForGroupName(refusal)}`;
    case 'unknown-group':
      return `${attempt}: there is no group ${quote(refusal.name)}`;
    case 'not-in-group':
      return `${attempt}: ${machine === undefined ? 'you are' : 'it is'} not in ${quote(refusal.name)}`;
    case 'too-many-groups':
      return `${attempt}: ${machine === undefined ? 'you are' : 'it is'} in ${refusal.max} already`;
    case 'group-owner-only':
      return 'Cannot change the groups of a machine: only the owner may';
    case 'group-no-machine':
      return `Cannot change the groups of ${quote(refusal.name)}: no machine of that name has joined`;
    case 'groups-not-stored':
      return `${attempt}: ${refusal.reason}; nothing was changed`;
  }
}

/** Wherever somebody has named a group. */
export function wordsForGroupName({ name, why }: Pick<BadGroup, 'name' | 'why'>): string {
  const words = why === 'no-hash' ? 'it begins with #' : wordsForName(why);
  return `${quote(name)} is no name of a group: ${words}`;
}

type BadGroup = Extract<GroupRefusal, { refused: 'bad-group' }>;

export function listed(names: readonly string[]): string {
  const shown = names.slice(0, 10).map((name) => quote(name));
  return names.length > shown.length ? `${shown.join(', ')} and ${names.length - shown.length} more` : shown.join(', ');
}
