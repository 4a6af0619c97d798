// The line door's words for what the core decides: pure, one sentence per refusal, each saying what was attempted and
// what is true now.

import type { RunResult } from '../../core/ports.ts';
import type { RunRefusal } from '../../core/refusal.ts';
import type { Malformed } from '../../protocol/line/decoder.ts';
import { MAX_LINE_BYTES } from '../../protocol/line/decoder.ts';
import { meantBy } from '../../protocol/line/help.ts';
import { FORMS, type LineRequest } from '../../protocol/line/request.ts';
import { escapeControls, quote } from '../../protocol/text.ts';
import type { AskedCommand } from '../../core/run/policy.ts';
import { isVerbName, VERB_SIGN } from '../../core/run/verb.ts';
import { wordsForNeeded } from '../shared/words-approval.ts';
import { wordsForDenied, wordsForVerb, type Denied } from '../shared/words-run.ts';
import { wordsForTargets } from '../shared/words-targets.ts';

/** `@restart nginx` is a verb with its values, everything else a line for a shell. */
export function toAskedCommand(line: string): AskedCommand {
  const [first = '', ...args] = line.trim().split(/[ \t]+/);
  const verb = first.slice(VERB_SIGN.length);
  if (first.startsWith(VERB_SIGN) && isVerbName(verb)) return { kind: 'verb', verb, args };
  return { kind: 'shell', line };
}

export function wordsForRunning(refusal: RunRefusal, denied: Denied): string {
  if (refusal.refused === 'not-allowed') {
    const words = wordsForDenied(refusal, denied);
    return denied.role === 'guest' ? `${words}; whoever has an account shows it with login TOKEN` : words;
  }
  if (refusal.refused === 'unknown-verb' || refusal.refused === 'bad-verb') return wordsForVerb(refusal);
  if (refusal.refused === 'offline') return `${refusal.name} offline: nothing was started there`;
  if (refusal.refused === 'not-stored') {
    return `Cannot run: its start cannot be put on record: ${refusal.reason}; nothing was started`;
  }
  return refusal.refused === 'needs-approval' ? wordsForNeeded(refusal, denied) : wordsForTargets(refusal);
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
    case 'unknown': {
      const meant = meantBy(request.word);
      const perhaps = meant === undefined ? '' : `perhaps ${meant} is meant; `;
      return `Unknown command ${quote(request.word)}: ${perhaps}help lists those that there are`;
    }
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
    case 'denied':
      return `${host} denied: ${escapeControls(result.reason)}`;
    case 'lost':
      return `${host} lost: ${escapeControls(result.reason)}`;
  }
}
