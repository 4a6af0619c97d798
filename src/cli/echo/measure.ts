// What a machine is asked to measure, in one word: `count=10,interval=100,size=64,name=Client`. So that one pattern of a
// policy, `partyline echo --measure * *`, is that question with any answer to how, and nothing else that `echo` can do.

import type { EchoArguments, ProbeArguments } from './options.ts';

/** UTF-16 units: all of them with their longest values are a hundred. */
const MAX_LENGTH = 512;
const NUMBER = /^(count|interval|size)=(\d{1,9})$/;
const FLAG = /^(?:ipv4|ipv6|raw|connect)$/;
/** It has no blank in it, and may have a comma: so it is the last. */
const NAME = /(?:^|,)name=(\S+)$/;

export function formatWishes({ family, name }: EchoArguments, { wants, count, intervalMs, sizeBytes }: ProbeArguments) {
  const how = wants === 'connect' ? ['connect'] : [`count=${count}`, `interval=${intervalMs}`, `size=${sizeBytes}`];
  const over = family === undefined ? [] : [`ipv${family}`];
  return [...how, ...over, name === undefined ? 'raw' : `name=${name}`].join(',');
}

/** The options of a probe; undefined: it is no such word. */
export function optionsOfWishes(word: string): string[] | undefined {
  if (word.length > MAX_LENGTH) return undefined;
  const name = NAME.exec(word);
  const rest = name === null ? word : word.slice(0, name.index);
  const options = name === null ? [] : [`--name=${name[1]}`];
  for (const wish of rest === '' ? [] : rest.split(',')) {
    if (!NUMBER.test(wish) && !FLAG.test(wish)) return undefined;
    options.push(`--${wish}`);
  }
  return options;
}
