// The line door's words for what the core decides: pure, one sentence per refusal, each saying what was attempted and
// what is true now.

import type { RunResult } from '../../core/ports.ts';
import type { NameRefusal } from '../../core/name.ts';
import type { EnterRefusal, RunRefusal, SendRefusal } from '../../core/refusal.ts';
import type { Malformed } from '../../protocol/line/decoder.ts';
import { MAX_LINE_BYTES } from '../../protocol/line/decoder.ts';
import { FORMS, type LineRequest } from '../../protocol/line/request.ts';
import { escapeControls, quote } from '../../protocol/text.ts';

export function wordsForEntering(refusal: EnterRefusal, given: string, address: string): string {
  const attempt = `Cannot come in as ${quote(given)}`;
  switch (refusal.refused) {
    case 'bad-name':
      return `${attempt}: ${wordsForName(refusal.why)}`;
    case 'name-reserved':
      return `${attempt}: the name is reserved`;
    case 'name-in-use':
      return `${attempt}: somebody of that name is here`;
    case 'guests-not-let-in':
      return `${attempt} from ${address}: this server lets guests in from its own machine only`;
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
  switch (refusal.refused) {
    case 'unknown-recipient':
      return `Cannot send: nobody named ${listed(refusal.names)} is here; the message was sent to nobody`;
    case 'all-among-names':
      return 'Cannot send: all is everyone already and stands alone; the message was sent to nobody';
    case 'empty-message':
      return 'Cannot send: the message is empty and was sent to nobody';
  }
}

export function wordsForRunning(refusal: RunRefusal): string {
  switch (refusal.refused) {
    case 'not-allowed':
      return 'Cannot run: only the owner may run commands on the server, after login TOKEN; nothing was started';
    case 'unknown-host':
      return `Cannot run: no machine named ${listed(refusal.names)} has joined; nothing was started`;
  }
}

export function wordsForMalformed({ malformed }: Malformed): string {
  switch (malformed) {
    case 'overlong':
      return `Cannot read the line: it is longer than ${MAX_LINE_BYTES} bytes and was skipped`;
    case 'not-utf8':
      return 'Cannot read the line: it is not UTF-8 and went nowhere';
  }
}

export function wordsForMisuse(request: Extract<LineRequest, { type: 'misused' | 'unknown' }>): string {
  switch (request.type) {
    case 'misused':
      return `Cannot read the command: its form is ${FORMS[request.word]}`;
    case 'unknown':
      return `Unknown command ${quote(request.word)}: the commands are ${Object.keys(FORMS).join(', ')}`;
  }
}

/** The line that ends a run. */
export function wordsForResult(host: string, result: RunResult): string {
  switch (result.result) {
    case 'exited':
      return `${host} exited ${result.status}`;
    case 'signalled':
      return `${host} died of signal ${result.signal}`;
    case 'timeout':
      return `${host} ran out of time`;
    case 'cancelled':
      return `${host} cancelled`;
    case 'lost':
      return `${host} lost: ${escapeControls(result.reason)}`;
  }
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 10).map((name) => quote(name));
  return names.length > shown.length ? `${shown.join(', ')} and ${names.length - shown.length} more` : shown.join(', ');
}
