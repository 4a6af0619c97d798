// Rounds of those who take turns: A B C A B C … within each round too, one short measurement at a time, so that whatever
// else the machine does meets all of them. Of a round each has a median; ratios are made of one round's.

import { readdirSync, readFileSync } from 'node:fs';
import { isDisturbed, spreadOf } from '../rounds.ts';
import { machineSeconds } from '../processes.ts';
import { formatSpread, say, type Verdict } from '../table.ts';

export interface Turn {
  readonly name: string;
  /** One figure, or several of the same kind. Throws where something was wrong with what came back. */
  readonly measure: () => Promise<number | readonly number[]>;
}

/** Everything that is started for a round; it is ended after it. */
export interface Prepared {
  readonly turns: readonly Turn[];
  readonly end: () => Promise<void>;
}

export interface Turns {
  readonly what: string;
  readonly unit: string;
  readonly rounds: number;
  /** How often each has its turn in a round. */
  readonly perRound: number;
  readonly setUp: () => Promise<Prepared>;
}

/** The medians of one round, by name. */
interface RoundOfTurns {
  readonly medians: ReadonlyMap<string, number>;
  readonly isDisturbed: boolean;
}

export interface Bound {
  readonly of: string;
  readonly to: string;
  readonly atMost?: number;
  readonly atLeast?: number;
}

export class Figures {
  readonly #what: string;
  readonly #rounds: readonly RoundOfTurns[];

  constructor(what: string, rounds: readonly RoundOfTurns[]) {
    this.#what = what;
    this.#rounds = rounds;
  }

  /** The median ratio of the rounds, the smallest and the largest beside it. Nothing where one was not measured. */
  verdict({ of, to, atMost, atLeast }: Bound): Verdict[] {
    const { rounds, words } = this.#counted();
    const ratios = rounds.flatMap(({ medians }) => {
      const [one, other] = [medians.get(of), medians.get(to)];
      return one === undefined || other === undefined ? [] : [one / other];
    });
    if (ratios.length === 0) return [];
    const { median, min, max } = spreadOf(ratios);
    const bound = [
      ...(atMost === undefined ? [] : [`<= ${atMost}`]),
      ...(atLeast === undefined ? [] : [`>= ${atLeast}`]),
    ].join(', ');
    return [
      {
        what: `${this.#what}: ${of} / ${to}`,
        value: `${median.toFixed(2)} (${min.toFixed(2)}..${max.toFixed(2)})${words}`,
        bound: bound || 'none: to read the others by',
        isMet: median <= (atMost ?? Infinity) && median >= (atLeast ?? 0),
      },
    ];
  }

  /** The quiet rounds, or all of them with a word about it. */
  #counted(): { rounds: readonly RoundOfTurns[]; words: string } {
    const quiet = this.#rounds.filter((round) => !round.isDisturbed);
    const words = quiet.length > 0 ? '' : ', all rounds disturbed';
    return { rounds: quiet.length > 0 ? quiet : this.#rounds, words };
  }
}

export async function takeTurns({ what, unit, rounds, perRound, setUp }: Turns): Promise<Figures> {
  const done: RoundOfTurns[] = [];
  const all = new Map<string, number[]>();
  for (let round = 0; round < rounds; round++) {
    const { turns, end } = await setUp();
    try {
      for (const { measure } of turns) await measure(); // the first of each fills caches and makes keys known
      const figures = new Map<string, number[]>(turns.map(({ name }) => [name, []]));
      const taken = watchMachine();
      for (let i = 0; i < perRound; i++) {
        for (const { name, measure } of turns) figures.get(name)?.push(...[await measure()].flat());
      }
      const cpu = taken();
      const medians = new Map([...figures].map(([name, values]) => [name, spreadOf(values).median]));
      done.push({ medians, isDisturbed: isDisturbed(cpu) });
      const shown = [...medians].map(([name, median]) => `${name} ${median.toFixed(median < 100 ? 1 : 0)}`).join(', ');
      say(`${what}  ${shown} ${unit}  ${formatOthers(cpu)}`);
      for (const [name, median] of medians) all.set(name, [...(all.get(name) ?? []), median]);
    } finally {
      await end();
    }
  }
  for (const [name, medians] of all)
    say(`${what}  ${name.padEnd(20)} ${formatSpread(medians)} ${unit}, medians of rounds`);
  return new Figures(what, done);
}

type Taken = { readonly otherCpu: number; readonly stolenCpu: number };

function formatOthers(cpu: Taken): string {
  const percent = (cores: number) => `${Math.round(cores * 100)} %`;
  const others = `other work ${percent(cpu.otherCpu)}, stolen ${percent(cpu.stolenCpu)}`;
  return `${others}${isDisturbed(cpu) ? '  disturbed' : ''}`;
}

/** In cores, from now until it is called: what was neither ours nor our children's, and what was stolen. */
function watchMachine(): () => Taken {
  const before = { machine: machineSeconds(), own: treeSeconds(), at: performance.now() };
  return () => {
    const span = (performance.now() - before.at) / 1_000;
    const { busy, stolen } = machineSeconds();
    const own = treeSeconds() - before.own;
    return {
      otherCpu: Math.max(0, busy - before.machine.busy - own) / span,
      stolenCpu: (stolen - before.machine.stolen) / span,
    };
  };
}

/** Of this process and all that it has started, and of those of them that have ended. */
function treeSeconds(): number {
  const processes = new Map<number, { parent: number; ticks: number }>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const fields = readFileSync(`/proc/${name}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
      const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
      processes.set(Number(name), { parent: Number(fields[1]), ticks });
    } catch {
      // It has ended meanwhile.
    }
  }
  const isOurs = (pid: number): boolean => {
    if (pid === process.pid) return true;
    const parent = processes.get(pid)?.parent;
    return parent !== undefined && parent !== pid && isOurs(parent);
  };
  let ticks = 0;
  for (const [pid, one] of processes) if (isOurs(pid)) ticks += one.ticks;
  return ticks / 100;
}
