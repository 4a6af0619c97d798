// What a refusal of run targets is in words; in every case nothing was started.

import type { BracketFault } from '../../core/run/brackets.ts';
import type { TargetFault, TargetsRefusal } from '../../core/run/targets.ts';
import { quote } from '../../protocol/text.ts';
import { listed, wordsForName } from './words.ts';

export function wordsForTargets(refusal: TargetsRefusal): string {
  return `Cannot run: ${wordsForFault(refusal)}; nothing was started`;
}

export function wordsForFault(refusal: TargetsRefusal): string {
  switch (refusal.refused) {
    case 'no-targets':
      return 'the targets name no machine';
    case 'targets-too-long':
      return `the targets have ${refusal.length} characters, ${refusal.maxLength} are the most`;
    case 'too-many-targets':
      return `with ${quote(refusal.item)} the targets are more than ${refusal.max} ${wordsForMany(refusal.what)}`;
    case 'bad-target':
      return `${quote(refusal.item)} is no target: ${wordsForItem(refusal.why)}`;
    case 'only-taken-away':
      return `${listed(refusal.items)} only takes away; everything else is written all,${sample(refusal.items)}`;
    case 'unknown-host':
      return `no machine named ${listed(refusal.names)} has joined`;
    case 'no-machine':
      return `${listed(refusal.names)} ${refusal.names.length === 1 ? 'is no machine' : 'are no machines'}`;
    case 'unknown-group':
      return `there is no group ${listed(refusal.names)}`;
    case 'matches-nothing':
      return `${listed(refusal.items)} ${refusal.items.length === 1 ? 'matches' : 'match'} no machine`;
    case 'nothing-left':
      return 'every machine that the targets name is taken away again';
  }
}

function wordsForMany(what: 'names' | 'patterns'): string {
  return what === 'names' ? 'names' : 'patterns, labels and groups';
}

function sample([only, another]: readonly string[]): string {
  return only === undefined || another !== undefined ? '…' : quote(only).slice(1, -1);
}

function wordsForItem(fault: TargetFault): string {
  switch (fault.refused) {
    case 'nothing-taken-away':
      return 'a ! stands directly before what is taken away';
    case 'half-a-label':
      return 'a label is written NAME=VALUE, and both have at least one character';
    case 'pattern-for-label':
      return '"*" and "?" stand in the value of a label, not in its name';
    case 'unclosed-bracket':
    case 'unopened-bracket':
    case 'empty-brackets':
    case 'not-a-range':
    case 'backwards':
    case 'uneven-zeros':
    case 'too-many-digits':
      return wordsForBrackets(fault);
    case 'empty':
    case 'too-long':
    case 'bad-character':
    case 'bad-start':
    case 'bad-direction':
      return wordsForName(fault);
  }
}

function wordsForBrackets(fault: BracketFault): string {
  switch (fault.refused) {
    case 'unclosed-bracket':
      return 'a "[" has no "]"';
    case 'unopened-bracket':
      return 'a "]" has no "["';
    case 'empty-brackets':
      return 'its brackets are empty';
    case 'not-a-range':
      return `numbers and ranges such as 1-9 stand in brackets, not ${quote(fault.range)}`;
    case 'backwards':
      return `the range ${quote(fault.range)} ends before it begins`;
    case 'uneven-zeros':
      return `with leading zeros both ends of a range have as many digits, unlike ${quote(fault.range)}`;
    case 'too-many-digits':
      return `a number in ${quote(fault.range)} has more than ${fault.maxDigits} digits`;
  }
}
