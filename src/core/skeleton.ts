// Which names look alike: the skeleton of UTS #39 section 4. Two names that share one are taken for each other by people,
// whatever `NameKey` says. A skeleton is for comparing, never for showing. Why in three forms:
// docs/decisions/0011-confusable-names.md.

import { CONFUSABLES } from './confusables.ts';
import { inDisplayOrder } from './direction.ts';
import type { Name, NameKey } from './name.ts';

/** Of ASCII, what a name may have and the standard finds confusable: `O` and `0`, `l`, `I` and `1`, `rn` and `m`. */
const OF_ASCII: Readonly<Record<string, string>> = { '0': 'O', '1': 'l', I: 'l', m: 'rn' };

const ASCII = /^[!-~]*$/;

let table: ReadonlyMap<string, string> | undefined;

/**
 * The skeletons of a name: as it is shown, in small letters and in capitals, without duplicates. Case does not tell names
 * apart, so whoever knows `Ian` takes `lan` for it, and `ВОВ` in Cyrillic letters for `bob`. Two names are confusable if
 * their keys differ and they share any of these.
 */
export function skeletonsOf({ name, key }: { readonly name: Name; readonly key: NameKey }): readonly string[] {
  return [...new Set([skeletonOf(name), skeletonOf(key), skeletonOf(inCapitals(key))])];
}

/** `bidiSkeleton` of UTS #39, for text that is a name in some case: what is drawn, from left to right. */
export function skeletonOf(name: string): string {
  if (ASCII.test(name)) return name.replace(/[01Im]/g, (character) => OF_ASCII[character] ?? character);
  // As keys have it (RFC 8265 3.3.2): the table has nothing of width.
  const narrow = name.replace(/[\uff01-\uffee]/g, (character) => character.normalize('NFKC'));
  table ??= unfold();
  let skeleton = '';
  for (const character of inDisplayOrder(narrow).normalize('NFD')) {
    skeleton += OF_ASCII[character] ?? table.get(character) ?? character;
  }
  return skeleton.normalize('NFD');
}

// One capital for each letter: `ß` is no `SS` here, since `straße` and `strasse` do not look alike.
function inCapitals(key: string): string {
  if (ASCII.test(key)) return key.toUpperCase();
  return Array.from(key, (character) => {
    const capital = character.toUpperCase();
    return Array.from(capital).length === 1 ? capital : character;
  }).join('');
}

function unfold(): ReadonlyMap<string, string> {
  const prototypes = new Map<string, string>();
  for (const word of CONFUSABLES.trim().split(/\s/)) {
    const [parts = '', steps = ''] = word.split('=');
    const prototype = String.fromCodePoint(...parts.split('+').map((part) => Number.parseInt(part, 36)));
    let source = 0;
    for (const step of steps.split(',')) {
      source += Number.parseInt(step, 36);
      prototypes.set(String.fromCodePoint(source), prototype);
    }
  }
  return prototypes;
}
