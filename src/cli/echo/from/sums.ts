// What comes of a probe from many machines: where it works from, in sentences and as a status.

import type { AddressFamily } from '../../../net/race.ts';
import { formatNodeSet } from '../../../protocol/node-set.ts';
import { escapeControls } from '../../../protocol/text.ts';
import { UNREACHED_STATUS } from '../../kit/status.ts';
import { statusFor } from '../status.ts';
import type { Answer } from './answer.ts';
import type { Matrix } from './matrix.ts';

/** 0 to 3 as of one probe, of what works from everywhere; 255 where somebody has not measured: then nobody knows. */
export function overallStatus({
  families,
  machines,
  answers,
}: Pick<Matrix, 'families' | 'machines' | 'answers'>): number {
  const all = machines.map((name) => answers.get(name));
  if (all.some((answer) => answer?.kind !== 'answered')) return UNREACHED_STATUS;
  return statusFor(
    families,
    families.filter((family) => all.every((answer) => isWorking(answer, family))),
  );
}

/** `hub.example works over IPv4 from everywhere, over IPv6 not from web4`. */
export function sumsOf({ host, port, families, wants, machines, answers }: Matrix): string[] {
  const measured = machines.filter((name) => answers.get(name)?.kind === 'answered');
  if (measured.length === 0) return ['nothing was measured'];
  const wheres = Map.groupBy(families, (family) => {
    const from = measured.filter((name) => isWorking(answers.get(name), family));
    return whereFrom(from, { measured, machines });
  });
  const does = wants === 'echo' ? 'works' : `port ${port} connects`;
  const parts = [...wheres].map(([where, own]) => `over ${own.map((family) => `IPv${family}`).join(' and ')} ${where}`);
  return [`${escapeControls(host)} ${does} ${parts.join(', ')}`];
}

interface Asked {
  readonly measured: readonly string[];
  readonly machines: readonly string[];
}

function whereFrom(from: readonly string[], { measured, machines }: Asked): string {
  const others = measured.filter((name) => !from.includes(name));
  if (measured.length === 1) return `${from.length === 1 ? '' : 'not '}from ${formatNodeSet(measured)}`;
  const some = measured.length < machines.length ? ' that measured' : '';
  if (others.length === 0) return `from ${measured.length === 2 ? 'both' : `all ${measured.length}`}${some}`;
  if (from.length === 0) return 'from nowhere';
  return from.length < others.length ? `from ${formatNodeSet(from)} only` : `not from ${formatNodeSet(others)}`;
}

/** Each sentence with the machines that say it; of those that differ in numbers and addresses alone the first. */
export function notesOf({ machines, answers }: Pick<Matrix, 'machines' | 'answers'>): string[] {
  const all = machines.flatMap((name) => sentencesOf(answers.get(name)).map(({ key, says }) => ({ name, key, says })));
  return [...Map.groupBy(all, ({ key }) => key).values()].map((alike) => {
    const [first] = alike;
    const same = alike.filter(({ says }) => says === first?.says).map(({ name }) => name);
    const like = alike.filter(({ says }) => says !== first?.says).map(({ name }) => name);
    const rest = like.length === 0 ? '' : `; the like: ${formatNodeSet(like)}`;
    return `${formatNodeSet(same)}: ${first?.says}${rest}`;
  });
}

function sentencesOf(answer: Answer | undefined): readonly { readonly key: string; readonly says: string }[] {
  if (answer === undefined) return [];
  if (answer.kind === 'answered') return answer.notes;
  return answer.why === undefined ? [] : [{ key: `no ${answer.word}`, says: answer.why }];
}

function isWorking(answer: Answer | undefined, family: AddressFamily): boolean {
  return answer?.kind === 'answered' && answer.cells.get(family)?.works === true;
}
