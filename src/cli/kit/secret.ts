// Asking for a password that is to be set: twice on a terminal, which shows nothing; else it is one line.

import { Questions } from './input.ts';

export type Secret =
  | { readonly secret: string }
  /** Nothing was given: an empty line, or the end. */
  | 'none'
  | { readonly failed: string };

/** Times that two passwords may differ before it is given up. */
const ATTEMPTS = 3;

export async function askNewPassword(questions: Questions, prompt: string): Promise<Secret> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const first = await askPassword(questions, `${prompt}: `);
    if (!questions.isTerminal || typeof first === 'string' || 'failed' in first) return first;
    const second = await askPassword(questions, 'Once more: ');
    if (typeof second === 'object' && 'failed' in second) return second;
    if (typeof second === 'object' && second.secret === first.secret) return first;
    questions.say('They are not the same; try again');
  }
  return { failed: 'the two passwords were not the same' };
}

export async function askPassword(questions: Questions, prompt: string): Promise<Secret> {
  const typed = await questions.ask(prompt);
  if (typed === 'interrupted') return { failed: 'interrupted' };
  return typed === 'end' || typed.line === '' ? 'none' : { secret: typed.line };
}
